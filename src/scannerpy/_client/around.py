"""A place to stand around every `Client.run` of a process, for tools that carry out programs others have written.

``scanner run`` and ``scanner explain`` are made with it: a program is executed as it is, and what its runs do is seen,
or done differently. See docs/guide/command-line.md.
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
    """A call of `Client.run`: the client and the arguments. Make another with ``dataclasses.replace``."""

    client: Client
    outputs: Sequence[Sink]
    perf_params: Any = None
    cache_mode: CacheMode = CacheMode.Error
    show_progress: bool = True
    task_timeout: float = 0
    checkpoint_frequency: int = 10
    detach: bool = False


GoOn = Callable[[RunRequest], int | None]
Around = Callable[[RunRequest, GoOn], int | None]

_around: list[Around] = []


@contextmanager
def around_runs(hook: Around) -> Iterator[None]:
    """Within the block, call ``hook(request, go_on)`` in the place of every `Client.run` of this process.

    The hook calls ``go_on(request)``, with this request or a changed one, to have it carried out, and returns a job id
    or None, which the program gets. Hooks may be nested: the inner one is asked first.
    """
    _around.append(hook)
    try:
        yield
    finally:
        _around.remove(hook)


def carried_out(request: RunRequest, carry_out: GoOn) -> int | None:
    """Have a request carried out, by way of all hooks."""
    go_on = carry_out
    for hook in _around:
        go_on = partial(_asked, hook, go_on)
    return go_on(request)


def _asked(hook: Around, go_on: GoOn, request: RunRequest) -> int | None:
    return hook(request, go_on)
