"""Rewards that Python decides.

``reward_function`` is the name of one of ours (``"align+length"``, ``"align"``, ``"length"``, ``"trained"``), or a callable.
A callable is asked once for each program that was finished, with the :class:`~wasmweaver.Program`, and returns a number,
or a number and a dict of its parts. A failed episode is worth -1 in any case.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from .program import Program

FAILED = -1.0


class AbstractRewardFunction:
    """The original's kind of reward: subclasses are called as there, at the end of an episode alone. There is no global
    state and no tile to hand over; both are ``None``."""

    def __call__(
        self,
        finish_state: str | Exception,
        global_state: None,
        last_global_state: None,
        wat_str: str,
        run_result: Any,
        p: float,
        last_placed_tile: None,
        dynamic_targets: dict[str, int] | None = None,
    ) -> Any:
        return 0


def pay(reward_function: Any, program: Program, progress: float) -> float:
    """Asks a callable for a program's reward, and notes it there."""
    if program.failure is not None:
        return FAILED
    if isinstance(reward_function, AbstractRewardFunction):
        targets = {"fuel_target": program.target_fuel}
        paid = reward_function(
            program.finish_state, None, None, program.wat, run_result(program), progress, None, dynamic_targets=targets
        )
    else:
        paid = reward_function(program)
    if isinstance(paid, tuple):
        paid, program.reward_dict = paid
    program.reward = float(paid)
    return program.reward


def run_result(program: Program) -> SimpleNamespace:
    """The original's run result, as far as its rewards read it."""
    values = [value(told) for told in program.return_values]
    post_processors = []
    for item in program.items:
        truth = {} if item is None else item["truth"]
        stack = [value(told) for told in truth.get("stack_values", [])]
        flags = truth.get("flag_states", {})
        post_processors.append(
            SimpleNamespace(
                stack_inspector_tile=SimpleNamespace(stack_values=stack),
                flag_tiles=[SimpleNamespace(flag_name=name, flag_value=state) for name, state in flags.items()],
            )
        )
    return SimpleNamespace(
        fuel=program.used_fuel,
        return_values=[one.value for one in values],
        return_types=values,
        post_processors=post_processors,
    )


def value(told: dict[str, str]) -> SimpleNamespace:
    """A value as the original hands it over."""
    return SimpleNamespace(value=told["value"], get_wasm_type=lambda: told["type"])
