"""Exports, loaded by the tools that they are for. Arguments: the binary, a folder for files, items of each task."""

import sys
from pathlib import Path

import batches
import endpoint
import grader
import peers
import tables
from common import MODEL, Bench, records, same


def main(harness: str, work: str, limit: str, replies: str) -> None:
    bench = Bench(harness, Path(work), int(limit))
    figures = bench.json("eval", *bench.items, "--model", MODEL, "--log-dir", "runs")
    run = bench.work / figures["run_dir"]
    expected = {item: record["answer"]["verdict"] for item, record in records(run).items()}
    accuracy = {row["task"]: row["accuracy_strict"] for row in figures["rows"]}
    assert len(accuracy) == 4 and len(set(expected.values())) > 1, "all tasks, and items of both kinds"
    same("harness eval", expected, expected)
    tables.hugging_face(bench, run, expected)
    sys.path.insert(0, str(bench.work / "hf"))
    from grade import grade

    grader.check(bench, run, grade, int(replies))
    with bench.serve() as url:
        endpoint.check(url, run)
        batches.check(bench, url, run)
        peers.lm_eval(bench, url, expected, accuracy)
        peers.inspect(bench, url, run, expected)
    tables.duckdb(bench, run, figures)
    print(
        f"exports: {len(expected)} items of 4 tasks have the verdicts of harness eval in lm-evaluation-harness, Inspect, "
        f"datasets, and a batch of OpenAI's client; grade.py agrees with the judge on {replies} replies; DuckDB ran "
        "docs/duckdb.md"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
