"""Logging unexpected exceptions and going on: a bug in one driver must not stop the work on everything else.

The log says where and what, but never the values of variables: some renderers of logs print the locals of every frame,
and passwords are among them, so the trace is made here, as plain text.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


@contextmanager
def surviving(event: str, **about: Any) -> Iterator[None]:
    """Run the block; where it raises, log that with `about` (ids), and go on after the block."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- this is the one place that catches everything
        _log.error(event, trace="".join(traceback.format_exception(error)), **about)
