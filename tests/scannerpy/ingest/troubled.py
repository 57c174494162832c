"""Stand-ins for what no file we can write makes FFmpeg do: reading processes that crash, and files that hang."""

from __future__ import annotations

import os
from pathlib import Path

from scannerpy._client import readers
from scannerpy._video import ingest

serve, ingested = readers._serve, readers._ingested


def serve_and_crash(pipe, words, objects):
    """Serve in a process of the pool that dies at once if a file's name says so: always, or only the first time."""
    readers._ingested = _ingested_or_crash
    serve(pipe, words, objects)


def _ingested_or_crash(objects, file, known):
    path = Path(file[0])
    once = path.with_suffix(".crashed")
    if path.name == "crash.mp4" or (path.name == "crash once.mp4" and not once.exists()):
        once.touch()
        os._exit(139)
    return ingested(objects, file, known)


def serve_and_hang(pipe, words, objects):
    """Serve in a process that takes a pipe for a regular file, and so waits for ever for whoever writes to it."""
    ingest._checked = looked_at
    serve(pipe, words, objects)


def looked_at(file):
    """Look at a file as if any kind could become a table: a pipe then is what a disk is that does not answer."""
    return file.stat()


class Clock:
    """A clock that is turned on only while every file that is being read is one that hangs."""

    def __init__(self, readers, monkeypatch):
        self.now = 0.0
        self.busy = set()
        for reader in readers:
            monkeypatch.setattr(reader, "read", self._told(reader.read))

    def _told(self, read):
        def told(reader, file):
            self.busy.add(file[0])
            answer = read(reader, file)
            self.busy.discard(file[0])
            return answer

        return told

    def __call__(self):
        if self.busy and all(Path(path).name.startswith("stuck") for path in self.busy):
            self.now += 1000.0
        return self.now
