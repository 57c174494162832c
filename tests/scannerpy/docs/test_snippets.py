"""Every Python snippet of the documentation runs, page by page, as a program of its own.

The snippets of a page share one namespace and find a small ``film.mp4`` beside them. A tutorial page is the file of the
same name in `examples/`, which `test_examples` runs. A snippet that cannot run here says why, in a comment above it:
``<!-- not run: the reason -->``. The pages of Puddle need a server, and have a test of their own (`tests/puddle/docs`).
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clips import write_clip

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
STEPS = sorted((ROOT / "docs" / "tutorial").glob("[0-9]*.md"))
SNIPPET = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```python\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)
NOT_RUN = re.compile(r"<!--.*not.run.*-->")


def program(page):
    """Join a page's snippets, each on the line it has in the page, so that a traceback points there."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * text.count("\n")
    for snippet in SNIPPET.finditer(text):
        if snippet["reason"]:
            continue
        start = text.count("\n", 0, snippet.start("code"))
        code = snippet["code"].splitlines()
        lines[start : start + len(code)] = code
    return "\n".join(lines)


def name_of(page):
    return str(page.relative_to(ROOT))


OF_PUDDLE = sorted((ROOT / "docs" / "puddle").glob("*.md"))
WITH_SNIPPETS = [page for page in PAGES if program(page).strip() and page not in {*STEPS, *OF_PUDDLE}]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("film") / "film.mp4", 60)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=name_of)
def test_snippets_run(page, film, tmp_path):
    shutil.copy(film, tmp_path)
    script = tmp_path / f"{page.stem.lower()}.py"
    script.write_text(program(page), encoding="utf-8")
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}:\n{done.stdout}\n{done.stderr}"


def test_pages_that_promise_snippets_have_them():
    assert {page.name for page in WITH_SNIPPETS} >= {
        "README.md",
        "daft.md",
        "failures.md",
        "graphs.md",
        "index.md",
        "models.md",
        "opencv.md",
        "performance.md",
        "ray-data.md",
        "scanner.md",
        "seeing.md",
        "start.md",
        "state-and-slices.md",
        "storage.md",
        "video.md",
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_snippet_that_is_not_run_says_why(page):
    text = page.read_text(encoding="utf-8")
    told = [snippet["reason"] for snippet in SNIPPET.finditer(text) if snippet["reason"]]
    assert len(NOT_RUN.findall(text)) == len(told), "the comment stands on the line above the snippet, with a reason"


@pytest.mark.parametrize("page", STEPS, ids=name_of)
def test_a_tutorial_page_is_the_program_in_examples(page):
    example = ROOT / "examples" / f"{page.stem.replace('-', '_')}.py"
    written = ast.parse(example.read_text(encoding="utf-8"))
    assert ast.dump(ast.parse(program(page))) == ast.dump(ast.Module(written.body[1:], [])), "but for the docstring"


def test_the_tutorial_has_ten_steps_and_as_many_examples():
    assert [page.name[:2] for page in STEPS] == [f"{n:02}" for n in range(10)]
    assert len(list((ROOT / "examples").glob("[0-9]*.py"))) == 10


LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_links_point_at_files_that_exist(page):
    text = re.sub(r"^```.*?^```|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    broken = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert not broken


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 50


def test_the_pictures_of_the_guide_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "docs" / "images").glob("seeing-*")) <= 200_000


def test_pictures_are_small():
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size <= 150_000, picture.name
