"""A digest of a value that is equal in every process and differs when the value, or the code it stands for, differs.

Jobs and chunks are named by it, so it decides whether finished work may be reused. Its rules:

* data (numbers, text, containers, arrays, dataclasses, enums, messages, anything pickle can take apart) by value;
* a function or class of an installed module by name and by the source of that module;
* one of ``__main__``, a notebook, or local to another function by its code: byte code, constants, defaults, what its
  closure holds, and the globals it names. File names, line numbers and docstrings do not count;
* one of a module of the user's own (not installed, not Python's) by its code, because the file may have been edited
  since it was loaded, *and* by the source of the module and of the user's modules it imports at its top, and theirs,
  because code reaches more than it names.

Sets and mappings count without order. A value that cannot be taken apart raises SerializationError, except where it is
a global that some code happens to name: then its type must do (a logger, a client).
"""

from __future__ import annotations

import ast
import copyreg
import dataclasses
import dis
import enum
import functools
import hashlib
import importlib.util
import struct
import sys
import sysconfig
import types
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from scannerpy.errors import SerializationError

if sys.version_info >= (3, 14):
    import annotationlib

_ANNOTATIONS = {"__annotate__", "__annotate_func__", "__annotations_cache__", "__conditional_annotations__"}
"""How Python 3.14 keeps a class's annotations: code that makes them, whose closure holds the whole class."""
_SKIPPED = {
    "__dict__",
    "__weakref__",
    "__doc__",
    "__module__",
    "__firstlineno__",
    "__static_attributes__",
    *_ANNOTATIONS,
}
_HAS_DOCSTRING = 0x4000000  # inspect.CO_HAS_DOCSTRING, of Python 3.14
_TAKES_CONSTANT = frozenset(dis.hasconst)
_DATA = (type(None), bool, int, float, complex, str, bytes, enum.Enum, PurePath, np.ndarray, np.generic)
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type, functools.partial)


def fingerprint(value: Any) -> str:
    """The digest of `value`, 40 hexadecimal digits. Raises SerializationError for what cannot be taken apart."""
    return _Walk().digest(value).hex()


