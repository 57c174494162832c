"""How much Python a piece of work executes, in lines: the same on any machine, busy or idle.

Tests never assert on seconds. What is quick here is quick because it runs few lines of Python and leaves the rest to
numpy; a loop over rows where there was none shows at once. `benchmarks/` has the seconds.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines(work: Callable[[], Any]) -> int:
    """Run `work`; return how many lines of Python this thread executed in it, loops counted once per turn."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # what is thrown away of other tests may end in Python, here or elsewhere
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return count
