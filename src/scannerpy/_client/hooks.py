"""Hooks around every `Client.run` of a process, for tools that execute programs others have written.

``scanner run`` and ``scanner explain`` use them to observe, change or replace the runs of an unchanged program. See
docs/guide/command-line.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from scannerpy.common import CacheMode

if TYPE_CHECKING:
    from scannerpy.client import Client
    from scannerpy.sink import Sink


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A call of `Client.run`: the client and the arguments. A changed one is made with ``dataclasses.replace``."""

    client: Client
    outputs: Sequence[Sink]
    perf_params: Any = None
    cache_mode: CacheMode = CacheMode.Error
    show_progress: bool = True
    task_timeout: float = 0
    checkpoint_frequency: int = 10
    detach: bool = False


Proceed = Callable[[RunRequest], int | None]
RunHook = Callable[[RunRequest, Proceed], int | None]

_hooks: list[RunHook] = []


@contextmanager
def around_runs(hook: RunHook) -> Iterator[None]:
    """Within the block, call ``hook(request, proceed)`` instead of every `Client.run` of this process.

    The hook calls ``proceed(request)``, with this request or a changed one, to have it carried out. What it returns, a
    job id or None, the program gets. Hooks may be nested: the inner one is called first.
    """
    _hooks.append(hook)
    try:
        yield
    finally:
        _hooks.remove(hook)


def run_with_hooks(request: RunRequest, carry_out: Proceed) -> int | None:
    """Carry out a request through all hooks, the innermost first."""
    proceed = carry_out
    for hook in _hooks:
        proceed = partial(_call, hook, proceed)
    return proceed(request)


def _call(hook: RunHook, proceed: Proceed, request: RunRequest) -> int | None:
    return hook(request, proceed)