class _Walk:
    """One traversal.

    `_above` holds the objects being taken apart, so that a cycle ends. `_code_met` numbers the functions and classes
    taken apart so far: each is looked into once, however many others name it.
    """

    def __init__(self) -> None:
        self._above: dict[int, int] = {}
        self._code_met: dict[int, int] = {}
        self._modules: dict[str, bytes] = {}

    def digest(self, value: Any) -> bytes:
        plain = _plain(value)
        if plain is not None:
            return _hashed(*plain)
        if id(value) in self._above:
            return _hashed(b"cycle", str(len(self._above) - self._above[id(value)]).encode())
        self._above[id(value)] = len(self._above)
        try:
            return self._compound(value)
        finally:
            del self._above[id(value)]

    def _compound(self, value: Any) -> bytes:
        match value:
            case list() | tuple():
                return self._ordered(type(value).__name__, value)
            case AbstractSet():
                return _hashed(b"set", *sorted(map(self.digest, value)))
            case Mapping():
                return self._mapping(value)
            case enum.Enum():
                name = f"{type(value).__module__}.{type(value).__qualname__}.{value.name}"
                return self._ordered("enum", (name, value.value))
            case np.ndarray():
                return self._array(value)
            case types.CodeType():
                return self._code(value)
            case types.ModuleType():
                return _hashed(b"module", value.__name__.encode(), self._module(value.__name__))
        if isinstance(value, type | types.FunctionType):
            return self._code_value(value)
        return self._wrapped(value)

    def _code_value(self, value: type | types.FunctionType) -> bytes:
        file = _importable_from(value)
        if file is None:
            return self._by_value(value)
        if _is_users(file):
            return _hashed(b"users", self._by_module(value), self._by_value(value))
        return self._by_module(value)

    def _by_module(self, value: Any) -> bytes:
        name = f"{value.__module__}.{value.__qualname__}"
        return _hashed(b"importable", name.encode(), self._module(value.__module__))

    def _module(self, name: str) -> bytes:
        if name not in self._modules:
            self._modules[name] = _module_digest(name)
        return self._modules[name]

    def _by_value(self, value: type | types.FunctionType) -> bytes:
        if id(value) in self._code_met:
            return _hashed(b"met", str(self._code_met[id(value)]).encode())
        self._code_met[id(value)] = len(self._code_met)
        return self._class(value) if isinstance(value, type) else self._function(value)

    def _wrapped(self, value: Any) -> bytes:
        match value:
            case types.MethodType():
                return self._ordered("method", (value.__self__, value.__func__))
            case types.BuiltinFunctionType() if not isinstance(value.__self__, types.ModuleType):
                return self._ordered("method", (value.__self__, value.__name__))
            case types.BuiltinFunctionType():
                return _hashed(b"builtin", f"{value.__module__}.{value.__qualname__}".encode())
            case functools.partial():
                return self._ordered("partial", (value.func, value.args, value.keywords))
            case staticmethod() | classmethod():
                return self._ordered(type(value).__name__, (value.__func__,))
            case property():
                return self._ordered("property", (value.fget, value.fset, value.fdel))
            case types.MemberDescriptorType() | types.GetSetDescriptorType() | types.WrapperDescriptorType():
                return _hashed(b"slot", value.__name__.encode())
        return self._instance(value)

    def _ordered(self, kind: str, items: Iterable[Any]) -> bytes:
        return _hashed(kind.encode(), *map(self.digest, items))

    def _mapping(self, value: Mapping[Any, Any]) -> bytes:
        """In the order of the keys' digests, so that neither the digest nor what is met first depends on theirs."""
        keys = sorted(((self.digest(key), key) for key in value), key=lambda pair: pair[0])
        return _hashed(b"mapping", *(digest + self.digest(value[key]) for digest, key in keys))

    def _array(self, value: np.ndarray[Any, Any]) -> bytes:
        if value.dtype.hasobject:
            return self._ordered("objects", (value.shape, value.tolist()))
        return _hashed(b"array", f"{value.dtype.str}{value.dtype.descr}{value.shape}".encode(), value.tobytes())

    def _code(self, code: types.CodeType) -> bytes:
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        flags = code.co_flags & ~_HAS_DOCSTRING
        shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, flags)
        return self._ordered("code", (code.co_name, self._byte_code(code), code.co_exceptiontable, names, shape))

    def _byte_code(self, code: types.CodeType) -> bytes:
        """The instructions, with constants in place: their numbers depend on whether there is a docstring."""
        parts: list[bytes] = []
        high = 0
        for operation, argument in zip(code.co_code[::2], code.co_code[1::2], strict=True):
            number = high | argument
            high = number << 8 if operation == dis.EXTENDED_ARG else 0
            if operation in _TAKES_CONSTANT:
                parts.append(bytes((operation,)) + self.digest(code.co_consts[number]))
            else:
                parts.append(bytes((operation, argument)))
        return _hashed(*parts)

    def _function(self, function: types.FunctionType) -> bytes:
        cells = [_cell(cell) for cell in function.__closure__ or ()]
        named = {name: self._global(function.__globals__[name]) for name in _global_names(function)}
        return self._ordered(
            "function", (function.__code__, function.__defaults__, function.__kwdefaults__, cells, named)
        )

    def _class(self, cls: type) -> bytes:
        if cls.__module__ == "builtins":
            return _hashed(b"class", cls.__qualname__.encode())
        own = {name: self._member(value) for name, value in vars(cls).items() if name not in _SKIPPED}
        return self._ordered("class", (cls.__qualname__, cls.__bases__, own, _lazy_annotations(cls)))

    def _member(self, value: Any) -> bytes:
        """Something in a class: by value, or by type for what the interpreter put there (an ABC's registry)."""
        try:
            return self.digest(value)
        except SerializationError:
            return _hashed(b"opaque", type(value).__qualname__.encode())

    def _global(self, value: Any) -> bytes:
        """A global that code names: only what is plainly data or code is looked into."""
        if isinstance(value, (*_DATA, *_CODE)) or hasattr(value, "__wrapped__"):
            return self.digest(value)
        if dataclasses.is_dataclass(value):
            value = {"": type(value), **_fields(value)}
        if isinstance(value, list | tuple | set | frozenset):
            return _hashed(type(value).__name__.encode(), *_in_order(value, map(self._global, value)))
        if isinstance(value, dict):
            return _hashed(b"dict", *sorted(self._global(key) + self._global(item) for key, item in value.items()))
        return _hashed(b"opaque", f"{type(value).__module__}.{type(value).__qualname__}".encode())

    def _instance(self, value: Any) -> bytes:
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        if dataclasses.is_dataclass(value):
            return self._ordered("dataclass", (name, _fields(value)))
        if hasattr(value, "__wrapped__"):  # functools.lru_cache and its like
            return self._ordered("wrapper", (name, value.__wrapped__))
        if hasattr(value, "SerializeToString"):
            return self._ordered("message", (name, value.SerializeToString(deterministic=True)))
        return self._reduced(value, name)

    def _reduced(self, value: Any, name: str) -> bytes:
        try:
            reduce = copyreg.dispatch_table.get(type(value))
            parts: Any = reduce(value) if reduce else value.__reduce_ex__(4)
        except Exception as error:
            raise SerializationError(
                f"a {name} has no content that results could be named by ({error}): pass plain data (numbers, text, "
                "lists, arrays, dataclasses) and make such an object where it is used, for instance in the kernel's "
                "__init__"
            ) from error
        if isinstance(parts, str):
            return _hashed(b"global", name.encode(), parts.encode())
        listed = [list(part) if hasattr(part, "__next__") else part for part in parts]
        return self._ordered("instance", (type(value), *listed))


