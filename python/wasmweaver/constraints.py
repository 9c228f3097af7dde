"""The original's constraints, under its names. Both ends are kept exactly: an action is legal only if the program can
still be finished within the maximum, and finishing is not legal before the minimum, where it can be reached."""

from __future__ import annotations

from typing import ClassVar


class AbstractConstraint:
    """A resource with bounds, both included."""

    #: The key of the preset's ``weave`` section that this sets.
    key: ClassVar[str]

    def __init__(self, min_target: int = 0, max_target: int = 100, initial: int = 0) -> None:
        if initial:
            raise ValueError(f"initial is {initial}; a program starts with nothing spent")
        self.min_target = int(min_target)
        self.max_target = int(max_target)

    def bounds(self) -> dict[str, int]:
        """As a preset has them."""
        return {"min": self.min_target, "max": self.max_target}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.min_target}, {self.max_target})"


class ByteCodeSizeConstraint(AbstractConstraint):
    """Bytes of the encoded module, custom sections not counted."""

    key = "bytes"


class FuelConstraint(AbstractConstraint):
    """Fuel of the whole run, as wasmtime counts it; each episode draws its target between the bounds."""

    key = "fuel"


class ResponseTimeConstraint(AbstractConstraint):
    """What the executed instructions cost by ``weave={"costs": {...}}``, which must be given then."""

    key = "time"
