"""The requirements files: hashed, free of addresses, and in step with pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def pins(name):
    return dict(PINNED.findall((ROOT / "requirements" / f"{name}.txt").read_text()))


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements):
    return {re.split(r"[<>=!~\[ ;]", line, maxsplit=1)[0] for line in requirements}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_an_index(path):
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links|trusted-host)", text, re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_pin_has_a_hash(path):
    for entry in re.split(r"\n(?=\S)", path.read_text().strip()):
        assert "--hash=sha256:" in entry, entry


def test_every_dependency_is_pinned():
    assert names(project()["dependencies"]) <= set(pins("run"))
    assert names(project()["dependencies"]) | names(project()["optional-dependencies"]["dev"]) <= set(pins("dev"))


def test_demo_and_tests_run_on_the_same_versions():
    run, dev = pins("run"), pins("dev")
    assert run.items() <= dev.items()


def test_each_dependency_has_its_reason_beside_it():
    text = (ROOT / "pyproject.toml").read_text()
    for line in re.findall(r'^    "[a-z].*>=.*$', text, re.MULTILINE):
        assert "#" in line, line
