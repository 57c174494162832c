"""The tables of names, read: what each line promises, and whether what there is keeps it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from scannerpy.common import CacheMode

HERE = Path(__file__).parent
FORM = re.compile(r"(?P<kind>\w+) ?(?P<signature>\(.*\))?(?: ?< (?P<base>[\w.]+))?(?P<rest>.*)", re.DOTALL)
INSTANCES = {"attribute", "method"}
COMPUTED = object()
WORDS = {
    "CacheMode": CacheMode,
    "frozenset": frozenset,
    "COMPUTED": COMPUTED,
}


@dataclass(frozen=True)
class Promise:
    """One line of a table: `path` is ``module:Name`` or ``module:Class.name``."""

    module: str
    name: str
    kind: str
    signature: str | None
    base: str | None
    rest: str

    @property
    def path(self) -> str:
        return f"{self.module}:{self.name}"

    def find(self) -> Any:
        """What there is under the name; raises AttributeError or ImportError when nothing is."""
        found: Any = importlib.import_module(self.module)
        for part in self.name.split("."):
            found = inspect.getattr_static(found, part) if inspect.isclass(found) else getattr(found, part)
        return found

    def owner(self) -> Any:
        """The class a method or attribute belongs to."""
        return getattr(importlib.import_module(self.module), self.name.split(".")[0])


def promises(table: str) -> list[Promise]:
    """Read a table of this folder."""
    read = tomllib.loads((HERE / table).read_text(encoding="utf-8"))
    return [_promise(module, name, line) for module, names in read.items() for name, line in names.items()]


def modules(table: str) -> list[str]:
    """The modules a table mentions."""
    return list(tomllib.loads((HERE / table).read_text(encoding="utf-8")))


def _promise(module: str, name: str, line: str) -> Promise:
    match = FORM.fullmatch(line)
    assert match is not None, f"{module}: {name} = {line!r} is not of the form of the table"
    return Promise(module, name, match["kind"], match["signature"], match["base"], match["rest"].strip())


def breaches(promise: Promise) -> list[str]:
    """Say in which ways what there is differs from what is promised."""
    if promise.kind == "attribute":
        return []  # of instances: `test_documented.py` makes one
    found = promise.find()
    return [*_of_kind(promise, found), *_of_base(promise, found), *_of_call(promise, found)]


def _of_kind(promise: Promise, found: Any) -> Iterator[str]:
    inner = getattr(found, "__func__", found)
    right = {
        "class": inspect.isclass(found),
        "function": inspect.isfunction(inner),
        "method": inspect.isfunction(found),
        "classmethod": isinstance(found, classmethod),
        "module": isinstance(found, ModuleType),
        "object": found is not None,
    }
    if promise.kind == "enum":
        wanted = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", promise.rest)}
        members = {member.name: member.value for member in found} if issubclass(found, Enum) else {}
        if members != wanted:
            yield f"has the members {members}, not {wanted}"
    elif promise.kind == "constant":
        if found != ast.literal_eval(promise.rest):
            yield f"is {found!r}, not {promise.rest}"
    elif promise.kind == "is":
        module, _, name = promise.rest.rpartition(".")
        if found is not getattr(importlib.import_module(module), name):
            yield f"is not {promise.rest}"
    elif not right[promise.kind]:
        yield f"is {found!r}, no {promise.kind}"


def _of_base(promise: Promise, found: Any) -> Iterator[str]:
    if promise.base is None:
        return
    module, _, name = promise.base.rpartition(".")
    if not issubclass(found, getattr(importlib.import_module(module or "builtins"), name)):
        yield f"does not derive from {promise.base}"


def _of_call(promise: Promise, found: Any) -> Iterator[str]:
    """Parameters: the promised ones come first, in order, with their defaults; more may follow if they can be left out.

    A parameter promised without a default may have one.
    """
    if promise.signature is None:
        return
    wanted, given = _promised_parameters(promise.signature), _parameters(promise, found)
    names = [p.name for p in given[: len(wanted)]]
    if names != [p.name for p in wanted]:
        yield f"takes ({', '.join(names)}, …), not {promise.signature}"
        return
    for want, got in zip(wanted, given, strict=False):
        if want.kind is not got.kind and _Parameter.VAR_KEYWORD in {want.kind, got.kind}:
            yield f"{got.name} is {got.kind.description}"
        if want.kind is _Parameter.POSITIONAL_OR_KEYWORD and got.kind is not want.kind:
            yield f"{got.name} is {got.kind.description}: it can be passed by position and by name"
        if want.default is not _Parameter.empty and not _same(want.default, got.default):
            yield f"{got.name} is {got.default!r} by default, not {want.default!r}"
    for extra in given[len(wanted) :]:
        if extra.default is _Parameter.empty and extra.kind not in {_Parameter.VAR_KEYWORD, _Parameter.VAR_POSITIONAL}:
            yield f"cannot be called without {extra.name}"


_Parameter = inspect.Parameter


def _parameters(promise: Promise, found: Any) -> list[inspect.Parameter]:
    function = getattr(found, "__func__", found)
    parameters = list(inspect.signature(function).parameters.values())
    return parameters[1:] if promise.kind in {"method", "classmethod"} else parameters


def _promised_parameters(signature: str) -> list[inspect.Parameter]:
    arguments = ast.parse(f"def f{signature}: ...").body[0].args  # type: ignore[attr-defined]
    without = [_Parameter.empty] * (len(arguments.args) - len(arguments.defaults))
    defaults = [*without, *(eval(ast.unparse(node), {}, WORDS) for node in arguments.defaults)]  # noqa: S307 — our table
    read = [
        _Parameter(argument.arg, _Parameter.POSITIONAL_OR_KEYWORD, default=default)
        for argument, default in zip(arguments.args, defaults, strict=True)
    ]
    if arguments.kwarg is not None:
        read.append(_Parameter(arguments.kwarg.arg, _Parameter.VAR_KEYWORD))
    return read


def _same(wanted: Any, given: Any) -> bool:
    """A list or dict that stands as a default may be its tuple, or None: a default nobody changes by accident."""
    if wanted is COMPUTED:
        return given is not _Parameter.empty
    if isinstance(wanted, list):
        return tuple(wanted) == given or wanted == given
    if wanted == {}:
        return given in ({}, None)
    return type(wanted) is type(given) and bool(wanted == given)
