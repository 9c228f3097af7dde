# Inspect.

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import CORRECT, INCORRECT, Score, accuracy, grouped, scorer, stderr
from inspect_ai.solver import generate


@scorer(metrics=[accuracy(), stderr(), grouped(accuracy(), "task", all=False)])
def exact():
    """Right if every value is; the verdict stands in the explanation, what is right of it in the metadata."""

    async def score(state, target):
        graded = grade(state.output.completion, target.text, state.output.stop_reason)
        value = CORRECT if graded["verdict"] == "correct" else INCORRECT
        return Score(value=value, answer=state.output.completion, explanation=graded["verdict"], metadata=graded)

    return score


@task
def wasmweaver(only: str = ""):
    """Every item, or with `-T only=stack` those of one task."""
    items = json_dataset(str(Path(__file__).parent / "items.jsonl"))
    if only:
        items = items.filter(lambda sample: sample.metadata["task"] == only)
    return Task(dataset=items, solver=generate(), scorer=exact(), config=GenerateConfig(seed=0))
