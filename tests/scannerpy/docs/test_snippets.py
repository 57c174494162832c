"""Every Python snippet of the documentation runs, page by page, as a program of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clips import write_clip

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def program(page):
    """Join a page's snippets, each on the line it has in the page, so that a traceback points there."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * text.count("\n")
    for snippet in SNIPPET.finditer(text):
        start = text.count("\n", 0, snippet.start(1))
        code = snippet[1].splitlines()
        lines[start : start + len(code)] = code
    return "\n".join(lines)


WITH_SNIPPETS = [page for page in PAGES if program(page).strip()]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=lambda page: str(page.relative_to(ROOT)))
def test_snippets_run(page, tmp_path):
    write_clip(tmp_path / "film.mp4", 60)
    script = tmp_path / f"{page.stem.lower()}.py"
    script.write_text(program(page), encoding="utf-8")
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}:\n{done.stdout}\n{done.stderr}"


def test_pages_that_promise_snippets_have_them():
    promised = {
        "README.md",
        "start.md",
        "failures.md",
        "models.md",
        "performance.md",
        "seeing.md",
        "storage.md",
        "video.md",
    }
    assert {page.name for page in WITH_SNIPPETS} >= promised


LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_point_at_files_that_exist(page):
    broken = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not broken


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 50


def test_the_pictures_of_the_guide_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "docs" / "images").glob("seeing-*")) <= 200_000


def test_the_picture_in_the_readme_is_small():
    assert (ROOT / "docs" / "images" / "montage.png").stat().st_size <= 150_000
