# ruff: noqa: INP001  # a script, not a package
"""Write what the pages of Puddle have from the code: ``python tools/make_puddle_pages.py``; a test asks for freshness.

A page says ``<!-- made: states -->`` where the table of states begins and ``<!-- made end -->`` where it ends; what
stands between is replaced. `MAKERS` has all there is to ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

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


def commands() -> str:
    """Return all commands, in the order of `puddle --help`, and what each does."""
    import typer.main

    from puddle.cli import app

    lines = ["| command | does |", "|---|---|"]
    lines += [f"| `{name}` | {_sentences(command.help)} |" for name, command in _commands(typer.main.get_command(app))]
    return "\n".join(lines) + "\n"


def _commands(group: Any, before: str = "puddle") -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        command = group.commands[name]
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before} {name}")
        elif not command.hidden:
            yield f"{before} {name}", command


def _sentences(help_text: str) -> str:
    return " ".join(help_text.partition("\n\n")[0].split())


def exit_codes() -> str:
    """Return what the exit codes of commands mean."""
    from puddle._cli.failures import EXIT_CODES

    return (
        "\n".join(["| code | means |", "|---|---|", *(f"| {code} | {it} |" for code, it in EXIT_CODES.items())]) + "\n"
    )


MAKERS: Mapping[str, Callable[[], str]] = {
    "states": states,
    "permissions": permissions,
    "settings": settings,
    "methods": methods,
    "commands": commands,
    "exit-codes": exit_codes,
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
