"""Pass, Discard, DiscardFrame, InfoFromFrame."""

import numpy as np
import pytest

from scannerpy.kernel import KernelConfig
from scannerpy.ops import misc
from scannerpy.protobufs import protobufs


def test_pass_returns_what_it_is_given():
    assert misc.pass_on(KernelConfig(), b"\x00abc") == b"\x00abc"


def test_discard_returns_one_byte():
    assert len(misc.discard(KernelConfig(), b"x" * 99)) == 1
    assert len(misc.discard_frame(KernelConfig(), np.zeros((2, 2, 3), np.uint8))) == 1


@pytest.mark.parametrize(("dtype", "name"), [(np.uint8, "U8"), (np.float32, "F32"), (np.float64, "F64")])
def test_info_tells_shape_and_type(dtype, name):
    info = misc.info_from_frame(KernelConfig(), np.zeros((4, 6, 3), dtype))
    assert list(info.shape) == [4, 6, 3]
    assert info.type == getattr(protobufs, name)
    assert misc.FrameInfo.deserialize(misc.FrameInfo.serialize(info)) == info
