"""The documentation builds as a site without a warning, and its pages fetch nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build it as ``make docs`` does; return its folder."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--site-dir",
            folder,
            "--config-file",
            ROOT / "mkdocs.yml",
        ],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_pages_fetch_nothing_from_elsewhere(site):
    fetched = re.compile(r"<(?:link|script|img|iframe|source|video)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^\s>]+")
    for page in site.rglob("*.html"):
        assert not fetched.findall(page.read_text(encoding="utf-8")), page.name
    imported = re.compile(r"@import[^;]*//|url\([\"']?(?:https?:)?//")
    for style in site.rglob("*.css"):
        assert not imported.search(style.read_text(encoding="utf-8")), style.name


def test_the_reference_has_the_docstrings(site):
    client = (site / "reference" / "client.html").read_text(encoding="utf-8")
    assert 'id="scannerpy.client.Client.run"' in client
    assert 'id="scannerpy.client.Client._' not in client, "what begins with an underscore stays out"
    assert 'id="scannerpy.op.register_python_op"' in (site / "reference" / "ops-calls.html").read_text(encoding="utf-8")


def test_the_pages_of_puddle_have_docstrings_and_constants(site):
    client = (site / "puddle" / "reference.html").read_text(encoding="utf-8")
    for name in (
        "systems.SystemsClient.create",
        "models.system.System.SYSTEM_STATUS_STARTED",
        "cloud.clouds.CLOUD_LOCAL",
    ):
        assert f'id="puddle.client.{name}"' in client
    assert not re.search(r'id="puddle[^"]*\._', client), "what begins with an underscore stays out"
    extending = (site / "puddle" / "extending.html").read_text(encoding="utf-8")
    assert 'id="puddle.server.clouds.base.Provider.take_snapshot"' in extending


def test_the_table_of_ops_has_every_op(site):
    import scannerpy.ops  # noqa: F401  # registers them
    from scannerpy.op import PYTHON_OP_REGISTRY

    table = (site / "reference" / "ops.html").read_text(encoding="utf-8")
    told = set(re.findall(r"<td><strong>(\w+)</strong></td>", table))
    kernels = [(name, kernel) for name, op in PYTHON_OP_REGISTRY.items() for kernel in op.kernels.values()]
    assert told == {name for name, kernel in kernels if kernel.factory.__module__.startswith("scannerpy.ops.")}


def test_every_public_module_is_in_the_reference(site, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import site_hooks

    pages = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
    names = site_hooks.public_modules()
    assert {"scannerpy.client", "scannerpy.ops.imgproc", "scannertools.imgproc"} <= set(names)
    assert not [name for name in names if not re.search(rf'{re.escape(name)}[."<]', pages)]


def test_every_page_is_in_the_navigation(site):
    front = (site / "index.html").read_text(encoding="utf-8")
    reachable = set(re.findall(r'href="([^"#]+\.html)"', front))
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    pages = {page.replace("README.html", "index.html") for page in pages}
    assert pages <= reachable
