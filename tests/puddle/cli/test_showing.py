"""What commands print: tables that never break a word, JSON that programs can read."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import pytest
import typer

from puddle._cli import showing
from puddle._cli.showing import as_dict, money, price, show_all, show_lines
from puddle.client.proto.v2 import auth_service_pb2 as auth
from puddle.client.proto.v2 import system_service_pb2 as pb

COLUMNS = {
    "NAME": lambda it: it.name,
    "COST": lambda it: money(it.current_session_cost_decimal),
    "": lambda it: it.status_reason,
    "URL": lambda it: it.default_url,
    "ID": lambda it: it.id,
    "DETAIL": lambda it: it.status_detail,
}
HIDDEN = "hidden"
ONE = pb.System(
    name="one", id="sys-1234567890abcdef", default_url="http://127.0.0.1:23000/", current_session_cost_decimal="12.345"
)
TWO = pb.System(name="日本", id="sys-2", status_detail="a sentence of many words that runs over the edge of the window")


def shown(capsys: pytest.CaptureFixture[str], things: Iterable[pb.System], *, js: bool = False) -> tuple[str, str]:
    show_all(things, COLUMNS, lambda it: it, js=js, none="There are none.")
    told = capsys.readouterr()
    return told.out, told.err


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that is forty columns wide."""
    monkeypatch.setattr(showing, "window", lambda: 40)


def test_into_a_pipe_goes_everything_a_line_for_each_thing(capsys: pytest.CaptureFixture[str]) -> None:
    told, beside = shown(capsys, [ONE, TWO])
    assert told.splitlines() == [
        "NAME   COST  URL                      ID                    DETAIL",
        "one   12.35  http://127.0.0.1:23000/  sys-1234567890abcdef",
        f"日本   0.00                           sys-2                 {TWO.status_detail}",
    ]
    assert beside == ""


@pytest.mark.usefixtures("window")
def test_a_narrow_window_loses_whole_columns_and_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    told, beside = shown(capsys, [ONE])
    assert told.splitlines()[1] == "one   12.35  http://127.0.0.1:23000/"
    assert beside == "(ID: in a wider window, in a pipe, or with --json)\n"


@pytest.mark.usefixtures("window")
def test_a_sentence_runs_over_the_edge_rather_than_being_cut(capsys: pytest.CaptureFixture[str]) -> None:
    told, _ = shown(capsys, [TWO])
    assert TWO.status_detail in told


@pytest.mark.usefixtures("window")
def test_the_first_column_is_there_in_every_window(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "window", lambda: 2)
    told, beside = shown(capsys, [ONE])
    assert told.splitlines() == ["NAME  DETAIL", "one"]
    assert "COST, URL, ID" in beside


def test_nothing_is_said_in_words_and_beside_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, []) == ("", "There are none.\n")
    assert shown(capsys, [], js=True) == ("[]\n", "")


def test_json_has_numbers_as_numbers_in_the_order_of_the_messages(capsys: pytest.CaptureFixture[str]) -> None:
    told, _ = shown(capsys, [pb.System(id="sys-1", created=1_700_000_000)], js=True)
    (system,) = json.loads(told)
    assert (system["created"], system["generation"], system["vm_status"]) == (1_700_000_000, 0, "VM_STATUS_UNKNOWN")
    known = [field.name for field in pb.System.DESCRIPTOR.fields if field.name in system]
    assert list(system) == known


def test_json_has_numbers_and_no_secrets_in_inner_messages_either() -> None:
    snapshots = [pb.Snapshot(id="snap-1", created=7)]
    system = pb.System(password=HIDDEN, snapshots=snapshots, activity=pb.Activity(last_activity=9, reasons=["x"]))
    told = as_dict(pb.SystemWithModels(system=system))
    assert told["system"]["snapshots"][0]["created"] == 7
    assert (told["system"]["activity"]["last_activity"], told["system"]["activity"]["reasons"]) == (9, ["x"])
    assert HIDDEN not in json.dumps(told)
    assert "secret" not in as_dict(auth.ApiKey(secret=HIDDEN))


@pytest.mark.usefixtures("window")
def test_lines_go_on_in_line_and_break_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    show_lines({"why": "it was last used three minutes ago, by you", "url": "http://host/" + "x" * 40, "none": ""})
    assert capsys.readouterr().out.splitlines() == [
        "why  it was last used three minutes ago,",
        "     by you",
        "url  http://host/" + "x" * 40,
    ]


def test_lines_into_a_pipe_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    show_lines({"why": "word " * 50})
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    ("exact", "told"),
    [
        ("", "0.00"),
        ("0.0000000000", "0.00"),
        ("0.0000000001", "<0.01"),
        ("0.0049999999", "<0.01"),
        ("0.005", "0.01"),
        ("0.0149", "0.01"),
        ("12", "12.00"),
        ("1234.999", "1235.00"),
    ],
)
def test_money_is_rounded_and_a_little_is_not_nothing(exact: str, told: str) -> None:
    assert money(exact) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [("0.1", "0.10"), ("0.05", "0.05"), ("3", "3.00"), (0.000001, "0.000001"), (1234.567891, "1234.567891")],
)
def test_prices_are_exact_and_have_two_places_at_least(said: str | float, told: str) -> None:
    assert price(said) == told


@pytest.mark.usefixtures("window")
def test_colours_can_be_switched_off(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typer, "echo", lambda text, **_: sys.stdout.write(text))  # it takes colours out of a pipe
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert shown(capsys, [ONE])[0].startswith("\x1b[1mNAME")
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(capsys, [ONE])[0].startswith("NAME")
