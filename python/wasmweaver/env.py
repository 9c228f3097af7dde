"""One program an episode, as a gymnasium environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from . import rewards, settings
from ._wasmweaver import Fleet
from .constraints import AbstractConstraint
from .processors import AbstractPostProcessor
from .program import Program

#: Seeds of the compiled half have 64 bits.
SEEDS = 1 << 64


class WeaveEnv(gym.Env[npt.NDArray[np.float32], np.int64]):
    """Weaves one program an episode, one choice a step: an instruction, or one of its immediates.

    Every program is valid, never traps and keeps its constraints: :meth:`action_masks` says which actions see to that. An
    action outside of it ends the episode as failed, with reward -1; one outside of ``action_space`` raises ``ValueError``.
    A legal episode pays once, with its last step.

    The observation is a ``float32`` vector: the features that the library's own policies see, most of them in [-1, 1]
    (:func:`wasmweaver.observation_layout` names the blocks), then the latest ``history`` actions, latest first, each as
    its number plus 1, and 0 before the first. ``info`` is empty but for the last step, which has ``finish_state``,
    ``code``, ``reward_dict`` and all of :attr:`wasmweaver.Program.told`.

    Args:
        constraints: Bounds of bytes, fuel and time, in the place of the preset's.
        input_types: Must be empty: the function takes no arguments.
        output_types: Its lists bound the number of results; which types they have is the policy's choice.
        reward_function: ``"align+length"`` (R_align + R_length, as in the original), ``"align"``, ``"length"``,
            ``"trained"`` (the preset's ``weaving_reward`` without what needs a pool of programs), or a callable
            (:mod:`wasmweaver.rewards`).
        verbose: Print finished programs.
        post_processor_types: What is asked about each finished program.
        forbidden_instruction_name_tokens: Instructions with one of these in their name are never offered.
        preset: A name in ``policies/`` that the package carries, or a file.
        level: Difficulty of the preset, 1 to 5; 3 as it is written.
        weave, probe, train: Settings of these sections of the preset, in the place of its own.
        history: How many of the latest actions an observation has behind its features.
        confirm: Have wasmtime confirm every item that is told. The library's machine is checked against wasmtime in its
            tests, item by item only here and in :func:`wasmweaver.generate`.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}

    def __init__(
        self,
        constraints: Sequence[AbstractConstraint] = (),
        input_types: Sequence[Any] | None = None,
        output_types: Sequence[Sequence[Any]] | None = None,
        reward_function: str | Callable[..., Any] = "align+length",
        verbose: bool = False,
        post_processor_types: Sequence[type[AbstractPostProcessor] | str] | None = None,
        forbidden_instruction_name_tokens: Iterable[str] | None = None,
        *,
        preset: str = "aligned",
        level: int = 3,
        weave: Mapping[str, Any] | None = None,
        probe: Mapping[str, Any] | None = None,
        train: Mapping[str, Any] | None = None,
        history: int = 0,
        confirm: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "ansi"):
            # As for an argument that does not exist: Stable-Baselines3 tries rgb_array, and goes on without.
            raise TypeError(f"there is no render_mode {render_mode!r}; it may be None or 'ansi'")
        wanted = settings.wanted(
            preset=preset,
            level=level,
            constraints=constraints,
            input_types=input_types,
            output_types=output_types,
            post_processor_types=post_processor_types,
            forbidden_instruction_name_tokens=forbidden_instruction_name_tokens,
            reward_function=reward_function,
            weave=weave,
            probe=probe,
            train=train,
            history=history,
            confirm=confirm,
        )
        self._fleet = Fleet(wanted, 1, "Disabled", False)
        self.observation_space: Any
        self.observation_space, self.action_space = settings.make_spaces(self._fleet, history)
        self.reward_function = reward_function
        self.verbose = verbose
        self.render_mode = render_mode
        self._seeded = False
        self._progress = 0.0
        self._mask = np.zeros((1, self._fleet.actions), dtype=np.bool_)
        self._reward = np.zeros(1, dtype=np.float64)
        self._ended = np.zeros(1, dtype=np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Starts a program: the first of a seed, or the next one."""
        super().reset(seed=seed)
        if seed is None and not self._seeded:
            seed = int(self.np_random.integers(SEEDS >> 1))
        self._seeded = True
        observation = np.empty((1, self._fleet.observation), dtype=np.float32)
        self._fleet.reset(None if seed is None else [seed % SEEDS], None, observation, self._mask.view(np.uint8))
        return observation[0], {}

    def step(self, action: Any) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Takes one choice."""
        observation = np.empty((1, self._fleet.observation), dtype=np.float32)
        actions = np.array([action], dtype=np.int64).reshape(1)
        finished = self._fleet.step(actions, observation, self._mask.view(np.uint8), self._reward, self._ended)
        if not finished:
            return observation[0], 0.0, False, False, {}
        program = Program(finished[0][1])
        reward = program.reward
        if callable(self.reward_function):
            reward = rewards.pay(self.reward_function, program, self._progress)
        if self.verbose:
            print(program, program.wat, sep="\n")
        return observation[0], reward, True, False, program.info()

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Which actions are legal now, ``(action_space.n,)``; none when the episode is over."""
        return self._mask[0].copy()

    def action_meanings(self) -> list[str]:
        """What each action stands for: ``i32.add``, ``Local(2)``, ..."""
        return self._fleet.action_names()

    def set_progress(self, frac: float) -> None:
        """The share of a training that is behind it, handed to rewards of the original's kind."""
        self._progress = frac

    def render(self) -> str | None:
        """The program as far as it is woven."""
        return self._fleet.text(0) if self.render_mode == "ansi" else None


#: The original's name.
WasmWeaverEnv = WeaveEnv
