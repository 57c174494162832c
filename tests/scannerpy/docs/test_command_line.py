"""docs/guide/command-line.md and the command line say the same: every command and option, and valid examples."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from scannerpy import cli
from scannerpy._client.reports import JobReport

PAGE = (Path(__file__).parents[3] / "docs" / "guide" / "command-line.md").read_text(encoding="utf-8")
GROUP = typer.main.get_command(cli.app)
SECTIONS = dict(re.findall(r"^## scanner (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = [line.partition(" #")[0] for block in BLOCKS for line in block.splitlines()]
EVERYWHERE = {"--db", "--json", "--help"}  # described once for all


def options(command):
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


@pytest.mark.parametrize("name", sorted(GROUP.commands))
def test_every_command_and_option_is_documented(name):
    section = SECTIONS[name]
    missing = [option for option in options(GROUP.commands[name]) - EVERYWHERE if f"`{option}" not in section]
    assert not missing, f"`scanner {name}` has {missing}, of which its section says nothing"


def test_no_command_is_documented_that_there_is_not():
    assert set(SECTIONS) == set(GROUP.commands)


@pytest.mark.parametrize("name", sorted(set(GROUP.commands) - {"demo"}))
def test_machines_can_read_every_answer_of_any_database(name):
    expected = {"--json"} if name == "verify" else {"--json", "--db"}  # verify has a database of its own
    assert expected <= options(GROUP.commands[name])


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_a_command_line(line):
    words = shlex.split(line)
    assert words[0] == "scanner"
    command = GROUP.commands[words[1]]
    with command.make_context(words[1], words[2:]) as context:
        assert all(context.params[p.name] is not None for p in command.params if p.required)


def test_every_help_begins_with_a_sentence():
    for command in GROUP.commands.values():
        assert command.get_short_help_str(200).endswith("."), command.name


def test_every_state_of_a_run_is_documented():
    words = re.search(r"`state` is one of (.*?)\.\n", JobReport.__doc__, re.DOTALL)[1]
    states = {word.strip().split()[0] for word in re.sub(r"\([^)]*\)", "", words).split(",")}
    assert states == {"running", "finished", "incomplete", "failed", "cancelled", "interrupted"}
    assert all(f"| `{state}` |" in SECTIONS["show"] for state in states)
