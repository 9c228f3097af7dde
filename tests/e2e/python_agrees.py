"""Holds the functions of the Python package against the `harness` binary given: items, inspections and verdicts."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import wasmweaver

HARNESS = sys.argv[1]
ITEMS = 40
SEED = 11


def harness(*args: str) -> str:
    return subprocess.run([HARNESS, *args], check=True, capture_output=True, text=True).stdout


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


with tempfile.TemporaryDirectory() as folder:
    place = Path(folder)

    made = 0
    for task in ("stack", "reachability", "result", "fuel"):
        out = place / task
        harness("generate", "--task", task, "-n", str(ITEMS), "--seed", str(SEED), "--out", str(out))
        (written,) = out.glob("*.jsonl")
        ours = list(wasmweaver.generate(task, n=ITEMS, seed=SEED, threads=3))
        assert ours == lines(written), f"items of {task}"
        made += len(ours)

    inspected = 0
    for task in ("stack", "reachability"):
        for item in wasmweaver.generate(task, n=10, seed=SEED):
            module = place / "module.wat"
            module.write_text(item["program"])
            assert wasmweaver.inspect(item["program"]) == json.loads(harness("inspect", "--json", str(module)))
            inspected += 1

    run = place / "run"
    harness("eval", "--task", "stack", "--limit", str(ITEMS), "--model", "sim/novice", "--log-dir", str(run))
    (records,) = run.rglob("records.jsonl")
    judged, verdicts = 0, set()
    for record in lines(records):
        answer = record["answer"]
        verdict = wasmweaver.judge(record, answer.get("reply"), finish_reason=answer.get("finish_reason"))
        assert verdict["verdict"] == answer["verdict"] and verdict["slots"] == answer["slots"], record["id"]
        assert verdict["wrong_share"] == answer.get("wrong_share"), record["id"]
        verdicts.add(answer["verdict"])
        judged += 1
    assert verdicts >= {"correct", "wrong"}, verdicts

print(f"python agrees with harness: {made} items, {inspected} inspections and {judged} verdicts are the same")
