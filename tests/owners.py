"""Owners of what was left behind, for the tests of those who clear it away."""

from __future__ import annotations

import subprocess
import sys
from functools import cache


@cache
def dead_owner() -> str:
    """The word for a process of this machine that has ended."""
    said = "from scannerpy._words.owner import owner; print(owner())"
    return subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout.strip()
