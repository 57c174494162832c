"""Experiments as Driverless AI's driver reads them: a JSON list of objects, with the words of `DriverlessAIModel`.

The list comes from a user's machine: what does not fit is left at its default, texts are cut, and there is a limit to
how many are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeGuard

from puddle.server.domain.printed import readable
from puddle.server.products.asking import Unanswered
from puddle.server.products.base import Experiment

MAX_EXPERIMENTS = 10_000
LONGEST = 500
LARGEST = (1 << 31) - 1  # what fits on the wire


def read_experiments(answer: object) -> Sequence[Experiment]:
    """Return the experiments of an answer. Raises Unanswered where it is not a list."""
    if not isinstance(answer, list):
        raise Unanswered("its experiments are not a list", 200)
    return tuple(
        _experiment(item) for item in answer[:MAX_EXPERIMENTS] if isinstance(item, Mapping) and _text(item.get("id"))
    )


def _experiment(item: Mapping[str, Any]) -> Experiment:
    values = {field.name: READ[str(field.type)](item.get(field.name)) for field in fields(Experiment)}
    return Experiment(**values)


def _text(value: object) -> str:
    return readable(value[:LONGEST]) if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return int(value) if _is_number(value) and 0 <= value <= LARGEST else 0


def _real(value: object) -> float:
    return float(value) if _is_number(value) and abs(value) < 1e300 else 0.0


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


READ: Mapping[str, Callable[[Any], Any]] = {"str": _text, "int": _whole, "float": _real}
