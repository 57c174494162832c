"""Every name of the original's API reference, and every other name that programs take, is where they look for it and is
called as they call it.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

import scannerpy as sp
from scannerpy import common
from scannerpy.config import Config
from scannerpy.kernel import KernelConfig
from tests.scannerpy.api.names import Promise, breaches, modules, promises

TABLES = ["documented.toml", "also_used.toml"]
PROMISES = [promise for table in TABLES for promise in promises(table)]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.path)
def test_a_documented_name(promise: Promise) -> None:
    assert breaches(promise) == []


@pytest.mark.parametrize("module", modules("documented.toml"))
def test_a_documented_module(module: str) -> None:
    assert inspect.getdoc(importlib.import_module(module))


def test_the_tables_hold_what_they_should() -> None:
    """A table that lost its lines would promise nothing."""
    assert len(promises("documented.toml")) == 68
    assert len(promises("also_used.toml")) > 190


def test_instances_have_their_attributes(cl, config) -> None:
    instances = {"Client": cl, "Config": config, "KernelConfig": KernelConfig()}
    attributes = [promise for promise in PROMISES if promise.kind == "attribute"]
    missing = [p.path for p in attributes if not hasattr(instances[p.name.split(".")[0]], p.name.split(".")[1])]
    assert missing == []


DOCUMENTED_CLASSES_AND_FUNCTIONS = [p for p in PROMISES if p.kind in {"class", "function", "method", "classmethod"}]


def test_each_says_what_it_does() -> None:
    """What a person may call has a docstring; so has what `help()` and the reference pages show."""
    silent = [p.path for p in DOCUMENTED_CLASSES_AND_FUNCTIONS if not inspect.getdoc(p.find())]
    assert silent == []


def test_a_name_that_is_not_there_is_noticed() -> None:
    """The comparison itself: each kind of difference is told."""
    wrong = {
        ("scannerpy.common", "CacheMode"): ("enum", None, None, "Error=1"),
        ("scannerpy.column", "LOAD_SPARSITY_THRESHOLD"): ("constant", None, None, "11"),
        ("scannerpy.storage", "NamedStream"): ("class", "(sc, name, storage=None)", "scannerpy.op.Op", ""),
        ("scannerpy.client", "Client.run"): ("method", "(outputs, perf_params, force=False)", None, ""),
        ("scannerpy.client", "Client.new_table"): ("method", "(name, columns, rows, fns=None, force=True)", None, ""),
        ("scannerpy.client", "Client.table"): ("function", "()", None, ""),
        ("scannerpy", "Client"): ("is", None, None, "scannerpy.op.Op"),
    }
    for (module, name), (kind, signature, base, rest) in wrong.items():
        assert len(breaches(Promise(module, name, kind, signature, base, rest))) >= 1, name
    with pytest.raises(AttributeError):
        breaches(Promise("scannerpy.client", "Client.nothing", "method", None, None, ""))


BORROWERS = ["client", "column", "config", "io", "job", "kernel", "op", "partitioner", "profiler", "sampler", "sink"]
BORROWERS += ["source", "storage", "streams", "table", "types", "util"]


@pytest.mark.parametrize("module", BORROWERS)
def test_the_common_words_are_found_in_every_module(module: str) -> None:
    """The original star-imports `scannerpy.common` nearly everywhere, so programs import its names from anywhere."""
    found = importlib.import_module(f"scannerpy.{module}")
    assert [name for name in common.__all__ if getattr(found, name, None) is not getattr(common, name)] == []


def test_from_the_package_protobufs_is_the_instance() -> None:
    import scannerpy.protobufs

    assert scannerpy.protobufs is scannerpy.protobuf_generator.protobufs
    from scannerpy.protobufs import protobufs

    assert protobufs is sp.protobufs
    assert protobufs.BoundingBox is sp.protobufs.BoundingBox


def test_all_that_is_public_can_be_star_imported() -> None:
    names: dict[str, object] = {}
    exec("from scannerpy import *", names)  # noqa: S102 — as a notebook does
    assert set(sp.__all__) <= names.keys()
    assert sp.__all__ == sorted(sp.__all__)
    assert not {"Any", "TYPE_CHECKING", "typing", "annotations"} & set(sp.__all__)


def test_small_classes_hold_what_they_are_given() -> None:
    handle = sp.DeviceHandle(sp.DeviceType.GPU, 1)
    assert (handle.device, handle.device_id) == (sp.DeviceType.GPU, 1)
    assert (sp.DeviceType.to_proto(sp.protobufs, sp.DeviceType.GPU), sp.protobufs.GPU) == (1, 1)
    assert sp.ColumnType.to_proto(sp.protobufs, sp.ColumnType.Blob) == sp.protobufs.Bytes
    assert sp.Job(op_args={"a": 1}).op_args() == {"a": 1}
    assert sp.SliceList([1, 2]) == [1, 2]


def test_config_names_its_default_file() -> None:
    assert Config.default_config_path() == str(Path.home() / ".scanner" / "config.toml")
