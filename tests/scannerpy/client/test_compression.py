"""How frames are stored does not depend on the sizes of packets, and neither does what is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import scannerpy as sp


@sp.register_python_op(name="CompressionTurnsGray")
def turns_gray(config, row: bytes) -> sp.FrameType:
    number = struct.unpack("=Q", row)[0]
    return np.zeros((16, 16, 3) if number < 4 else (16, 16, 1), np.uint8)


def run(cl, compression, io):
    cl.new_table("rows", ["column"], [[struct.pack("=Q", row)] for row in range(8)], force=True)
    frames = cl.ops.CompressionTurnsGray(row=cl.io.Input([sp.NamedStream(cl, "rows")]))
    out = sp.NamedVideoStream(cl, "out")
    job = cl.run(cl.io.Output(getattr(frames, compression)(), [out]), sp.PerfParams.manual(1, io), show_progress=False)
    return out, cl.job_status(job).failures


@pytest.mark.parametrize("io", [1, 3, 4, 8])
def test_the_default_takes_colour_or_gray_not_both(cl, io):
    out, failures = run(cl, "compress_default", io)
    assert not out.committed()
    [failure] = failures
    assert failure.reason.startswith("row 4 is 16×16×1 uint8")
    assert "lossless()" in failure.reason


@pytest.mark.parametrize("io", [1, 3, 4, 8])
def test_lossless_takes_both(cl, io):
    out, failures = run(cl, "lossless", io)
    assert not failures
    assert [frame.shape[2] for frame in out.load()] == [3] * 4 + [1] * 4
