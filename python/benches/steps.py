"""Steps a second through the vectorised environment, with random legal actions, and what they are spent on.

``python benches/steps.py [--envs 256] [--seconds 3] [--preset aligned]``: prints one line a setting, best of three. Steps a
second are those of the clock; those of a processor's second tell more where others use the machine too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import wasmweaver


def numpy_actions(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A legal action for each row, all equally likely, in numpy alone."""
    rows, actions = np.nonzero(masks)
    counts = np.bincount(rows, minlength=len(masks))
    starts = np.cumsum(counts) - counts
    return actions[starts + (rng.random(len(masks)) * counts).astype(np.int64)]


def rate(step: Callable[[], object], steps: int, seconds: float) -> tuple[float, float]:
    """Steps a second of the clock, and of a processor: the best of three stretches."""
    best = (0.0, 0.0)
    for _ in range(3):
        calls, started, busy = 0, time.perf_counter(), time.process_time()
        while (spent := time.perf_counter() - started) < seconds / 3:
            step()
            calls += 1
        done = calls * steps
        best = (max(best[0], done / spent), max(best[1], done / (time.process_time() - busy)))
    return best


def vector(envs: int, seconds: float, drawn: str, **kwargs: object) -> tuple[float, float]:
    """Of one setting of the vectorised environment."""
    env = wasmweaver.VecWeave(envs, **kwargs)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    last = [env.sample_actions()]

    def step() -> None:
        env.step(last[0])
        last[0] = env.sample_actions() if drawn == "rust" else numpy_actions(env.action_masks(), rng)

    return rate(step, envs, seconds)


def single(seconds: float, **kwargs: object) -> tuple[float, float]:
    """Of the single environment."""
    env = wasmweaver.WeaveEnv(**kwargs)
    env.reset(seed=0)
    rng = np.random.default_rng(0)

    def step() -> None:
        if env.step(rng.choice(np.flatnonzero(env.action_masks())))[2]:
            env.reset()

    return rate(step, 1, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envs", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--preset", default="aligned")
    given = parser.parse_args()
    env = wasmweaver.VecWeave(1, preset=given.preset)
    print(f"preset {given.preset}: {env.single_observation_space.shape[0]} features, {env.single_action_space.n} actions")
    settings = [
        ("masks and observations, actions drawn by sample_actions()", "rust", {}),
        ("the same, arrays reused (copy=False)", "rust", {"copy": False}),
        ("the same, one thread (parallel=False)", "rust", {"copy": False, "parallel": False}),
        ("the same, no masks handed out (masks=False)", "rust", {"copy": False, "parallel": False, "masks": False}),
        ("masks and observations, actions drawn from the masks in numpy", "numpy", {}),
    ]
    print(f"{'steps/s':>10} {'steps/CPU s':>12}")
    for name, drawn, kwargs in settings:
        wall, busy = vector(given.envs, given.seconds, drawn, preset=given.preset, **kwargs)
        print(f"{wall:>10,.0f} {busy:>12,.0f}  {given.envs} environments: {name}")
    wall, busy = single(given.seconds, preset=given.preset)
    print(f"{wall:>10,.0f} {busy:>12,.0f}  one environment, actions drawn in numpy")


if __name__ == "__main__":
    main()
