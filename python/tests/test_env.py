"""The environments: what gymnasium asks of them, what a seed and a mask promise, and what is told at the end."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import wasmweaver
from wasmweaver import ByteCodeSizeConstraint, FlagReachabilityPostProcessor, FuelConstraint, StackInspectorPostProcessor

ID = "wasmweaver/Weave-v0"
#: The arguments of the original's stack-effect experiment, as its script has them.
ORIGINAL = {
    "constraints": [ByteCodeSizeConstraint(0, 1000), FuelConstraint(0, 50)],
    "output_types": [[]],
    "post_processor_types": [StackInspectorPostProcessor],
    "forbidden_instruction_name_tokens": [
        "load", "store", "condition", "loop", "block", "function", "br", "br_if", "br_table", "return",
    ],
}


def play(env, seed, rng):
    """One episode of random legal actions; the actions, and what the last step told."""
    observation, _ = env.reset(seed=seed)
    actions = []
    while True:
        masks = env.unwrapped.action_masks()
        assert masks.any() and env.observation_space.contains(observation)
        actions.append(rng.choice(np.flatnonzero(masks)))
        observation, reward, over, truncated, info = env.step(actions[-1])
        if over:
            return actions, reward, info
        assert (reward, truncated, info) == (0.0, False, {})


@pytest.mark.parametrize("arguments", [{}, ORIGINAL, {"preset": "everything", "history": 4, "render_mode": "ansi"}])
def test_gymnasium_finds_nothing_to_say(arguments):
    env = gymnasium.make(ID, **arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_a_program_of_the_originals_experiment_keeps_its_bounds_and_its_label():
    env = gymnasium.make(ID, confirm=True, **ORIGINAL)
    rng, asked = np.random.default_rng(1), 0
    for seed in range(40):
        actions, reward, info = play(env, seed, rng)
        assert info["finish_state"] == "Success" and info["used_fuel"] <= 50 and info["bytes"] <= 1000
        assert info["wat_str"] == info["code"] and len(info["trace"]) == len(actions)
        assert reward == pytest.approx(info["module_reward"] + info["length_reward"])
        assert info["length_reward"] == pytest.approx(np.exp(-abs(info["used_fuel"] / info["target_fuel"] - 1)))
        assert not {"if", "loop", "block", "call", "br", "br_if", "return", "i32.load"} & set(info["histogram"])
        seen = wasmweaver.inspect(info["wat_str"])
        assert seen["confirmed"] and seen["fuel"] == info["used_fuel"] and seen["return_values"] == info["return_values"] == []
        (item,) = info["items"]
        if item is not None:
            asked += 1
            assert ";;INSPECT" in info["wat_str"] and seen["stack_values"] == item["truth"]["stack_values"]
            assert wasmweaver.judge(item, "<OUTPUT>" + str(item["truth"]).replace("'", '"') + "</OUTPUT>")["verdict"] == "correct"
    assert asked > 10


def test_flags_are_asked_about():
    env = gymnasium.make(ID, preset="reachability", post_processor_types=[FlagReachabilityPostProcessor, "fuel"])
    rng = np.random.default_rng(3)
    asked = 0
    for seed in range(60):
        _, _, info = play(env, seed, rng)
        flags, fuel = info["items"]
        if flags is not None:
            asked += 1
            assert ";;FLAG_1" in info["wat_str"]
            assert wasmweaver.inspect(info["wat_str"])["flag_states"] == flags["truth"]["flag_states"]
        assert fuel is None or fuel["truth"]["fuel"] == info["used_fuel"]
    assert asked > 3


def test_a_seed_and_its_actions_repeat_an_episode_and_the_one_after_it():
    env = gymnasium.make(ID)
    first, _, told = play(env, 7, np.random.default_rng(1))
    env.reset()
    second = env.unwrapped._fleet.text(0)
    env.reset(seed=7)
    for action in first:
        *_, info = env.step(action)
    assert info == told
    env.reset()
    assert env.unwrapped._fleet.text(0) == second
    assert play(env, 8, np.random.default_rng(1))[2]["recipe"] != told["recipe"]


def test_what_is_not_legal_fails_the_episode_and_what_is_no_action_is_refused():
    env = wasmweaver.WeaveEnv()
    env.reset(seed=1)
    illegal = int(np.flatnonzero(~env.action_masks())[0])
    for wrong in (-1, env.action_space.n):
        with pytest.raises(ValueError, match="there is no action"):
            env.step(wrong)
    _, reward, over, _, info = env.step(illegal)
    assert (reward, over, info["finish_state"]) == (-1.0, True, "Failed") and "is not legal" in info["failure"]
    assert not env.action_masks().any()
    with pytest.raises(ValueError, match="call reset"):
        env.step(0)


def test_python_pays_what_it_likes():
    def pay(program):
        assert program.used_fuel == program.told["used_fuel"] and program.wat.startswith("(module")
        return program.used_fuel, {"parts": 1.0}

    _, reward, info = play(gymnasium.make(ID, reward_function=pay), 1, np.random.default_rng(1))
    assert reward == info["used_fuel"] == info["reward"] and info["reward_dict"] == {"parts": 1.0}

    class Originals(wasmweaver.AbstractRewardFunction):
        def __call__(self, finish_state, global_state, last, wat_str, run_result, p, tile, dynamic_targets=None):
            values = run_result.post_processors[0].stack_inspector_tile.stack_values
            assert finish_state == "Success" and ";;INSPECT" in wat_str or not values
            return len(values) + 100 * p, {"target": dynamic_targets["fuel_target"]}

    env = gymnasium.make(ID, reward_function=Originals(), **ORIGINAL)
    env.unwrapped.set_progress(0.5)
    rng = np.random.default_rng(2)
    paid = [play(env, seed, rng) for seed in range(20)]
    for _, reward, info in paid:
        item = info["items"][0]
        assert reward == 50 + (0 if item is None else len(item["truth"]["stack_values"]))
        assert info["reward_dict"] == {"target": info["target_fuel"]}
    assert any(reward > 50 for _, reward, _ in paid)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"preset": "stakc"}, "did you mean `stack`"),
        ({"level": 6}, "no level 6"),
        ({"reward_function": "aling"}, "unknown variant `aling`"),
        ({"constraints": [FuelConstraint(9, 3)]}, "minimum is above the maximum"),
        ({"constraints": [ByteCodeSizeConstraint(0, 10)]}, "no program fits"),
        ({"forbidden_instruction_name_tokens": ["lod"]}, "no instruction's name has `lod`"),
        ({"weave": {"limits": {"nestin": 2}}}, "nestin"),
        ({"post_processor_types": ["stakc"]}, "unknown variant `stakc`"),
        ({"input_types": ["i32"]}, "takes no arguments"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(wasmweaver.WeaveError, match=message):
        wasmweaver.WeaveEnv(**arguments)


def test_a_preset_with_places_ends_with_a_place():
    env = wasmweaver.WeaveEnv(preset="stack", post_processor_types=["stack"], probe={"placement": "policy"})
    names = env.action_meanings()
    for seed in range(5):
        actions, _, _ = play(env, seed, np.random.default_rng(seed))
        assert names[actions[-1]].startswith("Place(")


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_many_at_once_are_many_single_ones(mode):
    count, steps = 24, 150
    single = SyncVectorEnv([lambda: gymnasium.make(ID)] * count, autoreset_mode=mode)
    many = gymnasium.make_vec(ID, num_envs=count, autoreset_mode=mode)
    assert many.metadata["autoreset_mode"] == mode and isinstance(many, wasmweaver.VecWeave)
    assert many.single_observation_space == single.single_observation_space
    assert many.observation_space == single.observation_space and many.action_space == single.action_space
    ours, theirs = many.reset(seed=5)[0], single.reset(seed=5)[0]
    assert np.array_equal(ours, theirs)
    over = np.zeros(count, dtype=bool)
    ended = 0
    for step in range(steps):
        masks = many.action_masks()
        singles = np.stack([env.unwrapped.action_masks() for env in single.envs])
        assert np.array_equal(masks[~over], singles[~over])
        actions = many.sample_actions()
        if step % 50 == 7:  # one that is not legal
            actions[3] = np.flatnonzero(~masks[3])[0] if not masks[3].all() else 0
        ours, theirs = many.step(actions), single.step(actions)
        for one, other in zip(ours[:4], theirs[:4]):
            assert np.array_equal(one, other) and one.dtype == other.dtype
        over = ours[2] if mode == AutoresetMode.NEXT_STEP else over
        told, expected = (infos.get("final_info", infos) for infos in (ours[4], theirs[4]))
        for at in np.flatnonzero(ours[2]):
            ended += 1
            program = told["program"][at].info()
            assert program["code"] == expected["code"][at] and program["finish_state"] == expected["finish_state"][at]
            if mode == AutoresetMode.SAME_STEP:
                assert np.array_equal(ours[4]["final_obs"][at], theirs[4]["final_obs"][at])
    assert ended > count


def test_threads_copies_and_when_masks_are_computed_change_nothing():
    made = [
        wasmweaver.VecWeave(64),
        wasmweaver.VecWeave(64, parallel=False, copy=False),
        wasmweaver.VecWeave(64, masks=False),
    ]
    for env in made:
        env.reset(seed=3)
    for _ in range(200):
        actions = [env.sample_actions() for env in made]
        assert all(np.array_equal(actions[0], other) for other in actions[1:])
        shown = [env.step(actions[0])[:4] + (env.action_masks(),) for env in made]
        for one in shown[1:]:
            assert all(np.array_equal(a, b) for a, b in zip(shown[0], one))


def test_a_mask_resets_some():
    env = wasmweaver.VecWeave(3, autoreset_mode="Disabled")
    before, _ = env.reset(seed=1)
    for _ in range(3):
        env.step(env.sample_actions())
    chosen = np.array([True, False, True])
    stepped = env._observations.copy()
    after, _ = env.reset(seed=[1, 99, 3], options={"reset_mask": chosen})
    assert np.array_equal(after[chosen], before[chosen]) and np.array_equal(after[1], stepped[1])
    with pytest.raises(ValueError, match="3 environments, and 2 seeds"):
        env.reset(seed=[1, 2])


def test_the_layout_names_every_feature():
    layout = wasmweaver.observation_layout()
    env = wasmweaver.WeaveEnv(history=3)
    observation, _ = env.reset(seed=1)
    assert max(block.stop for block in layout.values()) == len(observation) - 3
    assert observation[layout["phase"]].sum() == 1
    env.step(np.flatnonzero(env.action_masks())[0])


@pytest.mark.parametrize("level", range(1, 6))
@pytest.mark.parametrize(
    "preset",
    ["aligned", "broad", "everything", "fuel", "paper-reachability", "paper-stack", "reachability", "result", "stack", "tiny"],
)
def test_every_preset_can_be_woven_at_every_level_where_bytes_are_short(preset, level):
    """Uniform chance gets where preferences seldom do: something is legal everywhere, and nothing legal fails."""
    env = wasmweaver.VecWeave(32, preset=preset, level=level, weave={"bytes": {"max": 150}})
    env.reset(seed=level)
    for _ in range(250):
        *_, infos = env.step(env.sample_actions())
        if infos:
            over = infos["_program"]
            assert (infos["bytes"][over] <= 150).all() and (infos["used_fuel"][over] > 0).all()
