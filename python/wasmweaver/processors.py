"""The original's post-processors, under its names: what is asked about each finished program."""

from __future__ import annotations

from typing import ClassVar


class AbstractPostProcessor:
    """One question about each finished program, with its answer, where there is one worth asking."""

    #: The task, as in ``harness generate --task``.
    task: ClassVar[str]


class StackInspectorPostProcessor(AbstractPostProcessor):
    """``;;INSPECT`` at one place of the program: the operands there."""

    task = "stack"


class FlagReachabilityPostProcessor(AbstractPostProcessor):
    """``;;FLAG_0``, ``;;FLAG_1``, ... at some places: which of them execution passes."""

    task = "reachability"


class ResultPostProcessor(AbstractPostProcessor):
    """What the function returns."""

    task = "result"


class FuelPostProcessor(AbstractPostProcessor):
    """How much fuel the run uses."""

    task = "fuel"
