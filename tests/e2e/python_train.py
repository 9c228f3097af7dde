"""sb3-contrib's MaskablePPO learns on both kinds of environments of the Python package: what it is paid rises well above
what random legal actions are paid."""

import time

import gymnasium
import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import wasmweaver
from wasmweaver import ByteCodeSizeConstraint, FuelConstraint, StackInspectorPostProcessor
from wasmweaver.sb3 import make_vec_env

# Small networks: a second thread only gets in the way.
torch.set_num_threads(1)

#: The original's stack-effect experiment with less fuel, so that minutes are enough.
WEAVE = {
    "preset": "paper-stack",
    "constraints": [ByteCodeSizeConstraint(0, 1000), FuelConstraint(0, 20)],
    "post_processor_types": [StackInspectorPostProcessor],
}
#: How much more than random actions a policy must be paid, of at most 2: about half of what it learns.
MARGIN = {"fast": 0.35, "single": 0.1}
STEPS = {"fast": 61_440, "single": 30_720}
LAST = 300


class Paid(BaseCallback):
    """Notes what episodes were paid."""

    def __init__(self) -> None:
        super().__init__()
        self.rewards: list[float] = []

    def _on_step(self) -> bool:
        self.rewards.extend(info["episode"]["r"] for info in self.locals["infos"] if "episode" in info)
        return True


def random_mean() -> float:
    env = wasmweaver.VecWeave(256, **WEAVE)
    env.reset(seed=0)
    paid: list[float] = []
    while len(paid) < 2000:
        _, rewards, ended, _, _ = env.step(env.sample_actions())
        paid.extend(rewards[ended])
    return float(np.mean(paid))


def dummy(count: int, seed: int) -> DummyVecEnv:
    made = DummyVecEnv([lambda: Monitor(gymnasium.make(wasmweaver.ENV_ID, **WEAVE))] * count)
    made.seed(seed)
    return made


def train(env, steps: int) -> Paid:
    policy = dict(net_arch=[64, 64], activation_fn=torch.nn.ReLU)
    model = MaskablePPO(
        "MlpPolicy", env, n_steps=2048 // env.num_envs, batch_size=512, n_epochs=4, gamma=1.0, gae_lambda=1.0,
        learning_rate=1e-3, ent_coef=0.002, seed=1, policy_kwargs=policy,
    )
    paid = Paid()
    model.learn(steps, callback=paid)
    return paid


chance = random_mean()
print(f"torch {torch.__version__}, stable-baselines3 {stable_baselines3.__version__}, sb3-contrib {sb3_contrib.__version__}, "
      f"gymnasium {gymnasium.__version__}; random legal actions are paid {chance:.3f}")
kinds = {
    "fast": lambda: make_vec_env(32, seed=1, **WEAVE),
    "single": lambda: dummy(8, seed=1),
}
told = []
for kind, make in kinds.items():
    started = time.perf_counter()
    paid = train(make(), STEPS[kind]).rewards
    seconds = time.perf_counter() - started
    mean = float(np.mean(paid[-LAST:]))
    told.append(f"{kind} {mean:.3f}")
    print(f"{kind}: {STEPS[kind]} steps, {len(paid)} episodes in {seconds:.0f} s; the first {LAST} were paid "
          f"{np.mean(paid[:LAST]):.3f}, the last {LAST} {mean:.3f}")
    assert mean > chance + MARGIN[kind], f"{kind}: {mean:.3f} is no {MARGIN[kind]} above chance"
print(f"MaskablePPO learns: random {chance:.3f}, {', '.join(told)}")
