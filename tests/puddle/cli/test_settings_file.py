"""`puddle settings` prints a file to begin with: as it is it changes nothing, and all it names can be set."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from puddle import cli
from puddle.server.settings import described, load


@pytest.fixture
def text() -> str:
    return CliRunner().invoke(cli.app, ["settings"]).stdout


def test_as_it_is_it_changes_nothing(text: str, tmp_path: Path) -> None:
    file = tmp_path / "puddle.toml"
    file.write_text(text, encoding="utf-8")
    assert load(file).model_dump() == load().model_dump()


def test_with_every_line_that_has_a_value_taken_in_it_says_what_is_the_case(text: str, tmp_path: Path) -> None:
    taken = re.sub(r"^#(\[\[.*\]\]|\w+ = [^…\n]*)$", r"\1", text, flags=re.MULTILINE)
    taken = taken.replace('cloud = "local"', 'cloud = "local"\nname = "n"')  # the one key that has to be given
    found = tomllib.loads(taken)
    assert found["server"]["port"] == 8081
    assert found["instance_types"][0]["cloud"] == "local"
    file = tmp_path / "puddle.toml"
    file.write_text(taken, encoding="utf-8")
    loaded, usual = load(file), load()
    assert loaded.model_dump(exclude={"instance_types"}) == usual.model_dump(exclude={"instance_types"})


def test_every_setting_is_in_it_and_no_line_is_long(text: str) -> None:
    names = [key.rpartition(".")[2] for key, *_ in described()]
    assert re.findall(r"^#(\w+) = ", text, re.MULTILINE) == names
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert max(map(len, comments)) <= 100
