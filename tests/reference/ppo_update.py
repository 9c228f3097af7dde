"""One PPO update of a tiny network in PyTorch (float64, autograd, torch.optim.Adam, clip_grad_norm_): an independent
second implementation of src/learn/ppo.rs, whose printed values stand in src/learn/tests/reference.rs.

    pip install torch                            (or Debian's python3-torch; any version from 1.13 on)
    python3 tests/reference/ppo_update.py        (one second)

It takes everything from PyTorch that PyTorch has: torch.distributions for probabilities and entropies under a mask,
torch.nn.utils for clipping, torch.optim for the step. Change the update, and what it prints goes into the test.
"""
import math

import torch
from torch.distributions import Categorical

torch.set_default_dtype(torch.float64)

OBS, HIDDEN, ACTIONS = 3, 4, 5
LR, CLIP, ENTROPY, VALUE, MAX_NORM, EPOCHS = 0.05, 0.2, 0.1, 0.5, 0.5, 2
SHAPES = [(OBS, HIDDEN), (HIDDEN,), (HIDDEN, ACTIONS), (ACTIONS,), (OBS, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,)]

# Two episodes of three steps and one that is dropped; step 1 is forced.
OBSERVATIONS = torch.tensor(
    [[1, 0, -1], [0, 2, 0.5], [0.3, -0.7, 1], [1, 1, 1], [-1, 0.5, 0], [0.2, 0.1, -2], [9, 9, 9]]
)
MASKS = [0b11111, 0b00100, 0b01011, 0b10010, 0b11100, 0b00111, 0b00111]
LEGAL = torch.tensor([[bool(mask >> action & 1) for action in range(ACTIONS)] for mask in MASKS])
CHOSEN = torch.tensor([4, 2, 0, 1, 3, 2, 0])
OLD_LOG_PROBS = torch.tensor([-1.5, 0.0, -1.1, -0.3, -1.2, -1.0, -1.0])
EPISODES, REWARDS = [(0, 3), (3, 6), (6, 7)], [1.0, 0.25, None]


def parameter(place, shape):
    """Entry k of parameter p is 0.6 sin(1.7 k + p + 0.5)."""
    entries = [0.6 * math.sin(1.7 * k + place + 0.5) for k in range(math.prod(shape))]
    return torch.tensor(entries).reshape(shape).requires_grad_()


def tower(w0, b0, w1, b1, x):
    return torch.relu(x @ w0 + b0) @ w1 + b1


def main():
    parameters = [parameter(place, shape) for place, shape in enumerate(SHAPES)]
    actor, critic = parameters[:4], parameters[4:]
    optimizer = torch.optim.Adam(parameters, lr=LR, eps=1e-5)

    paid = [(range(a, b), reward) for (a, b), reward in zip(EPISODES, REWARDS) if reward is not None]
    steps = torch.tensor([step for episode, _ in paid for step in episode])
    returns = torch.tensor([reward for episode, reward in paid for _ in episode])  # gamma = lambda = 1
    with torch.no_grad():
        values = tower(*critic, OBSERVATIONS[steps])[:, 0]
    choice = LEGAL[steps].sum(1) > 1
    advantages = (returns - values)[choice]
    advantages = (advantages - advantages.mean()) / (advantages.std(unbiased=False) + 1e-8)
    explained = 1 - (returns - values).var(unbiased=False) / returns.var(unbiased=False)

    chosen, sums, norms = steps[choice], torch.zeros(5), []
    for _ in range(EPOCHS):
        logits = tower(*actor, OBSERVATIONS[chosen]).masked_fill(~LEGAL[chosen], -1e9)
        distribution = Categorical(logits=logits)
        log_ratio = distribution.log_prob(CHOSEN[chosen]) - OLD_LOG_PROBS[chosen]
        ratio, entropy = log_ratio.exp(), distribution.entropy()
        clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
        policy_loss = -torch.min(ratio * advantages, clipped * advantages).mean()
        value_loss = 0.5 * (tower(*critic, OBSERVATIONS[steps])[:, 0] - returns).pow(2).mean()
        relative = (entropy / LEGAL[chosen].sum(1).log()).mean()
        kl, clip_fraction = (ratio - 1 - log_ratio).mean(), ((ratio - 1).abs() > CLIP).double().mean()

        optimizer.zero_grad()
        (policy_loss + VALUE * value_loss - ENTROPY * relative).backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM))
        optimizer.step()
        sums += torch.stack([policy_loss, value_loss, entropy.mean(), relative, clip_fraction]).detach()

    names = ["policy_loss", "value_loss", "entropy", "relative_entropy", "clip_fraction"]
    for name, number in zip(names, sums / EPOCHS):
        print(f"{name}: {number:.6f}")
    print(f"gradient_norm: {torch.stack(norms).mean():.6f}")
    print(f"approx_kl: {kl:.6f}")
    print(f"explained_variance: {explained:.6f}")
    for p in parameters:
        print("[" + ", ".join(f"{x:.5f}" for x in p.detach().flatten()) + "],")


main()
