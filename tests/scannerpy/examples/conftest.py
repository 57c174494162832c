"""What the examples and the apps are run with: a small film, and a process of their own for each program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scannerpy.testing import scenes

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """60 frames of 160 × 120: three shots, by day, at dusk, at night."""
    return scenes.write(tmp_path_factory.mktemp("film") / "film.mp4", frames=60, size=(160, 120))


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a program of the repository in an empty folder and gives what it printed."""

    def run(program, *arguments, fails=False, **environment):
        done = subprocess.run(
            [sys.executable, str(ROOT / program), *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "PYTHONWARNINGS": "error", **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert (done.returncode != 0) == fails, f"{program}:\n{done.stdout}\n{done.stderr}"
        return done.stderr if fails else done.stdout

    return run
