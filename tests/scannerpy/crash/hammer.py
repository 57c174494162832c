"""Kills a run at random moments and starts it again until it is done; says what was computed twice, and whether the
bytes agree.

By hand, many times::

    python -m tests.scannerpy.crash.hammer --trials 200 --seed 1

What is durable is seen from outside: each stored row carries a mark (``row=00017;`` in one sink, ``pix=00017;`` in
the other), and a row is durable once both stand in files that have their final names. Such a row may not be computed
again.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.clips import write_clip
from tests.conftest import write_config

PROGRAM = Path(__file__).with_name("program.py")
ROOT = Path(__file__).parents[3]
FRAMES = 120
MARK = re.compile(rb"(row|pix)=(\d{5});")
PATIENCE = 90.0  # seconds one attempt may take
FAREWELL = 60.0  # seconds its processes may take to be gone, once its output has ended


class Hanging(AssertionError):
    """A run did not come to its end, or left processes behind."""


@dataclass
class Trial:
    """What came of one disturbed run."""

    attempts: int = 0
    killed: list[str] = field(default_factory=list)
    answer: str = ""
    again: list[int] = field(default_factory=list)  # rows computed after they were durable
    saved: int = 0  # rows an attempt found done when it started


class Hammer:
    """Runs `program.py` in a folder of its own."""

    def __init__(self, folder: Path, mode: str = "Ignore") -> None:
        self.folder, self.mode = folder, mode
        folder.mkdir(parents=True, exist_ok=True)
        self.clip = write_clip(folder / "clip.mp4", FRAMES, gop=30)
        self.home = folder / "home"
        self.span = 1.0  # seconds between the first row and the end, undisturbed

    def undisturbed(self) -> str:
        """Run once in peace; return the answer all others must give."""
        self._fresh()
        run = self._start(0)
        answer = self._finish(run)
        assert not run.returncode, f"the undisturbed run failed: {answer}"
        times = [when for _, when, _ in self._log()]
        self.span = max(times) - min(times) + 0.3
        return answer

    def trial(self, chance: random.Random, kills: int = 1) -> Trial:
        """Kill up to `kills` attempts, one random process of each, then let the program finish."""
        self._fresh()
        trial, durable = Trial(), list[tuple[float, dict[Path, set[tuple[bytes, int]]]]]()
        for attempt in range(kills + 1):
            trial.attempts += 1
            durable.append(self._durable())
            run = self._start(attempt)
            if attempt < kills:
                self._wait(run, attempt, chance)
                durable.append(self._durable())
                trial.killed.append(self._kill_one(run, chance))
            trial.answer = self._finish(run)
            if run.returncode == 0:
                break
        trial.saved = max(len(self._rows(marks)) for _, marks in durable)
        until = self._made_anew(durable)
        trial.again = sorted({row for since, marks in durable for row in self._repeated(since, marks, until)})
        return trial

    def _fresh(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        write_config(self.home)

    def _start(self, attempt: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAM), str(self.clip), str(self.home / "log"), self.mode]
        environment = {**os.environ, "HOME": str(self.home), "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
        environment["CRASH_ATTEMPT"] = str(attempt)
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=self.home, env=environment, text=True, start_new_session=True, **streams)

    def _wait(self, run: subprocess.Popen[str], attempt: int, chance: random.Random) -> None:
        """Sleep until a random moment: mostly while rows are computed, sometimes while the program starts."""
        if chance.random() < 0.15:
            time.sleep(chance.uniform(0, 1))
            return
        deadline = time.monotonic() + PATIENCE
        while run.poll() is None and not any(mine == attempt for mine, _, _ in self._log()):
            if time.monotonic() > deadline:
                raise Hanging("no row was computed")
            time.sleep(0.005)
        time.sleep(chance.uniform(0, self.span))

    def _kill_one(self, run: subprocess.Popen[str], chance: random.Random) -> str:
        """Kill the client, a worker, or one of the helper processes; return which kind it was."""
        by_role: dict[str, list[psutil.Process]] = {}
        for process in _family(run.pid):
            by_role.setdefault(_role(process, run.pid), []).append(process)
        if not by_role:
            return "nobody: it was done"
        role = chance.choice([role for role in by_role for _ in range(1 if role == "helper" else 3)])
        try:
            chance.choice(by_role[role]).send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return "nobody: it was done"
        return role

    def _finish(self, run: subprocess.Popen[str]) -> str:
        """Wait for the program and all it started; return its last line."""
        family = _family(run.pid)
        try:
            text, _ = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired as late:
            _end(family)
            raise Hanging(f"no end after {PATIENCE} s: {late.output!r}") from late
        _, left = psutil.wait_procs(family, timeout=FAREWELL)
        if left := [process for process in left if not _unburied(process)]:
            names = [" ".join(_words(process)) for process in left]
            _end(left)
            raise Hanging(f"processes left behind: {names}")
        return text.strip().splitlines()[-1] if text.strip() else ""

    def _log(self) -> list[tuple[int, float, int]]:
        path = self.home / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        parts = [line.split() for line in lines]
        return [(int(attempt), float(when), int(row)) for attempt, when, row in parts]

    def _durable(self) -> tuple[float, dict[Path, set[tuple[bytes, int]]]]:
        """Return what is stored, and a time at which it was. A run may be going on, so the time is that of the end."""
        marks = self._marks()
        return time.monotonic(), marks

    def _marks(self) -> dict[Path, set[tuple[bytes, int]]]:
        """Return the marks that stand in each file of the database now; files and folders may go meanwhile."""
        found: dict[Path, set[tuple[bytes, int]]] = {}
        for folder, _, names in os.walk(self.home / "db"):
            for path in (Path(folder, name) for name in names):
                with suppress(FileNotFoundError):
                    found[path] = {(kind, int(row)) for kind, row in MARK.findall(path.read_bytes())}
        return found

    def _rows(self, marks: dict[Path, set[tuple[bytes, int]]]) -> set[int]:
        """Return the rows both of whose marks stand in files that are whole."""
        stored = {mark for path, found in marks.items() if _whole(path) for mark in found}
        return {row for kind, row in stored if kind == b"row"} & {row for kind, row in stored if kind == b"pix"}

    def _made_anew(self, durable: list[tuple[float, dict[Path, set[tuple[bytes, int]]]]]) -> float:
        """Return when all was there: from then on a program that overwrites rightly computes everything again."""
        complete = [when for when, marks in durable if len(self._rows(marks)) == FRAMES]
        return min(complete, default=math.inf) if self.mode == "Overwrite" else math.inf

    def _repeated(self, since: float, marks: dict[Path, set[tuple[bytes, int]]], until: float = math.inf) -> set[int]:
        durable = self._rows(marks)
        return {row for _, when, row in self._log() if since < when < until and row in durable}


def _whole(path: Path) -> bool:
    """Say whether a file has its final name, and so counts; a writer's own lies in a hidden folder."""
    return not any(part.startswith(".") for part in path.parts) and "#" not in path.name


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        return [p for p in family if p.status() != psutil.STATUS_ZOMBIE]
    except psutil.NoSuchProcess:
        return []


