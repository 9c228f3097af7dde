"""The official client of OpenAI sends the exported requests through the batch endpoint; `eval --import-batch` judges them."""

import random
import re
import time
from pathlib import Path

from common import MODEL, Bench, lines


def whole_batch(client, requests: Path) -> list[str]:
    """The lines that come back for a file of requests."""
    with requests.open("rb") as file:
        uploaded = client.files.create(file=file, purpose="batch")
    batch = client.batches.create(input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h")
    while batch.status in ("validating", "in_progress", "finalizing"):
        time.sleep(0.05)
        batch = client.batches.retrieve(batch.id)
    assert batch.status == "completed", batch
    assert client.files.retrieve(uploaded.id).bytes == requests.stat().st_size
    assert batch.id in [one.id for one in client.batches.list()]
    files = [name for name in (batch.output_file_id, batch.error_file_id) if name]
    replies = [line for name in files for line in client.files.content(name).text.splitlines()]
    assert batch.request_counts.total == len(replies) == batch.request_counts.completed + batch.request_counts.failed
    assert client.files.delete(uploaded.id).deleted
    return replies


def check(bench: Bench, url: str, run: Path) -> None:
    """The records of the import against those of the evaluation in `run`."""
    import openai

    client = openai.OpenAI(base_url=url, api_key="none")
    folder = bench.export("openai-batch", str(run), "--model", MODEL)
    replies = [line for path in sorted(folder.glob("requests-*.jsonl")) for line in whole_batch(client, path)]
    # A batch promises no order.
    random.Random(1).shuffle(replies)
    half = len(replies) // 2
    for name, part in (("a.jsonl", replies[:half]), ("b.jsonl", replies[half:]), ("double.jsonl", replies[:1])):
        (bench.work / name).write_text("".join(line + "\n" for line in part), encoding="utf-8")
    # The command as the export itself gives it.
    command = re.search(r"^harness (eval .*) --import-batch", (folder / "README.md").read_text(), re.MULTILINE)[1].split()
    imported = bench.work / bench.json(*command, "--log-dir", "runs", "--import-batch", "a.jsonl", "b.jsonl")["run_dir"]
    expected, given = lines(run / "records.jsonl"), lines(imported / "records.jsonl")
    expected.sort(key=lambda record: record["index"])
    for live, back in zip(expected, given, strict=True):
        if live != back:
            differ = [key for key in live if live[key] != back.get(key)]
            raise SystemExit(f"{live['id']}: the record of the import differs in {differ}: {back}")
    print(f"batch: {len(given)} records equal those of harness eval, field by field", flush=True)
    for files, told in ((["a.jsonl"], "have no reply"), (["a.jsonl", "b.jsonl", "double.jsonl"], "has a reply at")):
        said = bench.call(*command, "--log-dir", "runs", "--import-batch", *files, code=2).stderr
        assert told in said, said
    try:
        client.batches.retrieve("batch_none")
    except openai.NotFoundError:
        return
    raise SystemExit("a batch that is none was found")
