"""An index survives being stored, and nothing else passes for one."""

import json
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._video.index import from_bytes, to_bytes
from scannerpy._words.video import NO_TIME
from scannerpy.errors import CorruptObject, NewerFormat


def same(a, b):
    return all(np.array_equal(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))


@pytest.mark.parametrize(
    "name", ["h264-mp4", "h264-elementary", "h264-edit-list", "vp9-webm", "h264-rotated-90", "gif"]
)
def test_an_index_comes_back_as_it_was(video_of, name):
    """Also one of which packets have no times."""
    before = video_of(name).index
    after = from_bytes(to_bytes(before))
    assert same(before, after)
    assert after.frame_packet.dtype == after.offset.dtype == np.int64
    assert name != "h264-elementary" or (after.pts == NO_TIME).all()


def test_an_index_is_small(video_of):
    """A few bytes a packet."""
    index = video_of("h264-deep-b").index
    assert len(to_bytes(index)) < 900 + 12 * index.packets


def test_a_later_version_is_refused_politely(video_of):
    data = to_bytes(video_of("h264-mp4").index).replace(b'"version":1', b'"version":9')
    with pytest.raises(NewerFormat, match="upgrade"):
        from_bytes(data)


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=8))
def test_damage_is_noticed_or_harmless(video_of, at, noise):
    """Whatever bytes are overwritten: an index, or CorruptObject (or what looks like a later version)."""
    data = bytearray(to_bytes(video_of("h264-mp4").index))
    data[at % len(data) : at % len(data) + len(noise)] = noise
    try:
        index = from_bytes(bytes(data))
    except (CorruptObject, NewerFormat):
        return
    assert index.packets == len(index.size) == len(index.flags)


def test_anything_else_is_refused():
    for data in (b"", b"hello", b"scanner video index\n", b"scanner video index\n\x05\0\0\0{}"):
        with pytest.raises(CorruptObject):
            from_bytes(data)


def test_an_index_from_before_colour_tags_is_read(video_of):
    """Written by the first version: what it does not say is "not told"."""
    index = video_of("h264-mp4").index
    data = to_bytes(index)
    begin = len(b"scanner video index\n")
    size = int.from_bytes(data[begin : begin + 4], "little")
    head = json.loads(data[begin + 4 : begin + 4 + size])
    for name in ("color_primaries", "color_trc", "sample_aspect_ratio"):
        del head[name]
    text = json.dumps(head).encode()
    old = data[:begin] + len(text).to_bytes(4, "little") + text + data[begin + 4 + size :]
    assert same(from_bytes(old), replace(index, color_primaries=2, color_trc=2, sample_aspect_ratio=Fraction(0)))
