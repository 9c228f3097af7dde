"""Many programs at once: a gymnasium vector environment whose steps are one call, without the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

from . import rewards, settings
from ._wasmweaver import Finished, Fleet
from .constraints import AbstractConstraint
from .env import SEEDS, WeaveEnv
from .processors import AbstractPostProcessor
from .program import Program

try:
    from gymnasium.vector import AutoresetMode
except ImportError:  # gymnasium 1.0 has next-step autoreset alone, and no name for it

    class AutoresetMode(Enum):  # type: ignore[no-redef]
        """When an environment whose episode is over is reset."""

        NEXT_STEP = "NextStep"
        SAME_STEP = "SameStep"
        DISABLED = "Disabled"


#: What is told of a finished program without weaving it again.
FIGURES = ("used_fuel", "target_fuel", "bytes", "module_reward", "length_reward")


class VecWeave(VectorEnv[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[Any]]):
    """``num_envs`` environments of one kind, each of which goes through what a :class:`~wasmweaver.WeaveEnv` with its seed
    and actions goes through. Also what ``gymnasium.make_vec("wasmweaver/Weave-v0", num_envs=n)`` makes.

    ``infos`` of a step with finished episodes has ``program`` (an object array of :class:`~wasmweaver.Program`, which tell
    everything when asked), ``used_fuel``, ``target_fuel``, ``bytes``, ``module_reward``, ``length_reward``, each with its
    mask (``_program``, ...); in ``SAME_STEP`` mode they stand under ``final_info``, beside ``final_obs``.

    Args:
        num_envs: How many environments.
        autoreset_mode: As in gymnasium; by default an environment starts anew with the step after its last, whose action
            is passed over.
        masks: Compute masks while stepping. Without, :meth:`action_masks` computes them when it is called.
        parallel: Step on all processors, where there are enough environments for it to pay.
        copy: Hand out arrays of one's own. Without, every call writes into the same ones.
        The others: as for :class:`~wasmweaver.WeaveEnv`.
    """

    def __init__(
        self,
        num_envs: int = 1,
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
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        masks: bool = True,
        parallel: bool = True,
        copy: bool = True,
    ) -> None:
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
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**WeaveEnv.metadata, "autoreset_mode": self.autoreset_mode}
        self._fleet = Fleet(wanted, num_envs, self.autoreset_mode.value, parallel)
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = settings.make_spaces(self._fleet, history)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.reward_function = reward_function
        self.verbose = verbose
        self.render_mode = render_mode
        self.copy = copy
        self._progress = 0.0
        self._seeded = False
        self._eager = masks
        self._observations = np.zeros((num_envs, self._fleet.observation), dtype=np.float32)
        self._masks = np.zeros((num_envs, self._fleet.actions), dtype=np.bool_)
        self._rewards = np.zeros(num_envs, dtype=np.float64)
        self._ended = np.zeros(num_envs, dtype=np.bool_)
        self._truncations = np.zeros(num_envs, dtype=np.bool_)
        self._drawn = np.zeros(num_envs, dtype=np.int64)

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Starts programs: the first of environment ``i`` of seed ``seed + i`` (or of the ``i``-th seed), or the next ones.
        ``options={"reset_mask": mask}`` leaves the others as they are."""
        single = int(seed) if isinstance(seed, (int, np.integer)) else None
        super().reset(seed=single)
        if seed is None and not self._seeded:
            single = int(self.np_random.integers(SEEDS >> 1))
        self._seeded = True
        given = [] if seed is None or isinstance(seed, (int, np.integer)) else [int(one) for one in seed]
        if single is not None:
            given = [single + at for at in range(self.num_envs)]
        seeds = [one % SEEDS for one in given] or None
        chosen = (options or {}).get("reset_mask")
        for name, many in (("seeds", seeds), ("entries of reset_mask", chosen)):
            if many is not None and len(many) != self.num_envs:
                raise ValueError(f"there are {self.num_envs} environments, and {len(many)} {name}")
        self._renew()
        chosen = None if chosen is None else [bool(one) for one in chosen]
        self._fleet.reset(seeds, chosen, self._observations, self._mask_bytes())
        return self._observations, {}

    def step(
        self, actions: npt.ArrayLike
    ) -> tuple[
        npt.NDArray[np.float32],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Takes one choice in each environment."""
        self._renew()
        finished = self._fleet.step(
            np.ascontiguousarray(actions, dtype=np.int64),
            self._observations,
            self._mask_bytes(),
            self._rewards,
            self._ended.view(np.uint8),
        )
        infos = self._tell(finished) if finished else {}
        return self._observations, self._rewards, self._ended, self._truncations, infos

    def _tell(self, finished: list[tuple[int, Finished]]) -> dict[str, Any]:
        programs = np.full(self.num_envs, None, dtype=object)
        over = np.zeros(self.num_envs, dtype=np.bool_)
        for at, one in finished:
            programs[at], over[at] = Program(one), True
            if callable(self.reward_function):
                self._rewards[at] = rewards.pay(self.reward_function, programs[at], self._progress)
            if self.verbose:
                print(programs[at], programs[at].wat, sep="\n")
        infos: dict[str, Any] = {"program": programs, "_program": over}
        for name in FIGURES:
            kind = np.float64 if name.endswith("reward") else np.int64
            column = np.zeros(self.num_envs, dtype=kind)
            column[over] = [getattr(program, name) for program in programs[over]]
            infos[name], infos[f"_{name}"] = column, over
        if self.autoreset_mode != AutoresetMode.SAME_STEP:
            return infos
        last = np.full(self.num_envs, None, dtype=object)
        for at, one in finished:
            last[at] = np.empty(self._fleet.observation, dtype=np.float32)
            one.last_observation(last[at])
        return {"final_obs": last, "_final_obs": over, "final_info": infos, "_final_info": over}

    def _renew(self) -> None:
        """Arrays that nobody has seen yet."""
        if self.copy:
            self._observations = np.empty_like(self._observations)
            self._rewards = np.empty_like(self._rewards)
            self._ended = np.empty_like(self._ended)
            self._truncations = np.zeros_like(self._truncations)
            if self._eager:
                self._masks = np.empty_like(self._masks)

    def _mask_bytes(self) -> npt.NDArray[np.uint8] | None:
        return self._masks.view(np.uint8) if self._eager else None

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Which actions are legal now, ``(num_envs, single_action_space.n)``. Of an environment whose episode is over: none,
        or all where the next action is passed over."""
        if not self._eager:
            if self.copy:
                self._masks = np.empty_like(self._masks)
            self._fleet.masks(self._masks.view(np.uint8))
        return self._masks

    def sample_actions(self) -> npt.NDArray[np.int64]:
        """A legal action for each environment, all equally likely; environment by environment the same for one seed."""
        drawn = np.empty_like(self._drawn) if self.copy else self._drawn
        self._fleet.draw(drawn)
        return drawn

    def action_meanings(self) -> list[str]:
        """What each action stands for: ``i32.add``, ``Local(2)``, ..."""
        return self._fleet.action_names()

    def set_progress(self, frac: float) -> None:
        """The share of a training that is behind it, handed to rewards of the original's kind."""
        self._progress = frac

    def render(self) -> tuple[str, ...] | None:
        """The programs as far as they are woven."""
        return tuple(self._fleet.text(at) for at in range(self.num_envs)) if self.render_mode == "ansi" else None
