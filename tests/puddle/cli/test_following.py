"""A log is followed line by line, whatever it does meanwhile; a table is redrawn on a terminal alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import typer

from puddle._cli import following
from puddle.client.errors.puddle_errors import BackendError


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses take no time, and are noted."""
    pauses: list[float] = []
    monkeypatch.setattr(following.time, "sleep", pauses.append)
    return pauses


def reading(*looks: str | Exception) -> Callable[[], str]:
    """A log as it is at each look; then somebody presses Ctrl-C."""
    left: Iterator[str | Exception] = iter(looks)

    def read() -> str:
        seen = next(left, None)
        if seen is None:
            raise KeyboardInterrupt
        if isinstance(seen, Exception):
            raise seen
        return seen

    return read


def followed(capsys: pytest.CaptureFixture[str], *looks: str | Exception, lines: int = 2) -> list[str]:
    with pytest.raises(typer.Exit) as left:
        following.follow(reading(*looks), lines)
    assert left.value.exit_code == 130
    return capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("time_passes")
def test_the_last_lines_come_first_and_each_new_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert followed(capsys, "a\nb\nc\n", "a\nb\nc\n", "a\nb\nc\nd\n", "b\nc\nd\ne\nf\n") == list("bcdef")


@pytest.mark.usefixtures("time_passes")
def test_a_line_is_shown_when_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert followed(capsys, "a\nstar", "a\nstarting\nb") == ["a", "starting"]


@pytest.mark.usefixtures("time_passes")
def test_a_log_that_begins_anew_is_shown_from_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    assert followed(capsys, "a\nb\n", "c\nd\n", "", "e\n") == list("abcde")


def test_a_server_that_is_restarted_meanwhile_is_waited_for(
    capsys: pytest.CaptureFixture[str], time_passes: list[float]
) -> None:
    assert followed(capsys, "a\n", BackendError("away"), BackendError("away"), "a\nb\n") == ["a", "b"]
    assert time_passes == [following.EVERY_S] * 4


@pytest.mark.usefixtures("time_passes")
def test_a_server_that_stays_away_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "AWAY_S", -1)
    with pytest.raises(BackendError):
        following.follow(reading(BackendError("away")), 2)


def test_a_table_is_not_redrawn_into_a_pipe() -> None:
    with pytest.raises(typer.BadParameter, match="puddle systems wait"):
        following.watch(lambda: None)


@pytest.mark.usefixtures("time_passes")
def test_a_table_is_redrawn_until_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(following.sys.stdout, "isatty", lambda: True, raising=False)
    drawing = reading("one", "two")
    with pytest.raises(typer.Exit):
        following.watch(lambda: typer.echo(drawing()))
    told = capsys.readouterr()
    assert "one" in told.out
    assert "two" in told.out
    assert "until Ctrl-C" in told.err
