"""The backend that the guide writes passes the contracts, as the guide says."""

import os
import subprocess
import sys

import pytest

from tests.clips import write_clip
from tests.scannerpy.docs.test_snippets import ROOT, program


@pytest.mark.slow
def test_the_guides_own_backend_keeps_its_promises(tmp_path):
    write_clip(tmp_path / "film.mp4", 60)
    (tmp_path / "test_page.py").write_text(program(ROOT / "docs" / "guide" / "storage.md"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "18 passed" in done.stdout
