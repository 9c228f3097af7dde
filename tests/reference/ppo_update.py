"""One PPO update of a tiny network, in float64 with gradients by central differences: an independent second
implementation of src/learn/ppo.rs. Its printed values stand in src/learn/tests/reference.rs.

    python3 tests/reference/ppo_update.py        (needs numpy)
"""
import numpy as np

OBS, HIDDEN, ACTIONS = 3, 4, 5
LR, CLIP, ENTROPY, VALUE, MAX_NORM, EPOCHS = 0.05, 0.2, 0.1, 0.5, 0.5, 2
SHAPES = [(OBS, HIDDEN), (HIDDEN,), (HIDDEN, ACTIONS), (ACTIONS,), (OBS, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,)]

# Two episodes of three steps and one that is dropped; step 1 is forced.
OBSERVATIONS = np.array([[1, 0, -1], [0, 2, 0.5], [0.3, -0.7, 1], [1, 1, 1], [-1, 0.5, 0], [0.2, 0.1, -2], [9, 9, 9]], float)
MASKS = np.array([0b11111, 0b00100, 0b01011, 0b10010, 0b11100, 0b00111, 0b00111])
CHOSEN = np.array([4, 2, 0, 1, 3, 2, 0])
OLD_LOG_PROBS = np.array([-1.5, 0.0, -1.1, -0.3, -1.2, -1.0, -1.0])
EPISODES, REWARDS = [(0, 3), (3, 6), (6, 7)], [1.0, 0.25, None]


def initial():
    """Parameter p's k-th entry is 0.6 sin(1.7 k + p + 0.5)."""
    return [0.6 * np.sin(1.7 * np.arange(int(np.prod(s))) + p + 0.5).reshape(s) for p, s in enumerate(SHAPES)]


def tower(w0, b0, w1, b1, x):
    return np.maximum(x @ w0 + b0, 0) @ w1 + b1


def distribution(parameters, steps):
    logits = tower(*parameters[:4], OBSERVATIONS[steps])
    legal = (MASKS[steps][:, None] >> np.arange(ACTIONS)) & 1 == 1
    logits = np.where(legal, logits, -np.inf)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    p = np.exp(log_p)
    entropy = -(p * np.where(legal, log_p, 0)).sum(1)
    return log_p[np.arange(len(steps)), CHOSEN[steps]], entropy, legal.sum(1)


def main():
    parameters = initial()
    values = tower(*parameters[4:], OBSERVATIONS)[:, 0]
    steps = np.array([t for (a, b), r in zip(EPISODES, REWARDS) if r is not None for t in range(a, b)])
    returns = np.zeros(len(values))
    for (a, b), r in zip(EPISODES, REWARDS):
        returns[a:b] = 0 if r is None else r
    choice = np.array([t for t in steps if bin(MASKS[t]).count("1") > 1])
    advantages = returns - values
    normal = (advantages - advantages[choice].mean()) / (advantages[choice].std() + 1e-8)
    explained = 1 - (returns - values)[steps].var() / returns[steps].var()

    def terms(parameters):
        log_p, entropy, legal = distribution(parameters, choice)
        log_ratio = log_p - OLD_LOG_PROBS[choice]
        ratio = np.exp(log_ratio)
        policy = -np.minimum(ratio * normal[choice], np.clip(ratio, 1 - CLIP, 1 + CLIP) * normal[choice]).mean()
        relative = (entropy / np.log(legal)).mean()
        value = 0.5 * ((tower(*parameters[4:], OBSERVATIONS[steps])[:, 0] - returns[steps]) ** 2).mean()
        kl, clipped = (ratio - 1 - log_ratio).mean(), (abs(ratio - 1) > CLIP).mean()
        return policy + VALUE * value - ENTROPY * relative, (policy, value, entropy.mean(), relative, clipped), kl

    def gradient(parameters, h=1e-6):
        grads = [np.zeros_like(p) for p in parameters]
        for p, g in zip(parameters, grads):
            for at in np.ndindex(p.shape):
                kept = p[at]
                p[at] = kept + h
                above = terms(parameters)[0]
                p[at] = kept - h
                g[at] = (above - terms(parameters)[0]) / (2 * h)
                p[at] = kept
        return grads

    m, v = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    sums, norms = np.zeros(5), []
    for t in range(1, EPOCHS + 1):
        _, numbers, kl = terms(parameters)
        grads = gradient(parameters)
        norm = np.sqrt(sum((g**2).sum() for g in grads))
        norms.append(norm)
        sums += numbers
        for i, g in enumerate(grads):
            g = g * min(1, MAX_NORM / (norm + 1e-6))
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g**2
            parameters[i] -= LR * (m[i] / (1 - 0.9**t)) / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-5)

    names = ["policy_loss", "value_loss", "entropy", "relative_entropy", "clip_fraction"]
    for name, number in zip(names, sums / EPOCHS):
        print(f"{name}: {number:.6f}")
    print(f"gradient_norm: {np.mean(norms):.6f}")
    print(f"approx_kl: {kl:.6f}")
    print(f"explained_variance: {explained:.6f}")
    for p in parameters:
        print("[" + ", ".join(f"{x:.5f}" for x in p.ravel()) + "],")


main()
