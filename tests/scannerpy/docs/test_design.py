"""The design pages and CONTRIBUTING name files of the code that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "design").glob("*.md"))]
NAMED = re.compile(r"`([\w/]+\.py)\b[^`]*`")
FILES = ["/" + path.relative_to(ROOT).as_posix() for top in ("src", "tests") for path in (ROOT / top).rglob("*.py")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_it_names_are_there(page):
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert not [name for name in named if not any(file.endswith("/" + name) for file in FILES)]


def test_the_tour_names_files_of_every_layer():
    named = NAMED.findall((ROOT / "docs" / "design" / "tour.md").read_text(encoding="utf-8"))
    assert {name.partition("/")[0] for name in named} >= {
        "_client", "_engine", "_graph", "_kernels", "_ops", "_plan", "_store", "_video", "_words",
    }  # fmt: skip
