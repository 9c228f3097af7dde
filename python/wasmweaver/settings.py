"""From the arguments of an environment to what the compiled half wants; no state."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from . import _wasmweaver
from .constraints import AbstractConstraint
from .processors import AbstractPostProcessor

#: Names of the original's tiles that are no part of a mnemonic.
TILES = {"condition": ("if", "select"), "function": ("call", "call_indirect", "ref.func")}

#: Bound of what an observation has where no setting bounds it more loosely; most features lie in [-1, 1].
BOUND = 256.0


def instructions() -> list[str]:
    """The names of all instructions, in the order of their numbers."""
    return _wasmweaver.instructions()


def observation_layout() -> dict[str, slice]:
    """Where each block of features stands in an observation; the latest actions (``history``) come behind them."""
    layout, start = {}, 0
    for name, width in _wasmweaver.observation_layout():
        layout[name] = slice(start, start + width)
        start += width
    return layout


def forbidden(tokens: Iterable[str]) -> list[str]:
    """The instructions that tokens mean, as in the original: those with the token anywhere in their name."""
    names: list[str] = []
    for token in tokens:
        low = token.lower()
        meant = TILES.get(low) or [name for name in instructions() if low in name]
        if not meant:
            raise _wasmweaver.WeaveError(f"forbidden_instruction_name_tokens: no instruction's name has `{token}` in it")
        names.extend(name for name in meant if name not in names)
    return names


def wanted(
    *,
    preset: str,
    level: int,
    constraints: Sequence[AbstractConstraint],
    input_types: Sequence[Any] | None,
    output_types: Sequence[Sequence[Any]] | None,
    post_processor_types: Sequence[type[AbstractPostProcessor] | str] | None,
    forbidden_instruction_name_tokens: Iterable[str] | None,
    reward_function: str | Callable[..., Any],
    weave: Mapping[str, Any] | None,
    probe: Mapping[str, Any] | None,
    train: Mapping[str, Any] | None,
    history: int,
    confirm: bool,
) -> str:
    """JSON for ``Fleet``."""
    if input_types:
        raise _wasmweaver.WeaveError("input_types: the function that is woven takes no arguments; leave it out")
    weaving: dict[str, Any] = json.loads(json.dumps(dict(weave or {})))
    for constraint in constraints or ():
        if not isinstance(constraint, AbstractConstraint):
            raise TypeError(f"{constraint!r} is no constraint of wasmweaver")
        weaving[constraint.key] = constraint.bounds()
    if output_types is not None:
        counts = [len(types) for types in output_types] or [0]
        limits = weaving.setdefault("limits", {})
        limits["min_results"], limits["results"] = min(counts), max(counts)
    tasks = [kind if isinstance(kind, str) else kind.task for kind in post_processor_types or ()]
    return json.dumps(
        {
            "preset": preset,
            "level": level,
            "settings": {"weave": weaving, "probe": dict(probe or {}), "train": dict(train or {})},
            "forbid": forbidden(forbidden_instruction_name_tokens or ()),
            "tasks": tasks,
            "reward": "callable" if callable(reward_function) else reward_function,
            "history": history,
            "confirm": confirm,
        },
        sort_keys=True,
    )


def make_spaces(fleet: _wasmweaver.Fleet, history: int) -> tuple[spaces.Box, spaces.Discrete]:
    """Observations and actions of one environment."""
    fuel, dead = fleet.limits
    bound = max(BOUND, fuel / 50 + 1, dead / 8 + 1)
    low = np.full(fleet.observation, -bound, dtype=np.float32)
    high = np.full(fleet.observation, bound, dtype=np.float32)
    if history:
        low[-history:], high[-history:] = 0, fleet.actions
    return spaces.Box(low, high, dtype=np.float32), spaces.Discrete(fleet.actions)
