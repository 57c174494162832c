"""Running a program of this folder as its user would: by path, in a folder, a home and a database of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import write_config
from tests.databases import lite, postgres, postgres_server

__all__ = ["lite", "postgres", "postgres_server", "run"]

HERE = Path(__file__).parent


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a program in a fresh folder and home, and gives its printed lines."""
    write_config(tmp_path)

    def run(program, *args):
        environment = {**os.environ, "HOME": str(tmp_path)}
        command = [sys.executable, str(HERE / f"{program}.py"), *map(str, args)]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run
