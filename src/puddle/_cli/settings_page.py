"""The page of the documentation about settings, made from the settings themselves."""

from __future__ import annotations

from puddle.server.settings import described

_PAGE = """# Settings

Nothing has to be set. What you set goes into a TOML file (`/etc/puddle/puddle.toml`, or the one that
`puddle server --config` names), or into environment variables, which win: `port` in `[server]` is
`PUDDLE_SERVER__PORT`, and lists and maps are written as JSON. A key nobody knows is refused, and so is a value that
cannot be; the message names the key.

```toml
data = "/var/lib/puddle"

[server]
host = "0.0.0.0"
port = 443
cert_file = "/etc/puddle/tls.pem"
key_file = "/etc/puddle/tls.key"

[database]
url_file = "/etc/puddle/database-url"

[idle]
default = 60
```

`puddle settings` prints this page.
"""


def as_markdown() -> str:
    """Return the page about settings for the docs: all keys, a table for each section."""
    lines: list[str] = []
    section = None
    for key, default, meaning in described():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            title = f"[[{table[:-2]}]]" if table.endswith("[]") else f"[{table}]"
            head = f"`{title}`" if table else "At the top"
            lines += ["", f"## {head}", "", "| key | as it comes | |", "|---|---|---|"]
        lines.append(f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |")
    return _PAGE + "\n".join(lines) + "\n"