def _role(process: psutil.Process, client: int) -> str:
    """Return what a process is to the run: workers are forked by a helper, helpers are started by the client."""
    try:
        return "client" if process.pid == client else "helper" if process.ppid() == client else "worker"
    except psutil.NoSuchProcess:
        return "helper"


def _unburied(process: psutil.Process) -> bool:
    """Say whether a process has ended, though whoever adopted it has not asked how."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return ["gone"]


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def main() -> None:
    """Run many trials and print what came of them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--mode", default="Ignore", choices=["Ignore", "Overwrite"])
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp())
    hammer = Hammer(folder, given.mode)
    right = hammer.undisturbed()
    print(f"undisturbed: {right}, {hammer.span:.2f} s of rows")  # noqa: T201 -- a program for the terminal
    wrong = 0
    for number in range(given.trials):
        chance = random.Random(f"{given.seed} {number}")  # noqa: S311 -- only has to be repeatable
        trial = hammer.trial(chance, kills=chance.choice((1, 1, 2, 3)))
        good = trial.answer == right and not trial.again
        wrong += not good
        print(number, "ok" if good else "WRONG", trial, flush=True)  # noqa: T201
    print(f"{given.trials} trials, {wrong} wrong")  # noqa: T201
    shutil.rmtree(folder)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