def _plain(value: Any) -> tuple[bytes, ...] | None:
    """Values without parts, as bytes that tell their types apart."""
    match value:
        case None | bool() | types.EllipsisType() | types.NotImplementedType():
            return b"constant", repr(value).encode()
        case np.generic():
            return b"scalar", value.dtype.str.encode(), value.tobytes()
    if type(value) is int:
        return b"int", str(value).encode()
    if type(value) is float:
        return b"float", struct.pack("<d", value)
    if type(value) is complex:
        return b"complex", struct.pack("<dd", value.real, value.imag)
    if type(value) is str:
        return b"str", value.encode("utf-8", "surrogatepass")
    if type(value) in {bytes, bytearray, memoryview}:
        return b"bytes", bytes(value)
    if isinstance(value, PurePath):
        return b"path", str(value).encode("utf-8", "surrogatepass")
    return None


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _hashed(*parts: bytes) -> bytes:
    hasher = hashlib.blake2b(digest_size=20)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.digest()


def _in_order(value: Any, digests: Iterable[bytes]) -> list[bytes]:
    return sorted(digests) if isinstance(value, set | frozenset) else list(digests)


def _lazy_annotations(cls: type) -> dict[str, str]:
    """The annotations of a class as they are written; before Python 3.14 they are one of its members."""
    if sys.version_info >= (3, 14):
        return annotationlib.get_annotations(cls, format=annotationlib.Format.STRING)
    return {}


def _cell(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet: a function that names itself
        return "empty cell"


def _global_names(function: types.FunctionType) -> list[str]:
    """The globals that a function or one nested in it names."""
    names: set[str] = set()
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return sorted(name for name in names if name in function.__globals__)


def _importable_from(value: type | types.FunctionType) -> Path | None:
    """The file from which another process gets the same thing by importing it."""
    module = sys.modules.get(value.__module__ or "")
    if module is None or value.__module__ == "__main__" or "<locals>" in value.__qualname__:
        return None
    found: Any = module
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return _source(value.__module__) if found is value else None


def _source(module: str) -> Path | None:
    """The file a module was loaded from: its source, or the library of one written in C."""
    loaded = sys.modules.get(module)
    spec = getattr(loaded, "__spec__", None)
    for origin in (getattr(spec, "origin", None), getattr(loaded, "__file__", None)):
        if origin and Path(origin).is_file():
            return Path(origin)
    return None


def _module_digest(module: str) -> bytes:
    """The sources of a module and of the user's modules it rests on."""
    files: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _source(name)
        if file is None or name in files:
            continue
        files[name] = file
        if _is_users(file):
            waiting.extend(_imported(name, file))
    return _hashed(*(part for name in sorted(files) for part in (name.encode(), _file_digest(files[name]))))


@functools.cache
def _installed_folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    own = Path(__file__).resolve().parents[1]
    return (own, *(Path(paths[key]).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib")))


@functools.lru_cache(maxsize=4096)
def _is_users(file: Path) -> bool:
    resolved = file.resolve()
    return not any(resolved.is_relative_to(folder) for folder in _installed_folders())


def _file_digest(file: Path) -> bytes:
    status = file.stat()
    return _cached_digest(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=4096)
def _cached_digest(file: Path, _mtime: int, _size: int) -> bytes:
    return hashlib.blake2b(file.read_bytes(), digest_size=20).digest()


def _imported(module: str, file: Path) -> tuple[str, ...]:
    """The modules that the statements at the top of a source file import."""
    if file.suffix != ".py":
        return ()
    package = getattr(sys.modules.get(module), "__package__", None) or ""
    status = file.stat()
    return _cached_imports(package, file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=4096)
def _cached_imports(package: str, file: Path, _mtime: int, _size: int) -> tuple[str, ...]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # changed since it was loaded: its own bytes count anyway
        return ()
    found: list[str] = []
    for node in _top_level(tree.body):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.extend(_from_import(node, package))
    return tuple(found)


def _from_import(node: ast.ImportFrom, package: str) -> list[str]:
    base = node.module or ""
    if node.level:
        try:
            base = importlib.util.resolve_name("." * node.level + base, package)
        except ImportError:
            return []
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _top_level(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Statements run when the module is imported, also those under `if`, `try` and `with`."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _top_level(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
