"""H.264 numbers its reference pictures, so a lost one is noticed; also where the numbers begin anew just then."""

import av
import numpy as np
import pytest

from scannerpy._video.h264 import H264
from scannerpy._words.video import NONREF, START
from scannerpy.errors import VideoError
from scannerpy.testing.bitstreams import BitWriter, nal
from tests.scannerpy.video.reference import Video

SPS = nal(0x67, BitWriter().u(8, 77).u(8, 0).u(8, 30).ue(0, 4, 0, 4, 4).u(1, 0).ue(3, 3).u(1, 1).u(3, 0).finish())


def pps(*, weighted: bool = False) -> bytes:
    """Parameters of pictures whose P slices have weights, and B slices too, or not."""
    bits = BitWriter().ue(0, 0).u(1, 0).u(1, 0).ue(0, 0, 0).u(1, weighted).u(2, weighted)
    return nal(0x68, bits.ue(0, 0, 0).u(1, 1).u(1, 0).u(1, 0).finish())


def picture(kind: int, number: int, *, forget: bool, weighted: bool = False) -> bytes:
    """A reference picture's slice header of type `kind` (0 P, 1 B, 2 I); operation 5 stands at its end, or not."""
    bits = BitWriter().ue(0, kind, 0).u(8, number).u(8, 2 * number)
    if kind == 1:
        bits.u(1, 1)
    if kind < 2:
        bits.u(1, 1).ue(*[1] * (kind + 1))  # two references in each list
        for _ in range(kind + 1):
            bits.u(1, 1).ue(0, 0).ue(2, 1).ue(3)  # and both lists in another order
    if kind < 2 and weighted:
        bits.ue(5, 5)
        for _ in range(2 * (kind + 1)):
            bits.u(1, 1).ue(3, 4).u(1, 1).ue(1, 2, 3, 4)
    bits.u(1, 1).ue(1, 7).ue(3, 1, 0)
    if forget:
        bits.ue(5)
    return nal(0x61, bits.ue(0, 0).finish())


def missing(reader: H264, packets: list[bytes]) -> list[bool]:
    return [reader.parse(packet, key=False).missing_reference for packet in packets]


@pytest.mark.parametrize("name", ["h264-open-gop", "h264-mp4", "h264-open-gop-ts"])
def test_a_reference_picture_cannot_be_lost_unnoticed(path_of, name):
    """Sixteen numbers are in use: one loss in eight is of a picture next to 0 or 1."""
    with av.open(str(path_of(name))) as container:
        extradata = container.streams.video[0].codec_context.extradata
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    whole = H264(extradata or b"")
    headers = [whole.parse(packet, key=False) for packet in packets]
    assert not any(header.missing_reference for header in headers)
    lost = 0
    for n, header in enumerate(headers[:-1]):
        if not header.flags & NONREF and not {header.flags & START, headers[n + 1].flags & START} & {START}:
            reader = H264(extradata or b"")
            assert any(missing(reader, packets[:n] + packets[n + 1 :])[n:]), f"packet {n}"
            lost += 1
    assert lost > 15


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_numbers_may_begin_anew_where_a_picture_says_so(kind, weighted):
    idr = nal(0x65, BitWriter().ue(0, 7, 0).u(8, 0).ue(0).u(8, 0).u(2, 0).finish())
    for forget in (True, False):
        reader = H264(SPS + pps(weighted=weighted))
        packets = [idr, *(picture(0, n, forget=False, weighted=weighted) for n in (1, 2, 3))]
        packets += [picture(kind, 4, forget=forget, weighted=weighted), picture(0, 1, forget=False, weighted=weighted)]
        assert missing(reader, packets) == [False, False, False, False, False, not forget]


def test_a_header_that_cannot_be_read_proves_nothing():
    idr = nal(0x65, BitWriter().ue(0, 7, 0).u(8, 0).ue(0).u(8, 0).u(2, 0).finish())
    cut_short = nal(0x61, BitWriter().ue(0, 0, 0).u(8, 1).u(8, 2).finish())
    packets = [idr, cut_short, picture(0, 1, forget=False), picture(0, 2, forget=False), picture(0, 0, forget=False)]
    assert missing(H264(SPS + pps()), [*packets[:2], packets[4]]) == [False, False, False]
    assert missing(H264(SPS + pps()), packets) == [False, False, False, False, True]


def test_rows_behind_a_lost_picture_are_refused(path_of, tmp_path):
    """They came out as whatever lay in the decoder, other pictures alone than in order: the number after 15 is 0."""
    lossy = tmp_path / "lossy.mkv"
    with av.open(str(path_of("h264-open-gop"))) as source, av.open(str(lossy), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        reader, lost = H264(stream.codec_context.extradata or b""), 0
        for packet in source.demux(stream):
            header = reader.parse(bytes(packet), key=False) if packet.size else None
            if header is None or (not lost and reader._frame_num == 15 and not header.flags & (NONREF | START)):
                lost += packet.size > 0
                continue
            packet.stream = copy
            target.mux(packet)
    assert lost == 1
    video = Video(lossy)
    assert any("damaged" in problem for problem in video.scan.problems)
    refused = 0
    for row in range(video.index.rows):
        try:
            frame = video.rows([row])[row]
        except VideoError:
            refused += 1
        else:
            assert np.array_equal(frame, video.golden[row])
    assert 0 < refused < video.index.rows // 2
