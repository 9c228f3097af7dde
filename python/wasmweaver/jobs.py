"""Attacks, evaluations and reports: the verbs of ``harness`` as functions. A model is a name, as ``--model`` takes it, or any
callable ``messages -> reply``. All of them work without the interpreter lock; Ctrl-C ends them in good order, and a run that
was stopped goes on with ``resume=``. What makes no sense raises :class:`wasmweaver.WeaveError`; what a callable raises ends the
run, and is raised."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from . import _wasmweaver
from .items import Task

#: The conversation as dicts of ``role`` and ``content``; returns the reply, or ``None`` where there is none.
Model = Callable[[list[dict[str, str]]], str | None]
#: Told of each event: ``{"event": "answered", "data": {...}}``.
OnEvent = Callable[[dict[str, Any]], object]
Path = str | os.PathLike[str]
Strategy = Literal["ppo", "random", "evolve", "map-elites"]


def _sides(model: str | Model, on_event: OnEvent | None) -> tuple[str, Any, Any]:
    """The model's name, what answers in its place, and who is told; both take JSON."""
    told = None if on_event is None else lambda text: on_event(json.loads(text))
    if isinstance(model, str):
        return model, None, told
    name = getattr(model, "__name__", type(model).__name__).strip("<>")
    return f"python/{name}", lambda text: model(json.loads(text)), told


def _wish(log_dir: Path, resume: Path | None, **others: Any) -> str:
    where = {"log_dir": os.fspath(log_dir), "resume": None if resume is None else os.fspath(resume)}
    return json.dumps(where | others)


def attack(
    model: str | Model,
    *,
    preset: str = "stack",
    strategy: Strategy = "ppo",
    query_budget: int | None = None,
    seed: int = 0,
    baseline: bool | None = None,
    log_dir: Path = "results",
    resume: Path | None = None,
    max_connections: int | None = None,
    cost_limit: float | None = None,
    time_limit: int | None = None,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Weaves programs that the model gets wrong, as ``harness attack`` does; returns its figures, with ``run_dir`` and
    ``status``.

    Args:
        model: A name, or a callable.
        preset: A name that the package carries, or a file.
        strategy: Who chooses the programs.
        query_budget: Questions to spend, confirmations included; 2,000 by default.
        seed: Of everything random.
        baseline: Whether random programs are asked about beside it; by default only where asking is free.
        log_dir: Where the run goes.
        resume: A run to go on with, by its own plan; ``model`` answers.
        max_connections: Questions in flight at once.
        cost_limit: Dollars.
        time_limit: Seconds.
        on_event: Told of each event.
    """
    wish = _wish(
        log_dir,
        resume,
        preset=preset,
        strategy=strategy,
        query_budget=query_budget,
        seed=seed,
        baseline=baseline,
        max_connections=max_connections,
        cost_limit=cost_limit,
        time_limit=time_limit,
    )
    return json.loads(_wasmweaver.attack(*_sides(model, on_event), wish))


def evaluate(
    model: str | Model,
    *,
    suite: str = "standard",
    tasks: Sequence[Task] = (),
    limit: int | None = None,
    epochs: int = 1,
    seed: int = 0,
    prompt: str | None = None,
    log_dir: Path = "results",
    resume: Path | None = None,
    max_connections: int | None = None,
    cost_limit: float | None = None,
    time_limit: int | None = None,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Asks the model about the items of a suite, as ``harness eval`` does; returns its figures, with ``run_dir`` and
    ``status``.

    Args:
        model: A name, or a callable.
        suite: A name that the package carries, or a file.
        tasks: These alone; all, if there are none.
        limit: Items of each task at most.
        epochs: How often each item is asked about.
        seed: Of the items.
        prompt: ``"step-by-step"``, ``"answer-only"``, or a file.
        log_dir: Where the run goes.
        resume: A run to go on with, by its own plan; ``model`` answers.
        max_connections: Questions in flight at once.
        cost_limit: Dollars.
        time_limit: Seconds.
        on_event: Told of each event.
    """
    wish = _wish(
        log_dir,
        resume,
        suite=suite,
        tasks=list(tasks),
        limit=limit,
        epochs=epochs,
        seed=seed,
        prompt=prompt,
        max_connections=max_connections,
        cost_limit=cost_limit,
        time_limit=time_limit,
    )
    return json.loads(_wasmweaver.evaluate(*_sides(model, on_event), wish))


def report(
    run: Path | Mapping[str, Any],
    model: Model | None = None,
    *,
    pairs: int | None = None,
    on_event: OnEvent | None = None,
) -> list[dict[str, Any]]:
    """What the model of an attack fails on, as ``harness report`` finds it: one dict for each claim. The page lies in the run.

    Args:
        run: The run directory, or what :func:`attack` returned.
        model: The callable that was attacked, if it was one: minimal pairs are asked of it.
        pairs: Minimal pairs for each claim; by default as many as are free, and none of a callable.
        on_event: Told of each event.
    """
    path = run["run_dir"] if isinstance(run, Mapping) else run
    _, called, told = _sides("" if model is None else model, on_event)
    return json.loads(_wasmweaver.report(os.fspath(path), called, told, pairs))
