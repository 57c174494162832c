"""Money on the wire: a double for those who show it, a decimal string for those who add it up."""

from __future__ import annotations

from puddle.server.domain.cost import HOUR, MICROS, decimal

_UNIT = float(MICROS * HOUR)


def amount(cost: int) -> float:
    """Return a cost (millionths × seconds) in units of currency, as near as a double comes."""
    return cost / _UNIT


def exact(cost: int) -> str:
    """Return a cost as a decimal, to ten places."""
    return format(decimal(cost), "f") if cost else "0.0000000000"


def price(micros: int) -> float:
    """Return a price per hour in units of currency."""
    return micros / MICROS


def exact_price(micros: int) -> str:
    """Return a price per hour as a decimal, without zeros at its end."""
    whole, part = divmod(micros, MICROS)
    return f"{whole}.{part:06d}".rstrip("0") if part else str(whole)


def budget(micros: int) -> str:
    """Return a budget per month as a decimal; empty where there is none."""
    return exact_price(micros) if micros else ""
