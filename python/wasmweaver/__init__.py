"""Weaves WebAssembly programs that language models mispredict: environments to learn in, labelled items, verdicts.

``gymnasium.make("wasmweaver/Weave-v0")`` (after ``import wasmweaver``) weaves one program an episode;
``wasmweaver.VecWeave`` weaves many at once. ``generate``, ``inspect``, ``judge``,
``attack``, ``evaluate`` and ``report`` do what the verbs of ``harness`` do.
"""

from __future__ import annotations

import gymnasium

from ._wasmweaver import GENERATOR, WeaveError
from .constraints import AbstractConstraint, ByteCodeSizeConstraint, FuelConstraint, ResponseTimeConstraint
from .env import WasmWeaverEnv, WeaveEnv
from .items import generate, inspect, judge
from .jobs import attack, evaluate, report
from .processors import (
    AbstractPostProcessor,
    FlagReachabilityPostProcessor,
    FuelPostProcessor,
    ResultPostProcessor,
    StackInspectorPostProcessor,
)
from .program import Program
from .rewards import AbstractRewardFunction
from .settings import instructions, observation_layout
from .vector import VecWeave

ENV_ID = "wasmweaver/Weave-v0"

if ENV_ID not in gymnasium.registry:
    gymnasium.register(
        id=ENV_ID,
        entry_point="wasmweaver.env:WeaveEnv",
        vector_entry_point="wasmweaver.vector:VecWeave",
    )

__all__ = [
    "ENV_ID",
    "GENERATOR",
    "AbstractConstraint",
    "AbstractPostProcessor",
    "AbstractRewardFunction",
    "ByteCodeSizeConstraint",
    "FlagReachabilityPostProcessor",
    "FuelConstraint",
    "FuelPostProcessor",
    "Program",
    "ResponseTimeConstraint",
    "ResultPostProcessor",
    "StackInspectorPostProcessor",
    "VecWeave",
    "WasmWeaverEnv",
    "WeaveEnv",
    "WeaveError",
    "attack",
    "evaluate",
    "generate",
    "inspect",
    "instructions",
    "judge",
    "observation_layout",
    "report",
]
