"""Streams of files, Python values, audio and captions, under their older import path: see `scannerpy.backends`."""

from scannertools.storage import audio, caption, files, python

__all__ = ["audio", "caption", "files", "python"]
