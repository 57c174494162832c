"""All settings as tables, made from the settings themselves: for `puddle settings` and the documentation."""

from __future__ import annotations

from puddle.server.settings import described


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
            lines += ["", f"**{head}**", "", "| key | as it comes | |", "|---|---|---|"]
        lines.append(f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |")
    return "\n".join(lines[1:]) + "\n"
