# ruff: noqa: INP001  # a script, not a package
"""What mkdocs cannot find in the docstrings. Named in mkdocs.yml under `hooks`.

A page that mkdocs.yml has no place for comes last in the section of its folder, so that none is out of reach.
``<!-- the ops -->`` in a page becomes a table of the ops that come with Scanner, made from the registry;
``<!-- the other ops -->`` and ``<!-- the other modules -->`` the reference of every public module that no page has, so
that none is forgotten.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
OPS = "scannerpy.ops."
NOT_API = {
    "scannerpy",
    "scannerpy.cli",
    "scannerpy.ops",
    "scannerpy.backends",
    "scannerpy.testing",
    "scannerpy.testing.bitstreams",
}
"""Packages, whose modules count, the command line, and what only our own tests want."""


def on_config(config: Any) -> Any:
    """Called by mkdocs first of all: complete the navigation."""
    named = set(_pages_in(config.nav))
    for section in [entry for entry in config.nav if isinstance(entry, dict)]:
        for pages in section.values():
            if isinstance(pages, list):
                pages.extend(_pages_of(Path(pages[0]).parent, named))
    config.nav += _pages_of(Path(), named)
    return config


def _pages_in(nav: Any) -> Iterator[str]:
    for entry in nav.values() if isinstance(nav, dict) else nav:
        yield from [entry] if isinstance(entry, str) else _pages_in(entry)


def _pages_of(folder: Path, named: set[str]) -> list[str]:
    """Return the pages of one folder that are not `named`."""
    pages = sorted(page.relative_to(DOCS).as_posix() for page in (DOCS / folder).glob("*.md"))
    return [page for page in pages if page not in named]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs for every page."""
    for mark, make in MARKS.items():
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown


def other_ops() -> str:
    """Return a section for each module of ops that no reference page names."""
    options = "\n    options:\n      heading_level: 3\n      merge_init_into_class: false"
    return "\n\n".join(f"## {name}\n\n::: {name}{options}" for name in _unnamed() if name.startswith(OPS))


def other_modules() -> str:
    """Return a section for each other public module that no reference page names."""
    return "\n\n".join(f"## {name}\n\n::: {name}" for name in _unnamed() if not name.startswith(OPS))


def _unnamed() -> list[str]:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    named = set(re.findall(r"^::: (\S+)", pages, re.MULTILINE))
    return [name for name in public_modules() if name not in named]


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
    return any(kernel.factory.__module__.startswith(OPS) for kernel in op.kernels.values())


def _cells(op: Any) -> list[str]:
    kernel = next(iter(op.kernels.values())).factory
    gives = ", ".join(_kind(column) for column in op.outputs)
    return [
        f"**{op.name}**",
        _code(column.name for column in op.inputs),
        gives,
        _parameters(kernel, "__init__", set(op.init_params or ()) - {"init_parameter"}),
        _parameters(kernel, "new_stream", set(op.stream_params)),
        _needs(op),
    ]


def _kind(column: Any) -> str:
    return "frames" if column.is_video else column.type_name or "bytes"


def _code(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _parameters(kernel: Any, method: str, wanted: set[str]) -> str:
    """Return those parameters of a class's method that are `wanted`, with their defaults."""
    if not wanted:
        return ""
    known = inspect.signature(getattr(kernel, method)).parameters.values()
    return _code(f"{p.name}" + ("" if p.default is p.empty else f"={p.default!r}") for p in known if p.name in wanted)


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


MARKS = {
    "<!-- the ops -->": table_of_ops,
    "<!-- the other ops -->": other_ops,
    "<!-- the other modules -->": other_modules,
}
