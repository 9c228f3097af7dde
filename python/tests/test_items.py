"""The functions: the same for any number of threads, the library's own words for mistakes, and no lock held."""

import itertools
import threading
import time

import pytest

import wasmweaver

#: The original's own example, with what its INSPECT sees.
EXAMPLE = """(module (func (export "run")
i32.const 2
i32.const 3
i32.add
i32.const 2
i32.mul
f32.const 1.5
;;INSPECT
f32.const 2.5
f32.add
drop
drop))"""
TRUTH = {"stack_values": [{"type": "i32", "value": "10"}, {"type": "f32", "value": "1.5"}]}

#: A function that returns nothing leaves nothing to ask about its results.
NOTHING = {"weave": {"limits": {"results": 0, "min_results": 0}}}


def test_items_are_the_same_for_any_number_of_threads_and_can_be_left():
    one = list(wasmweaver.generate("stack", n=30, seed=3, threads=1))
    assert one == list(wasmweaver.generate("stack", n=30, seed=3, threads=3)) and len(one) == 30
    assert one[:5] == list(itertools.islice(wasmweaver.generate("stack", n=10**6, seed=3), 5))
    assert len({item["canonical"] for item in one}) == 30
    for item in one[:5]:
        assert wasmweaver.inspect(item["program"])["stack_values"] == item["truth"]["stack_values"]


def test_settings_take_the_place_of_the_presets():
    items = list(wasmweaver.generate("fuel", n=20, settings={"weave": {"fuel": {"min": 10, "max": 20}}}))
    assert all(item["truth"]["fuel"] <= 20 for item in items)


def test_the_originals_example_is_read():
    seen = wasmweaver.inspect(EXAMPLE)
    assert seen["stack_values"] == TRUTH["stack_values"] and seen["confirmed"]
    assert seen == wasmweaver.inspect(EXAMPLE.encode())
    trapped = wasmweaver.inspect('(module (func (export "run") unreachable))')
    assert trapped["trap"]["message"] == "unreachable" and trapped["return_values"] is None


def test_verdicts():
    right = '<OUTPUT>{"stack_values": [{"type": "i32", "value": "10"}, {"type": "f32", "value": "1.5"}]}</OUTPUT>'
    assert wasmweaver.judge(TRUTH, right) == {"verdict": "correct", "slots": [True, True], "wrong_share": 0.0}
    half = right.replace("1.5", "2.5")
    assert wasmweaver.judge({"truth": TRUTH}, half) == {"verdict": "wrong", "slots": [True, False], "wrong_share": 0.5}
    assert wasmweaver.judge(TRUTH, "no idea")["verdict"] == "invalid_format"
    assert wasmweaver.judge(TRUTH, right, finish_reason="length")["verdict"] == "truncated"
    assert wasmweaver.judge(TRUTH, None, refusal="no")["verdict"] == "refusal"
    near = right.replace("1.5", "1.5000001")
    assert wasmweaver.judge(TRUTH, near)["verdict"] == "wrong"
    assert wasmweaver.judge(TRUTH, near, float_tolerance=1e-5)["verdict"] == "correct"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: wasmweaver.generate("stakc"), "stakc"),
        (lambda: wasmweaver.generate(preset="nothing"), "the program itself carries"),
        (lambda: wasmweaver.generate(n=0), "at least 1"),
        (lambda: list(wasmweaver.generate("result", n=5, settings=NOTHING)), "made an item"),
        (lambda: wasmweaver.inspect("(module"), "expected"),
        (lambda: wasmweaver.inspect(EXAMPLE, invoke="walk"), "no function `walk`"),
        (lambda: wasmweaver.inspect(EXAMPLE, args=[1]), "one too many"),
        (lambda: wasmweaver.judge({"stack": []}, ""), "this is no truth"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(wasmweaver.WeaveError, match=message):
        call()


def test_others_run_meanwhile():
    """Another thread counts while items are made: it could not if this one held the lock."""
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0.0005)

    other = threading.Thread(target=count)
    other.start()
    next(wasmweaver.generate("stack", n=1, seed=1, threads=1))
    stop.set()
    other.join()
    assert counted[0] > 5
