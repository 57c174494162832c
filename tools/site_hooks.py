# ruff: noqa: INP001  # a script, not a package
"""What mkdocs cannot find in the docstrings. Named in mkdocs.yml under `hooks`.

``<!-- the ops -->`` in a page becomes a table of the ops that come with Scanner, made from the registry, and
``<!-- the other modules -->`` the reference of every public module that no page has, so that none is forgotten.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NOT_API = {
    "scannerpy",
    "scannerpy.cli",
    "scannerpy.ops",
    "scannerpy.backends",
    "scannerpy.testing",
    "scannerpy.testing.bitstreams",
}
"""Packages, whose modules count, the command line, and what only our own tests want."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs for every page."""
    for mark, make in (("<!-- the ops -->", table_of_ops), ("<!-- the other modules -->", other_modules)):
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown


def other_modules() -> str:
    """Return a section for each public module that no reference page names."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    named = set(re.findall(r"^::: (\S+)", pages, re.MULTILINE))
    return "\n\n".join(f"## {module}\n\n::: {module}" for module in public_modules() if module not in named)


def public_modules() -> list[str]:
    """Return the names of all modules without an underscore in front, at any level."""
    names = []
    for package in ("scannerpy", "scannertools"):
        for file in sorted((ROOT / "src" / package).rglob("*.py")):
            parts = file.relative_to(ROOT / "src").with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if not any(part.startswith("_") for part in parts) and "proto" not in parts:
                names.append(".".join(parts))
    return [name for name in names if name not in NOT_API]


def table_of_ops() -> str:
    """Return a Markdown table with one line per op, by name."""
    importlib.import_module("scannerpy.ops")
    from scannerpy.op import PYTHON_OP_REGISTRY

    ours = [op for _, op in sorted(PYTHON_OP_REGISTRY.items()) if _is_ours(op)]
    heading = "| op | inputs | gives | arguments | per stream | needs |\n|---|---|---|---|---|---|\n"
    return heading + "".join(f"| {' | '.join(_cells(op))} |\n" for op in ours)


def _is_ours(op: Any) -> bool:
    return any(kernel.factory.__module__.startswith("scannerpy.ops.") for kernel in op.kernels.values())


def _cells(op: Any) -> list[str]:
    gives = ", ".join(_kind(column) for column in op.outputs)
    return [
        f"**{op.name}**",
        _code(c.name for c in op.inputs),
        gives,
        _arguments(op),
        _code(op.stream_params),
        _needs(op),
    ]


def _kind(column: Any) -> str:
    return "frames" if column.is_video else column.type_name or "bytes"


def _code(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _arguments(op: Any) -> str:
    return _code(name for name in op.init_params or () if name != "init_parameter")


def _needs(op: Any) -> str:
    if op.unbounded:
        return "all earlier rows"
    if op.warmup is not None:
        return f"{op.warmup} earlier rows"
    if any(kernel.batch >= 1_000_000 for kernel in op.kernels.values()):
        return "the whole stream"
    if op.stencil is not None and tuple(op.stencil) != (0,):
        return f"the rows at {list(op.stencil)}"
    return "its row"
