"""What is known of a finished episode."""

from __future__ import annotations

import json
from collections import UserDict
from typing import Any

from . import _wasmweaver


class Program:
    """A finished program. The numbers are there at once; ``told`` (and every key of it as an attribute) has it woven again
    from its recipe, asked about and printed when it is first looked at.

    Attributes:
        finish_state: ``"Success"``, or ``"Failed"`` after an action that was not legal.
        failure: Why it failed, or ``None``.
        reward: What it was paid; with a callable ``reward_function`` 0 until that has been asked.
        reward_dict: Parts of the reward.
        used_fuel, target_fuel: Fuel of its run, and what it aimed at.
        bytes: Length of the encoded module.
        module_reward: R_align, ``1 - JSD`` of its classes of instructions to those of real code.
        length_reward: R_length, ``exp(-|used_fuel / target_fuel - 1|)``.
        choices: Actions that made it.
    """

    def __init__(self, finished: _wasmweaver.Finished) -> None:
        self._finished = finished
        self._told: dict[str, Any] | None = None
        self.failure = finished.failure
        self.finish_state = "Success" if self.failure is None else "Failed"
        self.reward = finished.reward
        self.choices = finished.length
        self.target_fuel = finished.target_fuel
        self.used_fuel, self.bytes, self.module_reward, self.length_reward = finished.figures
        self.reward_dict: dict[str, float] | None = None
        if self.failure is None:
            self.reward_dict = {"module_reward": self.module_reward, "length_reward": self.length_reward}

    @property
    def told(self) -> dict[str, Any]:
        """Everything about the program; empty if there is none. Keys of the original's samples (``wat_str``, ``trace``,
        ``reward``, ``length_reward``, ``used_fuel``, ``target_fuel``, ``module_reward``, ``bucket_reward``, ...), and
        ``bytes``, ``instructions``, ``histogram``, ``return_values``, ``canonical``, ``recipe``, ``items``.

        ``items`` has one entry for each post-processor: a dict as ``harness generate`` writes it (``program`` with the
        comments that ask, ``truth``, ``probes``, ...), or ``None`` where no place of this program is worth asking about.
        ``wat_str`` is the program of the first of them, or the plain one.
        """
        if self._told is None:
            text = self._finished.json()
            self._told = {} if text is None else json.loads(text)
        if self._told:
            self._told["reward"] = self.reward
        return self._told

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.told:
            raise AttributeError(name)
        return self.told[name]

    @property
    def wat(self) -> str:
        """The text, with the comments that ask."""
        return self.told.get("wat_str", "")

    def truth(self, at: int = 0) -> dict[str, Any] | None:
        """The answer to the question of a post-processor; ``None`` if it asks nothing here."""
        items = self.told.get("items") or []
        item = items[at] if at < len(items) else None
        return None if item is None else item["truth"]

    def info(self) -> dict[str, Any]:
        """What the last step of an episode tells: ``finish_state``, ``reward_dict``, ``code``, and all of :attr:`told`, its
        dicts as ``UserDict``: gymnasium's vector environments would take plain ones apart, key by key."""
        head = {"finish_state": self.finish_state, "reward_dict": self.reward_dict, "code": self.wat}
        if self.failure is not None:
            return head | {"failure": self.failure}
        return head | {key: UserDict(value) if isinstance(value, dict) else value for key, value in self.told.items()}

    def __repr__(self) -> str:
        if self.failure is not None:
            return f"<Program: failed, {self.failure}>"
        return f"<Program: {self.bytes} bytes, fuel {self.used_fuel} for {self.target_fuel}, reward {self.reward:.3f}>"
