"""Money to the second, in whole numbers.

A price is a whole number of millionths of the currency per hour. What a meter runs up in a span is price × seconds, a
whole number again (millionths × seconds, of which 3,600 million make one unit of currency), so sums are exact whatever
the order and the cuts. Only what people see is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

MICROS = 1_000_000
HOUR = 3600
_UNIT = Decimal(MICROS * HOUR)
_SHOWN = Decimal("0.0000000001")


def micros(price: Decimal | str | int) -> int:
    """Return a price per hour in millionths. Raises ValueError where it has more digits than that, or is negative."""
    exact = Decimal(price) * MICROS
    if not exact.is_finite() or exact != exact.to_integral_value() or exact < 0:
        raise ValueError(f"a price has at most six decimals and is not negative; {price} is not")
    return int(exact)


@dataclass(frozen=True, slots=True)
class Span:
    """A meter that ran at one price from `start` until `end` (unix seconds)."""

    price_micros: int
    start: int
    end: int

    @property
    def amount(self) -> int:
        """What it ran up, exactly: millionths × seconds."""
        return self.price_micros * max(0, self.end - self.start)


def decimal(amount: int) -> Decimal:
    """Return an amount in units of currency, with ten decimals."""
    return (Decimal(amount) / _UNIT).quantize(_SHOWN, ROUND_HALF_EVEN)
