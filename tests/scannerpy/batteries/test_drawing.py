"""DrawBboxes: corners are fractions of the picture."""

import numpy as np

from scannerpy.kernel import KernelConfig
from scannerpy.ops.drawing import PALETTE, DrawBboxes
from scannerpy.protobufs import protobufs


def draw(frame, *boxes):
    return DrawBboxes(KernelConfig()).execute(frame, [protobufs.BoundingBox(**box) for box in boxes])


def test_no_boxes_give_an_equal_frame_of_its_own():
    frame = np.full((90, 160, 3), 7, np.uint8)
    picture = draw(frame)
    np.testing.assert_array_equal(picture, frame)
    assert picture is not frame


def test_a_box_is_drawn_at_its_fractions_in_its_labels_colour():
    frame = np.zeros((101, 201, 3), np.uint8)
    frame.flags.writeable = False
    picture = draw(frame, {"x1": 0.25, "y1": 0.5, "x2": 0.75, "y2": 0.9, "label": 1})
    ys, xs = np.nonzero((picture == PALETTE[1]).all(axis=2))
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (50, 150, 50, 90)
    assert not picture[70, 100].any(), "boxes are outlines"


def test_boxes_may_stick_out_of_the_picture():
    picture = draw(np.zeros((50, 50, 3), np.uint8), {"x1": -0.5, "y1": -0.5, "x2": 0.5, "y2": 2.0})
    assert picture[25, 24].any() or picture[25, 25].any()
