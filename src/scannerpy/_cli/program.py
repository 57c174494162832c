"""Executing a user's program as ``python FILE`` would: as ``__main__``, with its own arguments and module path."""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from scannerpy.errors import ScannerException


def execute(program: Path, arguments: Sequence[str], *, quiet: bool = False) -> int:
    """Execute a program to its end; its exit status. `quiet` sends what it prints to the standard error.

    What the program raises is told as Python tells it, but for errors of Scanner's, which are raised again.
    """
    if not program.is_file():
        raise ScannerException(f"{program} is not a file: give the path of a Python program")
    with _surroundings(program, arguments), _printing(quiet=quiet):
        try:
            runpy.run_path(str(program), run_name="__main__")
        except SystemExit as leaving:
            return _status(leaving)
        except (ScannerException, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  # whatever a user's program raises is shown as Python shows it
            sys.stderr.write("".join(traceback.format_exception(_from(error, program))))
            return 1
    return 0


def place_of(error: BaseException, program: Path) -> str:
    """Return ``file:line``, where in the program an error came up; its name alone where that cannot be told."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(program)]
    return f"{program}:{frames[-1].lineno}" if frames else str(program)


@contextlib.contextmanager
def _surroundings(program: Path, arguments: Sequence[str]) -> Iterator[None]:
    argv, path = sys.argv, list(sys.path)
    sys.argv = [str(program), *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = os.path.realpath(program.parent)  # where `python FILE` looks first
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path


@contextlib.contextmanager
def _printing(*, quiet: bool) -> Iterator[None]:
    if not quiet:
        yield
        return
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _status(leaving: SystemExit) -> int:
    """What Python would make of ``sys.exit(…)``."""
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    sys.stderr.write(f"{leaving.code}\n")
    return 1


def _from(error: BaseException, program: Path) -> BaseException:
    """The error with its traceback cut to where the program begins."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != str(program):
        frames = frames.tb_next
    return error.with_traceback(frames) if frames is not None else error.with_traceback(None)
