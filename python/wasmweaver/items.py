"""Labelled items, answers about any module, and verdicts: the verbs of ``harness`` as functions. All of them work without the
interpreter lock; what makes no sense raises :class:`wasmweaver.WeaveError`, a ``ValueError``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from . import _wasmweaver

Task = Literal["stack", "reachability", "result", "fuel"]

#: What a binary module begins with.
MAGIC = b"\0asm"


def generate(
    task: Task | None = None,
    preset: str | None = None,
    n: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    *,
    level: int = 3,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """The items that ``harness generate`` makes with the same arguments, one dict after the other: each confirmed by
    wasmtime, no two with the same canonical form, the same for any number of threads. They are made on other threads
    while the caller works; whoever stops early lets go of the iterator.

    Args:
        task: What is asked; without it, what the preset asks.
        preset: A name that the package carries, or a file; without it, that of the task.
        n: How many items.
        seed: Of everything random.
        threads: By default one for each processor.
        level: Difficulty, 1 to 5; 3 as the preset is written.
        settings: Sections of the preset in the place of its own, as in ``{"weave": {"fuel": {"max": 30}}}``.

    Raises:
        WeaveError: For settings that make no sense, or that leave too little to ask about.
    """
    if n < 1:
        raise _wasmweaver.WeaveError(f"n is {n}; ask for at least 1 item")
    count = threads or os.cpu_count() or 1
    items = _wasmweaver.generate(
        task, preset or task or "stack", level, json.dumps(dict(settings or {})), n, seed, count
    )
    return map(json.loads, items)


def inspect(
    module: str | bytes,
    invoke: str = "run",
    args: Sequence[Any] = (),
    hit: int | None = None,
    fuel: int = 10_000_000,
    strict: bool = False,
) -> dict[str, Any]:
    """What ``harness inspect --json`` says of a module, given as text or as bytes of either format: every ``;;INSPECT`` and
    ``;;FLAG_n`` answered, what the function returns, the fuel, and whether wasmtime confirms it. A trap is an answer too,
    under ``trap``.

    Args:
        module: The module itself, not its file.
        invoke: The exported function that is called.
        args: Its arguments; those that are left out are zero.
        hit: Which arrival at an INSPECT is meant, from 1; by default the one that its comment names, or the first.
        fuel: At most.
        strict: Refuse imports; else zeros stand in for them.
    """
    text, binary = (module, b"") if isinstance(module, str) else (None, bytes(module))
    if text is None and not binary.startswith(MAGIC):
        text = binary.decode()
    return json.loads(_wasmweaver.inspect(text, binary, invoke, [str(arg) for arg in args], hit, fuel, strict))


def judge(
    item_or_truth: Mapping[str, Any],
    reply: str | None,
    *,
    finish_reason: str | None = "stop",
    refusal: str | None = None,
    float_tolerance: float | None = None,
) -> dict[str, Any]:
    """The verdict on a model's reply, as ``harness eval`` gives it: ``verdict`` (``correct``, ``wrong``, ``invalid_format``,
    ``refusal``, ``no_response`` or ``truncated``), ``slots`` (which values of the truth are right) and ``wrong_share``.

    Args:
        item_or_truth: An item, or its ``truth``: ``{"stack_values": [{"type": "i32", "value": "30"}]}``.
        reply: The text; the last ``<OUTPUT>...</OUTPUT>`` counts, or the last JSON object with the task's key.
        finish_reason: Why the model stopped, in the provider's words.
        refusal: The provider's refusal text.
        float_tolerance: Take floats this near to the truth, as the original does; by default they must have its bits.
    """
    truth = item_or_truth.get("truth", item_or_truth)
    return json.loads(_wasmweaver.judge(json.dumps(truth), reply, finish_reason, refusal, float_tolerance))
