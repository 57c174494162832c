# ruff: noqa: INP001  # a script, not a package
"""Write what the pages of Puddle have from the code: ``python tools/make_puddle_pages.py``; a test asks for freshness.

A page says ``<!-- made: states -->`` where the table of states begins and ``<!-- made end -->`` where it ends; what
stands between is replaced. `MAKERS` has all there is to ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "puddle"
_PART = re.compile(r"(?P<begin><!-- made: (?P<what>[\w-]+) -->\n).*?(?P<end><!-- made end -->)", re.DOTALL)


def states() -> str:
    """Return the table of states."""
    from puddle.server.domain.states import as_markdown

    return as_markdown()


def permissions() -> str:
    """Return who may call what."""
    from puddle.server.domain.permissions import as_markdown

    return as_markdown()


def settings() -> str:
    """Return all settings, a table for each section."""
    from puddle._cli.settings_page import as_markdown

    return as_markdown()


def methods() -> str:
    """Return what can be called, what it takes and what it gives."""
    from puddle.server.transports.table import described

    lines = ["| method | takes | gives |", "|---|---|---|"]
    for name, method in described():
        gives = f"a stream of {method.output_type.name}" if method.server_streaming else method.output_type.name
        lines.append(f"| {name} | {method.input_type.name} | {gives} |")
    return "\n".join(lines) + "\n"


MAKERS: Mapping[str, Callable[[], str]] = {
    "states": states,
    "permissions": permissions,
    "settings": settings,
    "methods": methods,
}


def made(text: str) -> str:
    """Return a page with all that is made in it made anew. Raises KeyError where a page asks for what is not there."""
    return _PART.sub(lambda part: f"{part['begin']}\n{MAKERS[part['what']]()}\n{part['end']}", text)


def main() -> None:
    """Write the pages that have changed."""
    for page in sorted(PAGES.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = made(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(page.relative_to(ROOT))  # noqa: T201 -- a script tells what it did


if __name__ == "__main__":
    main()
