"""Pickling graphs for worker processes: by value what only this process has, by reference what both can import.

What is defined in ``__main__``, in a notebook or inside a function travels by value; what an importable module defines
travels as its name. With the kernels travel the types their columns name, the protobuf modules that were added, and the
plain classes of ``__main__``: an op may return one of those as an `Any`, and the worker must pickle it under the same
name under which the program will read it back.
"""

from __future__ import annotations

import importlib.util
import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cloudpickle

from scannerpy import types
from scannerpy._graph.graph import Graph, Vertex
from scannerpy.errors import KernelError
from scannerpy.protobufs import add_again, protobufs

LARGEST_CLASS = 1 << 20
"""A class of ``__main__`` bigger than this, pickled, drags data along and is left behind."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent: unpacked in the order of its fields, because each may need those before it."""

    protobuf_modules: tuple[str, ...]
    main_classes: tuple[tuple[str, bytes], ...]
    types: bytes
    value: bytes


def pack_graph(graph: Graph) -> bytes:
    """A whole graph as bytes. Raises KernelError, naming the op whose code or arguments cannot be pickled."""
    return pack_with_graph(graph, graph)


def unpack_graph(data: bytes) -> Graph:
    """What `pack_graph` was given; its types are registered in this process."""
    graph: Graph = unpack(data)
    return graph


def pack_with_graph(value: Any, graph: Graph) -> bytes:
    """Something that refers to `graph` as bytes, with all that the graph's ops need. Raises KernelError, as above."""
    vertices = graph.vertices
    with _by_value(_hidden_modules(vertices)):
        parcel = Parcel(
            protobuf_modules=protobufs.added(),
            main_classes=tuple(_main_classes()),
            types=cloudpickle.dumps(_types_of(vertices)),
            value=_dump(value, vertices),
        )
    return pickle.dumps(parcel)


_given_to_main: set[str] = set()


def unpack(data: bytes) -> Any:
    """What `pack_with_graph` was given; its types are registered in this process."""
    parcel: Parcel = pickle.loads(data)
    add_again(protobufs, parcel.protobuf_modules)
    main = sys.modules["__main__"]
    for name, pickled in parcel.main_classes:
        if name in _given_to_main or not hasattr(main, name):
            _given_to_main.add(name)
            setattr(main, name, pickle.loads(pickled))
    for info in pickle.loads(parcel.types):
        types.register_type_info(info)
    return pickle.loads(parcel.value)


def _dump(value: Any, vertices: Sequence[Vertex]) -> bytes:
    try:
        data: bytes = cloudpickle.dumps(value)
    except Exception as error:
        culprit = next((vertex for vertex in vertices if not _can_pickle(vertex)), None)
        label = culprit.label if culprit is not None else "the graph"
        raise KernelError(
            f"{label} cannot be sent to worker processes: {error}. Its code or arguments hold something that lives in "
            "this process only; make it in __init__ or setup_with_resources instead, or run with Client(debug=True)",
            op=label,
        ) from error
    return data


def _can_pickle(vertex: Vertex) -> bool:
    try:
        cloudpickle.dumps(vertex)
    except Exception:  # noqa: BLE001  # that it fails is the answer; the first failure is what gets reported
        return False
    return True


def _types_of(vertices: Sequence[Vertex]) -> list[types.ScannerTypeInfo]:
    signatures = [vertex.signature for vertex in vertices if vertex.signature is not None]
    columns = [column for signature in signatures for column in (*signature.inputs, *signature.outputs)]
    infos = [types.get_type_info_cpp(name) for name in sorted({column.type_name for column in columns} - {""})]
    return [info for info in infos if getattr(info.type, "__module__", "") not in {types.__name__, "typing"}]


def _hidden_modules(vertices: Sequence[Vertex]) -> list[ModuleType]:
    """Modules of kernels that another process could not import: made at run time, or run from a path."""
    signatures = [vertex.signature for vertex in vertices if vertex.signature is not None]
    factories = [kernel.factory for signature in signatures for kernel in signature.kernels.values()]
    names = {str(getattr(factory, "__module__", "")) for factory in factories} - {"__main__"}
    return [sys.modules[name] for name in sorted(names) if name in sys.modules and not _is_importable(name)]


def _is_importable(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # ValueError: the module has no spec
        return False
    return spec is not None and spec.origin is not None


@contextmanager
def _by_value(modules: list[ModuleType]) -> Iterator[None]:
    known = cloudpickle.list_registry_pickle_by_value()
    added = [module for module in modules if module.__name__ not in known]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)


def _main_classes() -> Iterator[tuple[str, bytes]]:
    """The classes the program itself defines, where they can travel at all."""
    for name, value in list(vars(sys.modules["__main__"]).items()):
        if isinstance(value, type) and value.__module__ == "__main__" and value.__qualname__ == name:
            try:
                data = cloudpickle.dumps(value)
            except Exception:  # noqa: BLE001, S112  # it refers to something of this process; most ops never need it
                continue
            if len(data) <= LARGEST_CLASS:
                yield name, data
