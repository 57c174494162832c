"""Pages cannot be broken out of, whatever names and values are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._html import pictures
from scannerpy._html.diagram import Box, diagram
from scannerpy._html.layout import lay_out
from scannerpy._html.markup import Html, element, page, size, table
from scannerpy._html.values import value
from tests.scannerpy.seeing.reading import read

HOSTILE = """</span></title></style><script>alert("1")</script><img src=x onerror='alert(1)'>&amp; "quoted" 'too'"""


def test_hostile_text_is_only_text_wherever_it_stands():
    made = read(page(element("p", HOSTILE, title=HOSTILE), table([HOSTILE], [[HOSTILE]])))
    assert made.text.count(HOSTILE) == 3
    assert made.all("p") == [{"title": HOSTILE}]
    assert made.all("img") == []


@given(st.text(), st.text())
@settings(max_examples=60, deadline=None)
def test_any_text_comes_out_as_it_went_in(inside, attribute):
    made = read(element("p", inside, title=attribute))
    assert made.text == _seen(inside)
    assert made.all("p")[0]["title"] == _seen(attribute)


def _seen(words):
    """What a page holds of a text: characters no page can hold are replaced."""
    clean = words.encode("utf-8", "replace").decode("utf-8")
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if ord(c) in {*range(9), 11, 12, *range(14, 32), 127} else c for c in clean
    )


def test_markup_is_put_in_as_it_is_and_shows_itself():
    made = element("b", Html("<i>x</i>"))
    assert made == "<b><i>x</i></b>"
    assert made._repr_html_() == made


def test_sizes_are_for_people():
    assert [size(0), size(1023), size(1536), size(3 << 30), size(5 << 40)] == [
        "0 bytes", "1023 bytes", "1.5 KiB", "3.0 GiB", "5.0 TiB",
    ]  # fmt: skip


class Unspeakable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("it", "says"),
    [
        (b"\x00\x01", "2 bytes  00 01"),
        (np.zeros((40, 2), np.float32), "float32 array of 40 × 2"),
        (np.array([1, 2]), "int64 array of 2  [1, 2]"),
        (np.float64(2.5), "np.float64(2.5)"),
        ([1, 2, 3, 4], "4 × int  [1, 2, 3, 4]"),
        ("x" * 1000, "'" + "x" * 198 + "…"),
        (Unspeakable(), "Unspeakable whose repr() raises RuntimeError"),
        ({"<b>": 1}, "{'<b>': 1}"),
    ],
)
def test_values_of_any_kind_are_told_in_a_line(it, says):
    assert read(value(it)).text == says


def test_protobuf_messages_are_told_by_their_fields():
    from scannerpy import protobufs

    box = protobufs.BoundingBox(x1=0.125, label=3)
    assert read(value([box])).text == "[BoundingBox(x1=0.125, label=3)]"


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 6, 3), np.uint8),
        np.zeros((90, 4, 1), np.uint8),
        np.full((90, 160, 2), np.nan, np.float32),
        np.linspace(-5, 7, 48).reshape(4, 12),
        np.zeros((1, 5000, 3), np.uint8),
        np.zeros((3, 3, 4), np.float64),
    ],
    ids=str,
)
def test_frames_of_any_kind_become_small_pictures(frame):
    (image,) = read(pictures.picture(frame, "row 1")).all("img")
    assert 0 < int(image["width"]) <= pictures.WIDTH
    assert 0 < int(image["height"]) <= pictures.HEIGHT


def test_colours_are_those_of_the_frame():
    """Red stays red: frames are RGB, OpenCV writes BGR."""
    import base64

    import cv2

    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 200
    (image,) = read(pictures.picture(red, "red")).all("img")
    seen = cv2.imdecode(np.frombuffer(base64.b64decode(image["src"].partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(seen[20, 20].astype(int) - (0, 0, 200)).max() <= 4


def test_histograms_are_bars_with_words():
    made = read(pictures.bars([np.array([1, 5, 2]), np.array([0, 0, 0]), np.array([], np.int32)]))
    (drawing,) = made.all("svg")
    assert drawing["aria-label"].startswith("red: most pixels (5) in bin 1 of 3; green")
    assert len(made.all("rect")) == 6


# Drawings


@st.composite
def nets(draw):
    """Return inputs per vertex: any small graph whose edges go from lower to higher numbers."""
    count = draw(st.integers(1, 9))
    return [draw(st.lists(st.integers(0, v - 1), max_size=3)) if v else [] for v in range(count)]


@given(nets(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_boxes_never_overlap_and_edges_go_down(inputs, seed):
    widths = np.random.default_rng(seed).integers(40, 250, len(inputs)).tolist()
    place = lay_out(widths, inputs)
    for below, above in ((v, a) for v in range(len(inputs)) for a in inputs[v]):
        assert place.layer[above] < place.layer[below]
        passed = [layer for _, layer in place.bends[above, below]]
        assert passed == list(range(place.layer[above] + 1, place.layer[below]))
    for layer in range(place.layers):
        row = sorted((place.centre[v], widths[v]) for v in range(len(inputs)) if place.layer[v] == layer)
        for (x, wide), (other, broad) in pairwise(row):
            assert x + wide / 2 <= other - broad / 2 + 1e-6
        assert all(wide / 2 - 1e-6 <= x <= place.width - wide / 2 + 1e-6 for x, wide in row)


def test_a_drawing_has_a_box_per_vertex_and_a_line_per_edge():
    boxes = [
        Box("Column", "5 rows read", "source", ()),
        Box("Column", "5 rows read", "source", ()),
        Box(HOSTILE, "", "op", (0, 1), where=HOSTILE),
        Box("Sink", "5 rows", "sink", (2, 0), inside=True),
    ]
    made = read(diagram(boxes))
    assert len(made.all("rect")) == 2 * len(boxes)
    assert len(made.all("path")) == 4
    assert HOSTILE in made.text
    assert [rect.get("stroke-dasharray") for rect in made.all("rect")].count("4 3") == 1


def test_a_graph_of_nothing_is_drawn_too():
    assert read(diagram([])).all("rect") == []
