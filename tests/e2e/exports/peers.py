"""lm-evaluation-harness and Inspect run the exported tasks against the endpoint of `harness serve`."""

import json
import subprocess
import sys
from pathlib import Path

from common import MODEL, Bench, clean, lines, same


def run(args: list[str], folder: Path, **env: str) -> None:
    """Runs a tool of the virtual environment; shows what it said if it fails."""
    tool = Path(sys.executable).parent / args[0]
    done = subprocess.run([str(tool), *args[1:]], cwd=folder, env=clean(**env), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(args)}: exit code {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")


def lm_eval(bench: Bench, url: str, expected: dict[str, str], accuracy: dict[str, float]) -> None:
    """Verdicts by item from the samples that it logs, accuracies by task from its results."""
    folder = bench.export("lm-eval")
    model = f"model={MODEL},base_url={url}/chat/completions,num_concurrent=4"
    args = ["lm_eval", "run", "--include_path", ".", "--tasks", "wasmweaver_standard_1", "--apply_chat_template"]
    args += ["--model", "local-chat-completions", "--model_args", model, "--log_samples", "--output_path", "results"]
    run(args, folder, HF_HOME=str(bench.work / "hf-home"), OPENAI_API_KEY="none", HF_HUB_OFFLINE="1")
    verdicts = {}
    for path in sorted((folder / "results").rglob("samples_*.jsonl")):
        for sample in lines(path):
            right, answered = sample["acc"] == 1.0, sample["answered"] == 1.0
            verdicts[sample["doc"]["id"]] = "correct" if right else "wrong" if answered else "not answered"
    same("lm-evaluation-harness", expected, verdicts)
    (results,) = (folder / "results").rglob("results_*.json")
    told = json.loads(results.read_text(encoding="utf-8"))["results"]
    for task, share in accuracy.items():
        given = told[f"wasmweaver_standard_1_{task}"]["acc,none"]
        assert abs(given - share) < 1e-9, f"{task}: harness eval says {share}, lm-evaluation-harness says {given}"
    whole = sum(verdict == "correct" for verdict in expected.values()) / len(expected)
    given = told["wasmweaver_standard_1"]["acc,none"]
    assert abs(given - whole) < 1e-9, f"the group: harness eval says {whole}, lm-evaluation-harness says {given}"


def inspect(bench: Bench, url: str, source: Path, expected: dict[str, str]) -> None:
    """Verdicts from the explanations of the scores."""
    from inspect_ai.log import read_eval_log

    folder = bench.export("inspect", str(source))
    args = ["inspect", "eval", "wasmweaver.py", "--model", f"openai-api/local/{MODEL}", "--display", "none"]
    args += ["--log-format", "json", "--log-dir", "logs", "--no-fail-on-error"]
    run(args, folder, LOCAL_API_KEY="none", LOCAL_BASE_URL=url)
    (path,) = (folder / "logs").glob("*.json")
    log = read_eval_log(str(path))
    assert log.status == "success", f"Inspect ended with {log.status}: {log.error}"
    same("Inspect", expected, {str(sample.id): sample.scores["exact"].explanation for sample in log.samples})
    whole = sum(verdict == "correct" for verdict in expected.values()) / len(expected)
    given = next(score.metrics["accuracy"].value for score in log.results.scores if "accuracy" in score.metrics)
    assert abs(given - whole) < 1e-9, f"harness eval says {whole}, Inspect says {given}"
    run([*args, "-T", "only=fuel", "--log-dir", "logs-fuel"], folder, LOCAL_API_KEY="none", LOCAL_BASE_URL=url)
    (path,) = (folder / "logs-fuel").glob("*.json")
    fuel = {item: verdict for item, verdict in expected.items() if item.startswith("fuel")}
    log = read_eval_log(str(path))
    same("Inspect, one task", fuel, {str(one.id): one.scores["exact"].explanation for one in log.samples})
