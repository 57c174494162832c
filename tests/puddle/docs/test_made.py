"""What the pages have from the code is as fresh as the code."""

import sys

import pytest

from tests.puddle.docs.pages import PAGES, ROOT


@pytest.fixture
def making(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import make_puddle_pages

    yield make_puddle_pages
    del sys.modules["make_puddle_pages"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_made_from_the_code_is_fresh(making, page):
    text = page.read_text(encoding="utf-8")
    assert making.made(text) == text, "python tools/make_puddle_pages.py writes it anew"


def test_everything_that_can_be_made_is_in_a_page(making):
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [what for what in making.MAKERS if f"<!-- made: {what} -->" not in text] == []
    assert text.count("<!-- made: ") == text.count("<!-- made end -->") == len(making.MAKERS)


def test_a_page_that_is_not_fresh_would_be_noticed(making):
    old = "before\n<!-- made: states -->\nan old table\n<!-- made end -->\nafter"
    fresh = making.made(old)
    assert "| STARTED | **stop** | STOPPING |" in fresh
    assert "an old table" not in fresh
    assert (fresh.startswith("before\n"), fresh.endswith("\nafter")) == (True, True)
    assert making.made(fresh) == fresh


def test_a_page_that_asks_for_what_nobody_makes_is_refused(making):
    with pytest.raises(KeyError):
        making.made("<!-- made: pictures -->\n<!-- made end -->")
