"""Recipes: the pickled graph and arguments of a run, stored so that it can be retried without its program.

A recipe holds pickled code, and unpickling runs it: so bytes from a database must not gain more power than who wrote
them has already. Each recipe is signed with a key that only this user's account has (``~/.scanner/signing.key``), and
nothing is unpickled whose signature is not right: what somebody else wrote into a shared database is refused. The
signature covers the job's number, so that one recipe cannot be put in the place of another.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scannerpy._graph.graph import Graph, JobArgs
from scannerpy._kernels.ship import pack_with_graph, unpack
from scannerpy._store import layout
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy._words.version import VERSION
from scannerpy.common import PerfParams
from scannerpy.errors import CorruptObject, KernelError, ScannerException, StorageError
from scannerpy.sink import SINKS, SinkType
from scannerpy.source import SOURCES, Secret, SourceType

LARGEST = 64 << 20
"""A recipe that drags more data along is not kept: it would cost every run more than a retry can save."""
_MAGIC = b"scanner recipe 1\n"
_SIGNATURE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """All that `Client.run` knew, but for what the catalog holds. ``jobs`` are the arguments before sources are found.

    `sources` and `sinks` are the registered classes of storages the graph uses, which the retrying process may lack.
    """

    graph: Graph
    jobs: Sequence[JobArgs]
    params: PerfParams
    labels: Sequence[str]
    task_timeout: float
    checkpoint_frequency: int
    sources: Mapping[str, SourceType]
    sinks: Mapping[str, SinkType]


def store(objects: Objects, job_id: int, recipe: Recipe) -> str:
    """Keep a run's recipe. Returns "" or, where that is not possible, the reason: the run itself can go on."""
    if holds_secret(recipe.graph, recipe.jobs):
        return "its arguments hold a password, which is never written down"
    try:
        key = _key(create=True)
        data = pickle.dumps((_versions(), tuple(sys.path), pack_with_graph(recipe, recipe.graph)))
    except KernelError as error:
        return f"{error.op} cannot be pickled ({error.__cause__})"
    except OSError as error:
        return f"{_key_file()} cannot be written: {error.strerror or error}"
    if len(data) > LARGEST:
        return f"its arguments are too large to be kept ({len(data) >> 20} MiB pickled)"
    objects.put(_path(job_id), _MAGIC + _sign(key, job_id, data) + data)
    return ""


def load(objects: Objects, job_id: int) -> Recipe:
    """Return a run's recipe, ready to be run in this process.

    Raises ScannerException where there is none or it was not signed by this account, and what the user's own modules
    raise when they are imported.
    """
    data = _verified(objects, job_id)
    versions, path, packed = pickle.loads(data)
    if versions != _versions():
        raise ScannerException(
            f"job {job_id} was run by {versions}, and this is {_versions()}, which may understand its code otherwise: "
            "run its program again"
        )
    sys.path += [entry for entry in path if entry not in sys.path]
    try:
        recipe: Recipe = unpack(packed)
    except (ImportError, AttributeError) as error:
        raise ScannerException(
            f"job {job_id} cannot be retried: its code is no longer where it was ({error}). Run its program again"
        ) from error
    for name, source in recipe.sources.items():
        SOURCES.setdefault(name, source)
    for name, sink in recipe.sinks.items():
        SINKS.setdefault(name, sink)
    return recipe


def holds_secret(graph: Graph, jobs: Sequence[JobArgs]) -> bool:
    """Whether an argument of a source or sink is a `Secret`."""
    mappings = [vertex.args for vertex in (*graph.sources, *graph.sinks)]
    mappings += [own for args in jobs for own in args.values() if isinstance(own, Mapping)]
    return any(isinstance(value, Secret) for mapping in mappings for value in mapping.values())


def storages(graph: Graph) -> tuple[dict[str, SourceType], dict[str, SinkType]]:
    """The sources and sinks of a graph that are not built in."""
    sources = {v.name: SOURCES[v.name] for v in graph.sources if SOURCES[v.name].reader is not None}
    sinks = {v.name: SINKS[v.name] for v in graph.sinks if SINKS[v.name].writer is not None}
    return sources, sinks


def _versions() -> str:
    """What has to be the same for pickled code to be what it was: its byte code, and the classes it is held in."""
    return f"Scanner {VERSION} on Python {sys.version_info.major}.{sys.version_info.minor}"


def _verified(objects: Objects, job_id: int) -> bytes:
    try:
        stored = objects.get(_path(job_id))
    except ObjectMissing as error:
        raise ScannerException(f"job {job_id} was not kept so that it can be retried: run its program again") from error
    head = len(_MAGIC) + _SIGNATURE
    if not stored.startswith(_MAGIC) or len(stored) < head:
        raise CorruptObject(f"{objects.where}/{_path(job_id)} is damaged: run the job's program again")
    data = stored[head:]
    try:
        signed = hmac.compare_digest(stored[len(_MAGIC) : head], _sign(_key(create=False), job_id, data))
    except OSError:
        signed = False
    if not signed:
        raise ScannerException(
            f"job {job_id} was not run by this account ({_key_file()} did not sign it), and a retry would execute what "
            "is stored of its code: run the program again instead"
        )
    return data


def _sign(key: bytes, job_id: int, data: bytes) -> bytes:
    return hmac.digest(key, b"%d\n" % job_id + data, hashlib.sha256)


def _key_file() -> Path:
    return Path.home() / ".scanner" / "signing.key"


def _key(*, create: bool) -> bytes:
    """The secret of this account; made when it is first needed. Raises OSError."""
    file = _key_file()
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        if not create:
            raise
        key = _new_key(file)
    if len(key) != _SIGNATURE:
        raise StorageError(f"{file} is damaged: delete it, and runs from now on can be retried")
    return key


def _new_key(file: Path) -> bytes:
    """Make the key; of several processes that do so at once, all get the same."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"signing.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(_SIGNATURE))
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_bytes()


def _path(job_id: int) -> str:
    return f"{layout.job_folder(job_id)}/recipe"
