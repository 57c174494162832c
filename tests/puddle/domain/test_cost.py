"""Money: exact whatever the cuts."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.domain.cost import Span, decimal, micros

PRICES, TIMES = st.integers(0, 10**12), st.integers(0, 2**33)


def test_the_example_of_the_specification():
    """0.90 an hour: 2 h 30 cost 2.25, 40 minutes 0.60."""
    price = micros("0.90")
    assert decimal(Span(price, 1000, 1000 + 9000).amount) == Decimal("2.25")
    assert decimal(Span(price, 0, 2400).amount) == Decimal("0.60")


@given(PRICES, TIMES, TIMES, st.lists(TIMES, max_size=8))
def test_a_span_cut_anywhere_costs_the_same(price, start, length, cuts):
    whole = Span(price, start, start + length)
    edges = sorted({start, whole.end, *(min(max(at, start), whole.end) for at in cuts)})
    pieces = [Span(price, begin, end) for begin, end in itertools.pairwise(edges)]
    assert sum(piece.amount for piece in pieces) == whole.amount


@pytest.mark.parametrize("price", ["0.0000001", "-1", "NaN", "Infinity"])
def test_prices_that_cannot_be_kept_exactly_are_refused(price):
    with pytest.raises(ValueError, match="six decimals"):
        micros(price)


def test_a_span_that_ends_before_it_begins_costs_nothing():
    assert Span(5, 10, 3).amount == 0
