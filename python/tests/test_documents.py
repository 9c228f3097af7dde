"""The Python blocks of README.md and python/README.md run as they stand, one after the other."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: Path) -> list[str]:
    """What stands between the fences of Python blocks."""
    return [part.split("```", 1)[0] for part in page.read_text(encoding="utf-8").split("```python\n")[1:]]


@pytest.mark.parametrize("page", ["README.md", "python/README.md"])
def test_what_a_page_shows_runs(page):
    found = blocks(ROOT / page)
    assert found, "a page without Python"
    # What a reader has of his own.
    names = {"reply_of_a_model": '<OUTPUT>{"flags": {}}</OUTPUT>'}
    for block in found:
        if "sb3" in block:
            # `tests/e2e/python.sh train` has it, and trains as long as the page does.
            continue
        exec(compile(block, page, "exec"), names)
