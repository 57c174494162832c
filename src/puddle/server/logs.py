"""Logging to stderr: one line an event, as text on a terminal and as JSON elsewhere.

Tracebacks come without the values of variables, which may be secrets. Control characters are replaced: log lines quote
clouds, products and callers, who must not control the terminal of the reader.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

from puddle.server.domain.printed import readable

Format = Literal["auto", "json", "text"]


def configure(level: str, form: Format) -> None:
    """Configure the logs of this process, and those of libraries from warnings on."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _fit_for_a_terminal,
            _renderer(text=text),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Fit("%(asctime)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _fit_for_a_terminal(_logger: object, _method: str, told: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: readable(value) if isinstance(value, str) else value for name, value in told.items()}


class _Fit(logging.Formatter):
    """The same for the logs of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        return readable(super().format(record))


def _renderer(*, text: bool) -> structlog.typing.Processor:
    if text:
        plain = structlog.dev.plain_traceback
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    return structlog.processors.JSONRenderer()
