"""Every status, error, reason, setting, command, alert and audit action is documented, and no other."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

import puddle.client
import puddle.server
from puddle import cli
from puddle.client.errors import puddle_errors
from puddle.client.models import BaseStatus, Image, Snapshot, System, Tag
from puddle.server.domain.states import _REASONS, Status, Wish
from puddle.server.reconcile.decision import AlertKind
from puddle.server.settings import Settings, described
from tests.puddle.docs.pages import PAGES, codes, first_cells, named, text_of

SERVER = Path(puddle.server.__file__).parent
NAMES = [page.stem for page in PAGES]

# The client


def statuses() -> list[tuple[str, int]]:
    kinds = (System, Image, Snapshot, Tag)
    found = [(name, value) for kind in kinds for name, value in vars(kind).items() if isinstance(value, BaseStatus)]
    return [(name, status.code) for name, status in found]


def test_every_status_is_documented_with_its_code() -> None:
    page, old = text_of("life"), "CONFIG_TOML_"
    assert [
        name for name, code in statuses() if f"| `{name}` | {code} |" not in page and not name.startswith(old)
    ] == []
    assert [name for name, _ in statuses() if name.startswith(old) and not named(name, "life")] == []
    told = re.findall(r"^\| `(\w+_STATUS_\w+)` \|", page, re.MULTILINE)
    assert set(told) <= {name for name, _ in statuses()}


def test_every_error_is_documented_with_what_to_do() -> None:
    classes = {
        name for name, each in vars(puddle_errors).items() if inspect.isclass(each) and issubclass(each, Exception)
    }
    table = set(first_cells("client", "## Errors, and what to do"))
    assert table == classes - {"PuddleError"} | {"AuthError", "TimeoutError", "ValueError"}
    assert named("PuddleError", "client")


def modules() -> Iterator[ModuleType]:
    """The modules of the client that define something, but for the messages."""
    for found in pkgutil.walk_packages(puddle.client.__path__, "puddle.client."):
        if "proto" not in found.name:
            yield importlib.import_module(found.name)


def own(module: ModuleType) -> dict[str, object]:
    """What a module defines for others."""
    mine = {name: each for name, each in vars(module).items() if not name.startswith("_")}
    return {name: each for name, each in mine.items() if getattr(each, "__module__", "") == module.__name__}


def test_every_module_of_the_client_is_in_the_reference() -> None:
    told = set(re.findall(r"^::: (\S+)", text_of("reference"), re.MULTILINE))
    constants = {"puddle.client.cloud.clouds", "puddle.client.product.products"}
    assert told == {module.__name__ for module in modules() if own(module)} | constants


def test_everything_public_has_the_docstring_that_the_reference_shows() -> None:
    silent = []
    for module in modules():
        for name, each in own(module).items():
            members = vars(each).items() if inspect.isclass(each) else ()
            public = [(f"{name}.{m}", v) for m, v in members if not m.startswith("_") and callable(v)]
            silent += [f"{module.__name__}.{n}" for n, v in [(name, each), *public] if not inspect.getdoc(v)]
    assert silent == []


def test_every_method_of_a_client_is_shown_or_told() -> None:
    text = "".join(codes("client", "cost", "life", "index"))
    untold = {"SystemsClient.wait_for_snapshot", "SystemsClient.get_snapshot", "BaseCloudClient.authorizer"}
    for name in puddle.client.__all__:
        for method in vars(getattr(puddle.client, name)):
            if not method.startswith("_") and not re.search(rf"\b{method}\b", text):
                assert f"{name}.{method}" in untold | SHOWN_IN_REFERENCE


SHOWN_IN_REFERENCE = {
    "ImagesClient.delete", "ImagesClient.get", "ImagesClient.list_all", "ImagesClient.wait_for_available",
    "InstanceTypesClient.list_all", "InstanceTypesClient.update", "TagsClient.update", "ReportsClient.get",
    "ReportsClient.list", "ReportsClient.wait_for", "SystemsClient.fail",
}  # fmt: skip
"""What says in its name all there is to tell."""

# The words of the server

ARGUMENT_OF_REASON = {"Precondition": 1, "Exceeded": 1, "Unauthenticated": 1, "Denied": 1, "Refusal": 0, "Unserved": 3}
"""Which argument is the reason; the other refusals have one of their own."""


def sources(*folders: str) -> Iterator[ast.Module]:
    for folder in folders or ("",):
        place = SERVER / folder
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            yield parsed(path)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node


def constants(nodes: list[ast.expr]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def reasons() -> set[str]:
    """Every word a caller may be refused with."""
    found = set(_REASONS.values()) | {"not_allowed"}  # what Denied says unless it is told otherwise
    for tree in sources():
        for name, call in calls(tree):
            if name in ARGUMENT_OF_REASON:
                at = ARGUMENT_OF_REASON[name]
                found |= constants(call.args[at : at + 1])
            elif name == "_short":  # a limit, as quota tells it
                found |= constants(call.args[2:3])
    for tree in sources("errors.py"):
        for name, call in calls(tree):
            found |= constants(call.args[1:2]) if name == "__init__" else set()
    return found


def test_every_reason_is_documented() -> None:
    assert set(first_cells("api", "## Reasons")) == reasons()


def test_the_reasons_are_found_where_they_are_made() -> None:
    assert {
        "invalid",
        "not_found",
        "rate",
        "not_stopped",
        "out_of_cu",
        "quota",
        "budget",
        "name_taken",
        "busy",
    } <= reasons()
    assert {"no_token", "bad_token", "no_rule", "too_large", "never_provisioned", "last_admin"} <= reasons()


def status_reasons() -> set[str]:
    """Every word for why a system stands where it does."""
    found: set[str] = set()
    named = named_texts()
    for tree in sources():
        for name, call in calls(tree):
            given = [*call.args[:2], *(each.value for each in call.keywords if each.arg == "reason")]
            said = {*constants(given), *(named.get(each.id, "") for each in given if isinstance(each, ast.Name))}
            if name in {"StepFailed", "say", "fail", "replace"}:
                found |= {word for word in said if re.fullmatch(r"[A-Z_]{4,}", word)}
    return found


def named_texts() -> dict[str, str]:
    """Every text that has a name of its own in a module, by that name."""
    return {
        target.id: str(node.value.value)
        for tree in sources()
        for node in getattr(tree, "body", ())
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_every_reason_for_a_status_is_documented() -> None:
    assert set(first_cells("life", "| `status_reason` | means |\n|---|---|\n")) == status_reasons()


def audit_actions() -> set[str]:
    """Every action in the audit trail."""
    kinds = "system|snapshot|image|key|user|group|instance_type|tag|report|alert"
    written = {
        node.value
        for tree in sources("api", "reconcile", "installation.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and re.fullmatch(rf"(?:{kinds})\.[a-z_]+", str(node.value))
    }
    made = {f"system.{wish.value}" for wish in Wish} | {f"snapshot.{end}" for end in ("available", "failed")}
    made |= {f"image.{end}" for end in ("available", "failed")} | {
        f"{it}.orphan_removed" for it in ("machine", "snapshot")
    }
    return written | made | {"login", "logout"}


def test_every_audit_action_is_documented() -> None:
    _, _, table = text_of("security").partition("| about | `action` |\n")
    rows = table.partition("\n\n")[0].splitlines()[1:]
    assert {word for row in rows for word in re.findall(r"`([^`]+)`", row)} == audit_actions()


def test_every_kind_of_alert_is_documented() -> None:
    assert [kind for kind in (*AlertKind, "orphan") if not named(kind, "server")] == []


def test_every_status_is_in_the_drawing_of_a_systems_life() -> None:
    drawing = text_of("life").split("```")[1]
    assert [status.name for status in Status if status.name not in drawing and status is not Status.UNKNOWN] == []


# Settings


def test_every_setting_a_page_names_is_there() -> None:
    known = {key.replace("[]", "") for key, *_ in described()}
    sections = "|".join(name for name in Settings.model_fields if name not in {"data", "instance_types"})
    told = {word for code in codes(*NAMES) for word in re.findall(rf"^`((?:{sections})\.[a-z_.0-9]+)[`\s]", code)}
    tables = {key.rpartition(".")[0] for key in known}
    assert {"idle.warning_s", "systems.cu_pool", "server.most_bytes"} <= told
    methods = {f"systems.{name}" for name in vars(puddle.client.SystemsClient)}
    assert told - known - tables - methods == set()


def test_every_section_of_the_settings_has_its_table() -> None:
    page = text_of("server")
    for key, *_ in described():
        section, _, name = key.rpartition(".")
        title = f"`[[{section[:-2]}]]`" if section.endswith("[]") else f"`[{section}]`"
        assert not section or f"**{title}**" in page
        assert f"| `{name}` |" in page


# Commands

GROUP = typer.main.get_command(cli.app)


def commands(group: Any, before: str = "puddle") -> Iterator[str]:
    for name, command in getattr(group, "commands", {}).items():
        inner = list(commands(command, f"{before} {name}"))
        yield from inner or [f"{before} {name}"] * (not command.hidden)


def lines() -> Iterator[str]:
    """What pages have of command lines of ours: examples in blocks, and mentions."""
    for code in codes(*NAMES):
        if code.startswith("```sh"):
            yield from (line.partition(" #")[0].strip() for line in code.splitlines() if line.startswith("puddle "))
        elif code.startswith("`puddle ") and not re.search(r"…`|COMMAND", code):
            yield code.strip("`")


def test_every_command_is_documented() -> None:
    missing = [path for path in commands(GROUP) if not named(path, "command-line")]
    assert missing == []


@pytest.mark.parametrize("line", sorted(set(lines())))
def test_every_command_line_is_one(line: str) -> None:
    words = shlex.split(re.split(r" [<>|] ", line)[0])[1:]
    command: Any = GROUP
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands"):
        assert set(words) <= {option for parameter in command.params for option in parameter.opts}
    elif words:
        with command.make_context(line, words) as context:
            assert context.params


# Pages


def test_every_page_is_named_on_the_first_one() -> None:
    first = text_of("index")
    assert [name for name in NAMES if f"({name}.md)" not in first and name != "index"] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_a_program_is_cut_by_the_window(name: str) -> None:
    """The text is a hundred columns wide on a screen of 1400 pixels; the first page is read on smaller ones, too."""
    most = 90 if name == "index" else 101
    lines = [line for block in codes(name) if block.startswith("```") for line in block.splitlines()]
    assert [line for line in lines if len(line) > most] == []
