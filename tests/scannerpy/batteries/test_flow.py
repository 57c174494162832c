"""OpticalFlow finds known movements; DrawFlow shows them."""

import numpy as np
import pytest

from scannerpy.kernel import KernelConfig
from scannerpy.ops.drawing import DrawFlow
from scannerpy.ops.optical_flow import OpticalFlow


def texture(seed=1, size=160):
    """A smooth random picture, so that movements can be found everywhere in it."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[:size, :size]
    waves = sum(
        np.sin(xs * fx + ys * fy + phase)
        for fx, fy, phase in zip(
            rng.uniform(-0.5, 0.5, 30), rng.uniform(-0.5, 0.5, 30), rng.uniform(0, 6, 30), strict=True
        )
    )
    grey = ((waves - waves.min()) / np.ptp(waves) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def flow_of(*frames):
    return OpticalFlow(KernelConfig()).execute(list(frames))


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 2), (-2, 1)])
def test_finds_a_shift_of_the_whole_picture(right, down):
    frame = texture()
    flow = flow_of(frame, np.roll(frame, (down, right), axis=(0, 1)))
    assert flow.shape == (160, 160, 2)
    assert flow.dtype == np.float32
    inside = flow[30:-30, 30:-30].reshape(-1, 2)
    np.testing.assert_allclose(np.median(inside, axis=0), [right, down], atol=0.2)


def test_nothing_moves_between_equal_frames():
    frame = texture()
    assert np.abs(flow_of(frame, frame)[30:-30, 30:-30]).max() < 1e-3


def test_grey_frames_flow_like_colour_frames():
    frame = texture()
    moved = np.roll(frame, 2, axis=1)
    np.testing.assert_array_equal(flow_of(frame[..., :1], moved[..., :1]), flow_of(frame, moved))


def test_a_window_of_another_length_is_refused():
    with pytest.raises(ValueError, match="stencil of two rows, not 3"):
        flow_of(*[texture()] * 3)


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="frames of one size"):
        flow_of(texture(), texture(size=100))


def draw(frame, flow):
    return DrawFlow(KernelConfig()).execute(frame, flow)


def test_still_places_get_no_arrow():
    frame = texture()
    picture = draw(frame, np.full((160, 160, 2), 0.5, np.float32))
    np.testing.assert_array_equal(picture, frame)
    assert picture is not frame


def test_arrows_stand_where_something_moves_and_the_frame_is_not_touched():
    frame = np.zeros((160, 160, 3), np.uint8)
    frame.flags.writeable = False
    flow = np.zeros((160, 160, 2), np.float32)
    flow[:, :80] = [6, 0]
    picture = draw(frame, flow)
    assert picture[:, :80].any()
    assert not picture[:, 90:].any()
    ys, xs = np.nonzero(picture.any(axis=2))
    assert picture[ys, xs].sum(axis=0)[0] > 0, "to the right is red"
    assert picture[ys, xs].sum(axis=0)[2] == 0


def test_a_flow_of_another_size_is_refused():
    with pytest.raises(ValueError, match="of one size"):
        draw(texture(), np.zeros((10, 10, 2), np.float32))
