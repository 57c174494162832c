"""The reference the decoder is held against: PyAV's own sequential decode, and a scanned video to read rows from."""

import functools
import itertools
import zlib
from pathlib import Path

import av
import numpy as np

from scannerpy._video.decode import Decoder
from scannerpy._video.scan import scan
from scannerpy.testing import videos


def golden(path):
    """What ``container.decode`` presents, turned as the display matrix says: a list of RGB arrays.

    Damage is decoded on, as a player does.
    """
    frames = []
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.thread_count = 1
        for packet in container.demux(stream):
            try:
                frames += stream.decode(packet)
            except av.error.FFmpegError:
                continue
    return [np.rot90(frame.to_ndarray(format="rgb24"), -clockwise(frame) // 90) for frame in frames]


def clockwise(frame):
    return -frame.rotation % 360


class Video:
    """A file, scanned twice: copied, and in place where that is possible."""

    def __init__(self, path):
        self.path = Path(path)
        copy = bytearray()
        self.scan = scan(self.path, copy.extend, fits_inplace=False)
        self.index = self.scan.index
        self.copy = bytes(copy)
        self.inplace = scan(self.path, None, fits_inplace=True)

    @functools.cached_property
    def golden(self):
        return golden(self.path)

    def decoder(self, threads=1, inplace=False, **options):
        data = self.path.read_bytes() if inplace else self.copy
        index = self.inplace.index if inplace else self.index
        return Decoder(index, ranges_of(data), threads, **options)

    def rows(self, rows, **options):
        """Return {row: array} of a fresh decoder."""
        return dict(self.decoder(**options).frames(np.array(list(rows), np.int64)))


def ranges_of(data):
    return lambda starts, ends: [data[a:b] for a, b in zip(starts, ends, strict=True)]


def some(rows, count, seed):
    """Return `count` random ones of so many rows (or all), ascending; the same for the same seed."""
    chance = np.random.default_rng(zlib.crc32(seed.encode()))
    return sorted(chance.choice(rows, min(rows, count), replace=False).tolist())


def patterns(rows, seed):
    """Every way rows are asked for: all, one in n, ranges, random sets, single ones."""
    yield range(rows)
    yield from (range(0, rows, step) for step in (2, 7, 30))
    yield from ([0], [rows - 1], range(rows // 3, rows // 2 + 1), range(rows - 3, rows))
    for count in (1, 3, rows // 4 + 1, rows // 2 + 1):
        yield some(rows, count, seed)
    yield sorted({row for begin in some(rows, 3, seed) for row in range(begin, min(rows, begin + 5))})


def wrong(decoder, rows, expected):
    """Return the rows that are not, bit for bit, what the sequential decode shows."""
    rows = list(rows)
    got = list(decoder.frames(np.array(rows, np.int64)))
    assert [row for row, _ in got] == rows
    assert all(frame.flags.c_contiguous and frame.flags.writeable for _, frame in got)
    return [row for row, frame in got if not np.array_equal(frame, expected[row])]


def numbers(frames):
    return [videos.read_number(frame) for frame in frames]


def in_pieces(rows, size):
    """Cut rows into consecutive requests."""
    rows = iter(rows)
    while piece := list(itertools.islice(rows, size)):
        yield piece
