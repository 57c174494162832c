"""What an event has changed is told in a few words."""

from __future__ import annotations

import json

import pytest

from puddle._cli.changes import told


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"price_micros": 50_000}, {"price_micros": 70_000}, "price 0.05 → 0.07"),
        ({"budget_micros": 0, "cu": 3}, {"budget_micros": 100_000_000, "cu": 3}, "budget 0 → 100"),
        ({"idle_minutes": 60, "updated": 1}, {"idle_minutes": 120, "updated": 2}, "idle minutes 60 → 120"),
        ({"extended": 0}, {"extended": 1_800_000_000}, "extended never → 2027-01-15 08:00 UTC"),
        (
            {"groups": ["a", "b"], "email": ""},
            {"groups": [], "email": "a@b.c"},
            "groups a, b → none, email none → a@b.c",
        ),
        ({"active": True}, {"active": False}, "active True → False"),
        (None, {"name": "first", "disk_gb": 10}, "first"),
        (None, {"label": "cost-center"}, "cost-center"),
        (None, {"start": 1}, ""),
        ({"status": "AVAILABLE"}, None, ""),
        (None, None, ""),
    ],
)
def test_what_is_different_is_told(before: object, after: object, words: str) -> None:
    assert told(*("" if it is None else json.dumps(it) for it in (before, after))) == words


def test_what_is_no_object_has_changed_nothing() -> None:
    assert told("[]", "[1]") == ""
