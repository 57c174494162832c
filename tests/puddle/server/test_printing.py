"""What others have written reaches terminals as text: in logs, in tables, in details."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from puddle._cli.showing import role_name, show_all, show_one
from puddle.client.proto.v2.common_pb2 import TagData
from puddle.server.products.dai_experiments import read_experiments
from puddle.server.products.running import read_text
from puddle.testing.shells import ProcessShell

BAD = "a\x1b]0;owned\x07\x1b[2Jb\x9bc"
SAYS = """
import logging, structlog, sys
from puddle.server import logs
logs.configure("info", sys.argv[1])
bad = sys.argv[2]
log = structlog.get_logger("x")
log.warning(bad, sentence=bad, told=[bad])
try:
    raise ValueError(bad)
except ValueError as error:
    log.error("a call broke", exc_info=error)
logging.getLogger("library").warning("%s", bad)
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_have_no_control_characters_but_ends_of_lines(form: str) -> None:
    done = subprocess.run([sys.executable, "-c", SAYS, form, BAD], capture_output=True, check=True, text=True)
    assert done.stderr.count("owned") == 5
    assert "\x1b" not in done.stderr
    assert "\x07" not in done.stderr
    if form == "json":
        assert all(json.loads(line) for line in done.stderr.splitlines() if line.startswith("{"))


def test_a_log_s_handler_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Configuring twice does not tell everything twice."""
    from puddle.server import logs

    before = logging.root.handlers[:]
    try:
        for _ in range(2):
            logs.configure("info", "json")
        assert len(logging.root.handlers) == 1
    finally:
        logging.root.handlers[:] = before
        structlog.reset_defaults()  # else whatever is logged after this test goes to a stream that is closed


@pytest.mark.parametrize("name", ["[/red]", "[bold]x[/bold]", "[link=http://evil]x[/link]"])
def test_a_table_shows_what_looks_like_markup_as_it_is(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A snapshot may be called so; it must neither break the table nor dress it up."""
    show_all([name], {"NAME": lambda it: it}, lambda it: TagData(label=it), js=False, none="")
    assert name in capsys.readouterr().out


def test_tables_and_details_have_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    show_all([BAD], {"NAME": lambda it: it}, lambda it: TagData(label=it), js=False, none="")
    show_one(TagData(label=BAD), {"name": BAD}, js=False)
    out = capsys.readouterr().out
    assert out.count("owned") == 2
    assert not {"\x1b", "\x07", "\x9b"} & set(out)


def test_what_a_product_or_its_user_wrote_is_made_readable_where_it_comes_in(tmp_path: Path) -> None:
    """It is shown on the terminals of administrators."""
    shell = ProcessShell(tmp_path, tmp_path)
    shell.write("config.toml", BAD.encode() + b"\0\n\tx = 1\n")
    read = read_text(shell, "config.toml", 1000)
    (experiment,) = read_experiments([{"id": "1", "description": BAD}])
    for text in (read, experiment.description):
        assert text is not None
        assert "owned" in text
        assert not {"\x1b", "\x07", "\x9b", "\0"} & set(text)
    assert str(read).endswith("\n\tx = 1\n")


def test_a_role_of_a_newer_server_is_shown_as_its_number() -> None:
    assert [role_name(role) for role in (1, 2, 99)] == ["user", "admin", "99"]
