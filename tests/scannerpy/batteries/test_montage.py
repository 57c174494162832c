"""Montage: where each frame stands, and when."""

import numpy as np
import pytest

from scannerpy.kernel import KernelConfig
from scannerpy.ops.montage import Montage


def flat_frame(value, height=40, width=80, channels=3):
    return np.full((height, width, channels), value, np.uint8)


def montage(values, **arguments):
    kernel = Montage(KernelConfig(args=arguments), **arguments)
    kernel.reset()
    return kernel, [kernel.execute(flat_frame(value)) for value in values]


def test_frames_fill_the_grid_line_by_line():
    _, pictures = montage([10, 20, 30, 40, 50], num_frames=5, target_width=20, frames_per_row=3)
    finished = pictures[4]
    assert finished.shape == (20, 60, 3)
    assert [int(finished[5, x, 0]) for x in (10, 30, 50)] == [10, 20, 30]
    assert [int(finished[15, x, 0]) for x in (10, 30, 50)] == [40, 50, 0]


def test_each_row_shows_the_picture_so_far_and_later_frames_change_nothing():
    _, pictures = montage([10, 20, 30], num_frames=2, target_width=20, frames_per_row=2)
    assert [int(p[5, 30, 0]) for p in pictures] == [0, 20, 20]
    np.testing.assert_array_equal(pictures[1], pictures[2])


def test_reset_starts_a_new_picture():
    kernel, _ = montage([10, 20], num_frames=2, target_width=20, frames_per_row=2)
    kernel.reset()
    picture = kernel.execute(flat_frame(99))
    assert [int(picture[5, x, 0]) for x in (10, 30)] == [99, 0]


def test_shrinks_by_averaging():
    frame = np.zeros((4, 4, 1), np.uint8)
    frame[::2] = 100
    picture = Montage(KernelConfig(), num_frames=1, target_width=2, frames_per_row=1).execute(frame)
    np.testing.assert_array_equal(picture, np.full((2, 2, 1), 50))


def test_a_montage_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        montage([], num_frames=0, target_width=20, frames_per_row=2)
