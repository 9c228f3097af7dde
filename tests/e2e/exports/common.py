"""What every part of the test needs: the binary, a place for files, the endpoint, and comparing verdicts."""

import json
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

MODEL = "sim/novice"


class Bench:
    """The binary under test, and a folder of its own for what it writes."""

    def __init__(self, harness: str, work: Path, limit: int) -> None:
        self.harness, self.work = str(Path(harness).resolve()), work.resolve()
        self.items = ["--suite", "standard", "--seed", "3", "--limit", str(limit)]
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)

    def call(self, *args: str, code: int = 0) -> subprocess.CompletedProcess:
        """Runs the binary; fails unless it ends with this exit code."""
        done = subprocess.run([self.harness, *args], cwd=self.work, env=clean(), capture_output=True, text=True)
        if done.returncode != code:
            raise SystemExit(f"harness {' '.join(args)}: exit code {done.returncode}, not {code}\n{done.stderr}")
        return done

    def json(self, *args: str) -> dict:
        """The object that the binary prints."""
        return json.loads(self.call(*args, "--json").stdout)

    def export(self, to: str, *args: str) -> Path:
        """Exports what is named, or the items of the test, into a folder of the format's name."""
        self.call("export", "--to", to, "--out", to, *(args or self.items))
        return self.work / to

    @contextmanager
    def serve(self):
        """The endpoint, up to and without `/chat/completions`, while it runs."""
        args = [self.harness, "serve", "--addr", "127.0.0.1:0", "--json"]
        server = subprocess.Popen(args, cwd=self.work, env=clean(), stdout=subprocess.PIPE, text=True)
        try:
            yield json.loads(server.stdout.readline())["base_url"]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=10)


def clean(**more: str) -> dict:
    """The environment without what would lead elsewhere."""
    foreign = ("OPENAI_", "AZURE_", "INSPECT_", "LM_HARNESS_", "HF_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, **more}


def lines(path: Path) -> list[dict]:
    """The objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def records(run: Path) -> dict[str, dict]:
    """The records of an evaluation by item."""
    return {record["id"]: record for record in lines(run / "records.jsonl")}


def same(who: str, expected: dict[str, str], given: dict[str, str]) -> None:
    """Ends the test at the first item whose verdict is another one."""
    for item in sorted(expected.keys() | given.keys()):
        if expected.get(item) != given.get(item):
            raise SystemExit(f"{item}: harness eval says {expected.get(item)}, {who} says {given.get(item)}")
    right = sum(verdict == "correct" for verdict in given.values())
    print(f"{who}: {len(given)} verdicts equal, {right} of them correct", flush=True)
