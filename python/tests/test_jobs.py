"""Jobs from Python: attacks, evaluations and reports of models by name and of callables."""

import json

import pytest
import wasmweaver


def zero(messages):
    """Says that there is one zero, whatever is asked."""
    assert messages[-1]["role"] == "user"
    key = "return_values" if "return_values" in messages[-1]["content"] else "stack_values"
    return f'<OUTPUT>{{"{key}": [0]}}</OUTPUT>'


def test_an_attack_on_a_name_is_that_of_harness(tmp_path):
    events = []
    told = wasmweaver.attack(
        "sim/unsigned-as-signed",
        strategy="evolve",
        query_budget=60,
        seed=7,
        log_dir=tmp_path,
        baseline=False,
        on_event=events.append,
    )
    assert told["status"] == "complete" and told["queries"] == 60
    answered = [event["data"] for event in events if event["event"] == "answered"]
    assert len(answered) == 60 and events[-1]["event"] == "ended"
    lines = (tmp_path / told["run_dir"].split("/")[-1] / "records.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    misses = sum(record["answer"]["verdict"] == "wrong" for record in records if record["purpose"] == "attack")
    assert misses == told["misses"] == sum(
        one["record"]["answer"]["verdict"] == "wrong" for one in answered if one["record"]["purpose"] == "attack"
    )
    # What is complete is only looked at.
    assert wasmweaver.attack("sim/novice", resume=told["run_dir"])["misses"] == misses


def test_a_callable_is_a_model(tmp_path):
    told = wasmweaver.evaluate(zero, suite="smoke", tasks=["stack", "result"], limit=10, log_dir=tmp_path)
    assert told["status"] == "complete"
    rows = {row["task"]: row for row in told["rows"]}
    assert {row["model"] for row in told["rows"]} == {"python/zero"}
    items = [json.loads(line) for line in open(f"{told['run_dir']}/items.jsonl")]
    for task, row in rows.items():
        verdicts = [wasmweaver.judge(item, zero([{"role": "user", "content": item["truth"].__repr__()}])) for item in items if item["task"] == task]
        assert row["verdicts"].get("correct", 0) == sum(verdict["verdict"] == "correct" for verdict in verdicts)


def test_what_a_callable_raises_ends_the_run_and_it_goes_on(tmp_path):
    asked = []

    def once_in_a_while(messages):
        asked.append(1)
        if len(asked) == 6:
            raise KeyError("my own trouble")
        return zero(messages)

    with pytest.raises(KeyError, match="my own trouble"):
        wasmweaver.attack(once_in_a_while, strategy="random", query_budget=20, max_connections=1, log_dir=tmp_path)
    (run,) = tmp_path.iterdir()
    assert len((run / "records.jsonl").read_text().splitlines()) == 5
    told = wasmweaver.attack(once_in_a_while, resume=run)
    assert told["status"] == "complete" and told["queries"] == 20 and len(asked) == 21
    assert told["run_dir"] == str(run)


def test_a_report_has_the_claims(tmp_path):
    told = wasmweaver.attack("sim/shift-unmasked", strategy="evolve", query_budget=400, seed=1, log_dir=tmp_path)
    claims = wasmweaver.report(told)
    assert claims and any("sh" in claim["what"] or "rot" in claim["what"] for claim in claims), claims
    assert {"what", "status"} <= set(claims[0])


def test_what_makes_no_sense_is_refused(tmp_path):
    with pytest.raises(wasmweaver.WeaveError, match="no strategy"):
        wasmweaver.attack("sim/novice", strategy="luck", log_dir=tmp_path)
    with pytest.raises(wasmweaver.WeaveError, match="sim/nobody"):
        wasmweaver.attack("sim/nobody", log_dir=tmp_path)
    with pytest.raises(wasmweaver.WeaveError, match="suite"):
        wasmweaver.evaluate("sim/novice", suite="nowhere", log_dir=tmp_path)
    assert not list(tmp_path.iterdir())
