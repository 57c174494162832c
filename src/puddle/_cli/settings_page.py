"""The settings as a file to begin with, and as tables for the documentation."""

from __future__ import annotations

import textwrap

from puddle.server.settings import described

_HEAD = """\
# Settings of `puddle server` and their defaults. Uncomment what you change; the server
# looks for them in /etc/puddle/puddle.toml, or where --config says.
"""
_WIDTH = 95


def as_toml() -> str:
    """Return a file of settings in which everything is commented out: as it is, it changes nothing."""
    lines: list[str] = [_HEAD]
    section = ""
    for key, default, meaning in described():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            lines += ["", f"#[[{table[:-2]}]]" if table.endswith("[]") else f"[{table}]"]
        lines += [f"# {line}" for line in textwrap.wrap(meaning.replace("``", "`"), _WIDTH)]
        lines.append(f"#{name} = {default or '…'}")
    return "\n".join(lines) + "\n"


def as_markdown() -> str:
    """Return all keys, a table for each section."""
    lines: list[str] = []
    section = None
    for key, default, meaning in described():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            title = f"[[{table[:-2]}]]" if table.endswith("[]") else f"[{table}]"
            head = f"`{title}`" if table else "At the top"
            lines += ["", f"**{head}**", "", "| key | default | |", "|---|---|---|"]
        lines.append(f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |")
    return "\n".join(lines[1:]) + "\n"
