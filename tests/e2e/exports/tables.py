"""`datasets` and pyarrow load the exported data set; DuckDB runs every query of docs/duckdb.md over exported records."""

import importlib.util
import json
import os
import re
import struct
from pathlib import Path

from common import Bench, lines, records, same

PAGE = Path(__file__).parents[3] / "docs" / "duckdb.md"


def bits_of(ty: str, text: str) -> str:
    """The bits of a number's text, worked out here from nothing but the text."""
    if ty in ("i32", "i64"):
        digits = int(ty[1:]) // 4
        return f"0x{int(text) % (1 << (4 * digits)):0{digits}x}"
    form, whole = ("<f", "<I") if ty == "f32" else ("<d", "<Q")
    return f"0x{struct.unpack(whole, struct.pack(form, float(text)))[0]:0{2 * struct.calcsize(form)}x}"


def hugging_face(bench: Bench, run: Path, expected: dict[str, str]) -> None:
    """Loads the folder as a user would, grades the replies of the run with the grader in it."""
    os.environ.update(HF_HOME=str(bench.work / "hf-home"), HF_HUB_OFFLINE="1")
    import datasets
    import pyarrow.parquet
    from huggingface_hub import DatasetCard

    datasets.disable_progress_bars()
    folder = bench.export("hf", str(run))
    card = DatasetCard.load(folder / "README.md")
    configs = [config["config_name"] for config in card.data.configs]
    assert configs == ["all", "stack", "reachability", "result", "fuel"] and card.data.license == "mit", card.data
    assert sorted(datasets.get_dataset_config_names(str(folder))) == sorted(configs)
    everything = datasets.load_dataset(str(folder), split="test")
    parts = {name: datasets.load_dataset(str(folder), name, split="test") for name in configs[1:]}
    assert sum(part.num_rows for part in parts.values()) == everything.num_rows
    items = {item["id"]: item for item in lines(run / "items.jsonl")}
    assert set(everything["id"]) == items.keys(), "the data set has other items"
    spec = importlib.util.spec_from_file_location("grade", folder / "grade.py")
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    replies, verdicts = records(run), {}
    for row in everything:
        item = items[row["id"]]
        truth = json.loads(row["answer"])
        assert truth == item["truth"] and row["program"] == item["program"] and row["fuel"] == item["fuel"], row["id"]
        assert row["program"] in row["messages"][-1]["content"] and row["messages"][-1]["role"] == "user", row["id"]
        values = truth.get("stack_values", truth.get("return_values", []))
        for value, ty, bits in zip(values, row["types"], row["bits"], strict=True):
            if ty in ("i32", "i64", "f32", "f64") and value["value"] != "nan":
                assert (value["type"], bits_of(ty, value["value"])) == (ty, bits), (row["id"], value, bits)
        reply = replies[row["id"]]["answer"]
        verdicts[row["id"]] = grader.grade(reply["reply"], row["answer"], reply["finish_reason"])["verdict"]
    same("datasets with grade.py", expected, verdicts)
    for task, part in parts.items():
        table = pyarrow.parquet.read_table(folder / "data" / task / "test-00000-of-00001.parquet")
        assert table.column("id").to_pylist() == part["id"], task
        chunk = pyarrow.parquet.ParquetFile(folder / "data" / task / "test-00000-of-00001.parquet").metadata
        assert chunk.row_group(0).column(0).compression == "SNAPPY", chunk
    print(f"pyarrow: {everything.num_rows} rows in {len(parts)} tables, read as datasets reads them", flush=True)


def duckdb(bench: Bench, run: Path, figures: dict) -> None:
    """Every query of the page, in order; those with a figure that harness tells, too, against it."""
    import duckdb
    import pyarrow.parquet

    models = ["--model", "sim/oracle", "--model", "guess/zero"]
    others = bench.json("eval", "--items", str(run), *models, "--log-dir", "runs")
    attack = bench.json("attack", "--query-budget", "150", "--log-dir", "runs")
    for folder in (run, bench.work / others["run_dir"], bench.work / attack["run_dir"]):
        bench.call("export", "--to", "parquet", str(folder), "--out", f"tables/{folder.name}")
        table = pyarrow.parquet.read_table(bench.work / "tables" / folder.name / "records.parquet")
        assert table.num_rows == len(lines(folder / "records.jsonl")), folder
    os.chdir(bench.work)
    queries = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    connection, results = duckdb.connect(), []
    for query in queries:
        try:
            result = connection.execute(query)
            names = [column[0] for column in result.description]
            results.append([dict(zip(names, row)) for row in result.fetchall()])
        except duckdb.Error as error:
            raise SystemExit(f"docs/duckdb.md: {error}\n{query}") from error
        if not query.startswith(("CREATE", "COPY")):
            assert results[-1], f"docs/duckdb.md: no row for\n{query}"

    def found(*columns: str) -> list[dict]:
        return next(rows for rows in results if rows and list(rows[0])[: len(columns)] == list(columns))

    told = {(row["model"], row["task"]): row for row in figures["rows"] + others["rows"]}
    board = found("fingerprint", "model", "task", "items")
    assert len(board) == len(told), board
    for row in board:
        expected = told[row["model"], row["task"]]
        assert row["fingerprint"] == figures["fingerprint"] and row["items"] == expected["items"], row
        assert abs(row["strict"] - expected["accuracy_strict"]) < 1e-4, (row, expected)
    (unique,) = found("run", "model", "task", "misses")
    assert unique["unique_misses"] == attack["unique_misses"], (unique, attack["unique_misses"])
    summary = found("model", "task", "strict")
    assert {(row["model"], row["task"], row["strict"]) for row in summary} == {
        (row["model"], row["task"], row["strict"]) for row in board
    }
    fuel = {row["model"] for row in found("model", "items", "strict")}
    assert fuel == {model for model, _ in told}, fuel
    print(f"DuckDB: {len(queries)} statements of docs/duckdb.md, figures as harness tells them", flush=True)
