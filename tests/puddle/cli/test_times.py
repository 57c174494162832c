"""Days and times, as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import typer

from puddle._cli.times import idle_minutes, minutes_of, moment, parse, seconds

NOW = datetime(2026, 11, 25, 16, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01t12:30", "2026-11-01T12:30:00+00:00"),
        ("2026-11-01t12:30+01:00", "2026-11-01T12:30:00+01:00"),
        ("now", "2026-11-25T16:30:12+00:00"),
        ("today", "2026-11-25T00:00:00+00:00"),
        ("yesterday", "2026-11-24T00:00:00+00:00"),
        ("7d", "2026-11-18T16:30:12+00:00"),
        ("36h", "2026-11-24T04:30:12+00:00"),
        ("2w", "2026-11-11T16:30:12+00:00"),
    ],
)
def test_a_time_is_meant_as_it_is_said(said: str, meant: str) -> None:
    assert parse(said, NOW).isoformat() == meant


@pytest.mark.parametrize("said", ["", "d", "soon", "7", "7y", "-7d", "99999d", "2026-13-01", "25.11.2026", "٧d"])
def test_what_is_no_time_is_told_with_examples(said: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time; UTC: 2026-11-01"):
        moment(said)


@pytest.mark.parametrize(("said", "meant"), [("90", 90), ("90m", 90), ("2h", 120), (" 1D ", 1440), ("0090", 90)])
def test_a_span_is_minutes_or_says_what_it_is(said: str, meant: int) -> None:
    assert minutes_of(said) == idle_minutes(said) == meant


@pytest.mark.parametrize(("said", "meant"), [("never", -1), ("Never", -1), ("-1", -1)])
def test_an_idle_interval_may_be_never(said: str, meant: int) -> None:
    assert idle_minutes(said) == meant
    with pytest.raises(typer.BadParameter, match="a span such as 2h; not"):
        minutes_of(said)


@pytest.mark.parametrize("said", ["", "0", "0h", "h", "2w", "1.5h", "-5", "12345678", "٧"])
def test_what_is_no_span_is_told_with_an_example(said: str) -> None:
    with pytest.raises(typer.BadParameter, match='"never"; not'):
        idle_minutes(said)


def test_seconds_of_no_time_are_none() -> None:
    assert (seconds(None), seconds(NOW)) == (0, 1795624212)
