"""The pages of Puddle, and what can be read from them: programs, commands, words in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "puddle"
PAGES = sorted(FOLDER.glob("*.md"))
_SNIPPET = re.compile(
    r"^(?P<not_run><!-- not run: [^\n]+ -->\n)?```python\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def text_of(name: str) -> str:
    """A page."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def program(name: str) -> str:
    """A page's Python, each snippet on the line it has in the page, so that a traceback points there."""
    text = text_of(name)
    lines = [""] * text.count("\n")
    for snippet in _SNIPPET.finditer(text):
        if not snippet["not_run"]:
            start = text.count("\n", 0, snippet.start("code"))
            code = snippet["code"].splitlines()
            lines[start : start + len(code)] = code
    return "\n".join(lines)


def blocks(name: str, language: str) -> list[str]:
    """A page's blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(name), re.DOTALL | re.MULTILINE)


def shell(name: str) -> str:
    """A page's shell commands that a reader can run as they are."""
    return "\n".join(blocks(name, "sh"))


def codes(*names: str) -> Iterator[str]:
    """Everything in pages that is written as code."""
    for name in names:
        yield from _CODE.findall(text_of(name))


def named(word: str, *names: str) -> bool:
    """Whether a word stands in pages as code."""
    found = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)")
    return any(found.search(code) for code in codes(*names))


def first_cells(name: str, heading: str) -> list[str]:
    """The words in code in the first column of the table under (or after) a heading or a table's head."""
    _, found, rest = text_of(name).partition(heading)
    assert found, f"{name}.md has no {heading!r}"
    cells: list[str] = []
    for line in rest.splitlines():
        if line.startswith("| `"):
            cells += re.findall(r"`([^`]+)`", line.split("|")[1])
        elif cells:
            break
    return cells
