"""For Stable-Baselines3: ``MaskablePPO`` of sb3-contrib trains on what :func:`make_vec_env` makes, and on a
``DummyVecEnv`` of :class:`wasmweaver.WeaveEnv`. The only module that imports Stable-Baselines3."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from .vector import AutoresetMode, VecWeave


class WeaveVecEnv(VecEnv):
    """A :class:`wasmweaver.VecWeave` as Stable-Baselines3 wants it: episodes start anew at once, ``infos`` are dicts, and
    those of finished episodes have ``terminal_observation``, ``episode`` (as its Monitor writes it) and ``program``."""

    def __init__(self, envs: VecWeave) -> None:
        if envs.autoreset_mode != AutoresetMode.SAME_STEP:
            raise ValueError('Stable-Baselines3 has episodes start anew at once: make VecWeave with autoreset_mode="SameStep"')
        self.envs = envs
        self._actions = np.zeros(envs.num_envs, dtype=np.int64)
        self._lengths = np.zeros(envs.num_envs, dtype=np.int64)
        self._started = time.time()
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> np.ndarray:
        seeded = all(seed is not None for seed in self._seeds)
        observations, _ = self.envs.reset(seed=self._seeds if seeded else None)
        self._lengths[:] = 0
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        observations, rewards, ended, _, told = self.envs.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self._lengths += 1
        if told:
            seconds = round(time.time() - self._started, 6)
            for at in np.flatnonzero(ended):
                program = told["final_info"]["program"][at]
                infos[at] = {
                    "terminal_observation": told["final_obs"][at],
                    "TimeLimit.truncated": False,
                    "episode": {"r": float(rewards[at]), "l": int(self._lengths[at]), "t": seconds},
                    "program": program,
                    "reward_dict": program.reward_dict,
                }
            self._lengths[ended] = 0
        return observations, rewards.astype(np.float32), ended, infos

    def close(self) -> None:
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        value = getattr(self.envs, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        if len(list(self._get_indices(indices))) != self.num_envs:
            raise ValueError("the environments have their attributes in common: set them for all")
        setattr(self.envs, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Sequence[Any]:
        made = getattr(self.envs, method_name)(*args, **kwargs)
        # One row for each environment, or the same for all.
        rows = made if method_name == "action_masks" else [made] * self.num_envs
        return [rows[at] for at in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]


def make_vec_env(n_envs: int, seed: int | None = None, **kwargs: Any) -> WeaveVecEnv:
    """``n_envs`` environments for Stable-Baselines3; the other arguments are those of :class:`wasmweaver.VecWeave`."""
    made = WeaveVecEnv(VecWeave(n_envs, autoreset_mode=AutoresetMode.SAME_STEP, **kwargs))
    if seed is not None:
        made.seed(seed)
    return made
