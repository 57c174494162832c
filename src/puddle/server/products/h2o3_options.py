"""The configuration of an H2O-3 system: a few lines of TOML, of which each key is one option of its command line.

    nthreads = 4                 # worker threads; as many as the machine has cores where it is not said
    log_level = "WARN"           # TRACE DEBUG INFO WARN ERRR FATAL
    features = "stable"          # leave out algorithms that are still "beta" or "experimental"
    spill_to_disk = true         # let data that does not fit into memory go to the data disk
    memory_fraction = 0.6        # of the machine's memory, for the Java heap; XGBoost needs the rest

Whatever else stands there is refused, and values are checked one by one, so that nobody can slip in an option of Java,
another login, or another port.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 64 * 1024
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERRR", "FATAL")
FEATURES = ("stable", "beta", "experimental")


class Unusable(ValueError):
    """A configuration cannot be taken; the message says in which line, why, and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a configuration asks for: words for H2O-3's command line, and its share of the machine's memory."""

    flags: tuple[str, ...] = ()
    memory_fraction: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    fits: Callable[[Any], bool]
    rule: str
    flags: Callable[[Any], tuple[str, ...]]


def _no_flags(_value: Any) -> tuple[str, ...]:
    return ()


KEYS: Mapping[str, _Key] = {
    "nthreads": _Key(
        fits=lambda value: type(value) is int and 1 <= value <= 1024,
        rule="a whole number from 1 to 1024",
        flags=lambda value: ("-nthreads", str(value)),
    ),
    "log_level": _Key(
        fits=lambda value: value in LEVELS,
        rule=f"one of {', '.join(LEVELS)}",
        flags=lambda value: ("-log_level", value),
    ),
    "features": _Key(
        fits=lambda value: value in FEATURES,
        rule=f"one of {', '.join(FEATURES)}",
        flags=lambda value: ("-features", value),
    ),
    "spill_to_disk": _Key(
        fits=lambda value: type(value) is bool,
        rule="true or false",
        flags=lambda value: ("-cleaner",) if value else (),
    ),
    "memory_fraction": _Key(
        fits=lambda value: type(value) in {int, float} and 0.25 <= value <= 0.9,
        rule="a number from 0.25 to 0.9",
        flags=_no_flags,
    ),
}


def read_options(text: str) -> Options:
    """Return what a configuration asks for. Raises Unusable."""
    found = _parse(text)
    for key, value in found.items():
        if key not in KEYS:
            raise Unusable(f"{_line(text, key)}there is no setting {key[:40]!r}; there are {', '.join(sorted(KEYS))}")
        if not KEYS[key].fits(value):
            raise Unusable(f"{_line(text, key)}{key} must be {KEYS[key].rule}, not {value!r:.40}")
    flags = tuple(word for key, value in sorted(found.items()) for word in KEYS[key].flags(value))
    return Options(flags=flags, memory_fraction=float(found.get("memory_fraction", Options().memory_fraction)))


def _parse(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise Unusable(f"it is longer than {LONGEST} characters")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unusable(f"it is not TOML: {error}") from None
    except RecursionError:
        raise Unusable("it is nested too deeply") from None


def _line(text: str, key: str) -> str:
    lines = text.splitlines()
    at = next((number for number, line in enumerate(lines, 1) if re.match(rf"\s*\[*\s*{re.escape(key)}\b", line)), 0)
    return f"line {at}: " if at else ""
