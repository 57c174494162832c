"""Every public name, configuration key, error code and command is documented; what is missing is listed."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import scannerpy
from scannerpy import errors, older
from scannerpy.config import _NEEDED, Config
from tests.scannerpy.api.names import modules, promises

DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = DOCS / "reference"


def text_of(*pages: Path) -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def all_pages() -> str:
    return text_of(DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md")))


def mentioned(name: str, text: str) -> bool:
    """Whether `name` stands in `text` as code: between backticks, or in a block of code."""
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", piece) for piece in code)


# Errors


def error_classes() -> list[type[errors.ScannerException]]:
    """The tree, root included. Classes that other modules derive for themselves share their parent's code."""
    tree = [each for each in vars(errors).values() if inspect.isclass(each)]
    return [each for each in tree if issubclass(each, errors.ScannerException)]


def sections(page: str) -> dict[str, str]:
    """The sections of the page of codes, by code."""
    parts = re.split(r"^## `([\w-]+)`$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_error_code_has_its_section() -> None:
    page = sections(text_of(DOCS / "guide" / "errors.md"))
    codes = {each.code: each.__name__ for each in error_classes()}
    assert sorted(codes.keys() - page.keys()) == [], "codes without a section in docs/guide/errors.md"
    assert sorted(page.keys() - codes.keys()) == [], "sections of codes that do not exist"
    assert [code for code, name in codes.items() if f"`{name}`" not in page[code]] == []


def test_a_section_names_the_builtin_and_says_whether_to_try_again() -> None:
    page = sections(text_of(DOCS / "guide" / "errors.md"))
    for each in error_classes()[1:]:
        section = page[each.code]
        others = [base.__name__ for base in each.__bases__ if base is not errors.ScannerException]
        assert all(f"`{name}`" in section for name in others), each.__name__
        assert ("retry can help" in section) == each.retry, each.__name__


def test_the_table_of_codes_is_complete() -> None:
    head = text_of(DOCS / "guide" / "errors.md").split("\n## ")[0]
    rows = dict(re.findall(r"^\| \[`([\w-]+)`\]\(#\1\) \| `(\w+)` \|", head, re.MULTILINE))
    assert rows == {each.code: each.__name__ for each in error_classes()}


def test_codes_are_each_classes_own() -> None:
    codes = [each.code for each in error_classes()]
    assert len(codes) == len(set(codes)) > 15


# Configuration


def test_each_configuration_key_is_in_the_table_of_its_section() -> None:
    page = text_of(DOCS / "guide" / "configuration.md")
    parts = re.split(r"^## `\[(\w+)\]`$", page, flags=re.MULTILINE)
    tables = dict(zip(parts[1::2], parts[2::2], strict=True))
    keys = {name: set(table) for name, table in Config.default_config().items()}
    keys["storage"] |= {key for needed in _NEEDED.values() for key in needed}
    missing = {name: sorted(k for k in wanted if f"\n| `{k}` |" not in tables[name]) for name, wanted in keys.items()}
    assert missing == {"storage": [], "network": []}
    assert [kind for kind in _NEEDED if f"`{kind}`" not in tables["storage"]] == []


def test_the_keys_a_kind_of_storage_needs_are_said_to_be_needed() -> None:
    page = text_of(DOCS / "guide" / "configuration.md")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page.split("## `[network]`")[0], re.MULTILINE))
    for kind, needed in _NEEDED.items():
        for key in needed:
            assert rows[key] == "all" or f"`{kind}`" in rows[key], (kind, key)


def test_each_environment_variable_of_ours_is_documented() -> None:
    sources = text_of(*sorted((DOCS.parent / "src" / "scannerpy").rglob("*.py")))
    used = set(re.findall(r"environ(?:\.get\(|\[)\"(SCANNER_\w+)\"", sources))
    page = text_of(DOCS / "guide" / "configuration.md")
    assert used
    assert [name for name in sorted(used) if not mentioned(name, page)] == []


# Commands


def test_each_command_is_documented() -> None:
    from scannerpy.cli import app

    named = [command.name or str(getattr(command.callback, "__name__", "")) for command in app.registered_commands]
    text = all_pages()
    assert [name for name in named if not mentioned(f"scanner {name}", text)] == []


# Names


def documented_modules() -> list[str]:
    """The modules whose pages the reference must have."""
    of_tables = {*modules("documented.toml"), *modules("also_used.toml")} - {"scannerpy"}
    return sorted(of_tables - {"scannerpy.protobuf_generator"})  # the same names as scannerpy.protobufs


def test_each_advice_about_an_older_name_is_reachable() -> None:
    """The module is documented, and so are its tables."""
    assert inspect.getdoc(older)
    assert set(older.NAMES) == {"scannerpy", "scannertools", "Client", "OpColumn", "Sampler", "StreamsGenerator"}


def test_each_module_has_a_page_in_the_reference() -> None:
    shown = set(re.findall(r"^::: ([\w.]+)$", text_of(*sorted(REFERENCE.glob("*.md"))), re.MULTILINE))
    assert [module for module in documented_modules() if not _shown(module, shown)] == []


def _shown(module: str, shown: set[str]) -> bool:
    """A module's own page, or pages for each of its public members."""
    if module in shown:
        return True
    return any(each.startswith(f"{module}.") for each in shown)


def test_each_name_of_the_package_is_in_the_reference() -> None:
    text = text_of(*sorted(REFERENCE.glob("*.md")))
    names = [name for name in scannerpy.__all__ if not inspect.ismodule(getattr(scannerpy, name))]
    assert [name for name in names if not mentioned(name, text)] == []


def test_each_public_name_has_a_docstring_to_show() -> None:
    """The pages are made from docstrings; of constants, the table of the original's names is the documentation."""
    silent = []
    for module in documented_modules():
        found = importlib.import_module(module)
        for name in getattr(found, "__all__", ()):
            value = getattr(found, name)
            if (inspect.isclass(value) or inspect.isfunction(value)) and not inspect.getdoc(value):
                silent.append(f"{module}.{name}")
    assert silent == []
    assert all(inspect.getdoc(importlib.import_module(p.module)) for p in promises("documented.toml"))
