"""Makes small videos for tests: codecs, containers and edits in which readers have returned wrong frames.

Each picture carries its number as a grid of black and white blocks, so that a test can tell which frame it got from
the pixels alone, without trusting any decoder's count:

    from scannerpy.testing import videos

    path = videos.make("h264-mp4", folder)
    assert [videos.read_number(frame) for frame in frames_of(path)] == list(videos.CATALOGUE["h264-mp4"].shows)

`CATALOGUE` names all fixtures; the recipe of each says what its rows carry. Needs nothing but PyAV: all encoders are
those in its wheel.
"""

from __future__ import annotations

import os
import random
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from scannerpy._video.scheduling import scheduled_as_before
from scannerpy.testing import bitstreams
from scannerpy.testing.tricks import (
    cut_inside_a_gop,
    cut_transport_stream_inside_a_gop,
    damage,
    play_a_piece_twice,
    play_two_pieces,
    truncate,
)

Pixels = npt.NDArray[np.uint8]

_CELLS = 4  # the number is a grid of 4 × 4 blocks: 16 bits


def draw(number: int, width: int = 96, height: int = 64) -> Pixels:
    """Return a height × width × 3 RGB picture that carries `number` (below 65,536) and something that moves."""
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([(x * 2 + number * 3) % 256, (y * 3 + number) % 256, (x + y + number * 5) % 256], axis=2)
    picture = (picture // 2 + 64).astype(np.uint8)
    at = (number * 3) % max(1, width - 8)
    picture[-12:-4, at : at + 8] = (250, 60, 10)
    for bit, block in enumerate(_blocks(picture)):
        block[:] = 235 if number >> bit & 1 else 20
    return picture


def read_number(picture: npt.NDArray[Any]) -> int:
    """Return the number a picture made by `draw` carries, as it comes back from any codec (8-bit RGB or BGR)."""
    number = 0
    for bit, block in enumerate(_blocks(picture)):
        edge = max(1, len(block) // 4)
        number |= (float(block[edge:-edge, edge:-edge].mean()) > 127) << bit
    return number


def _blocks(picture: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    side = min(picture.shape[:2]) * 3 // 4 // _CELLS
    for bit in range(_CELLS * _CELLS):
        top, left = bit // _CELLS * side, bit % _CELLS * side
        yield picture[top : top + side, left : left + side]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a fixture is made: encoded as the fields say, then changed by `trick`, or written by `write` altogether.

    `shows` are the numbers its rows carry, in order; None where damage decides. `size` is as presented, after
    `rotation` (clockwise degrees). `colour` is FFmpeg's (AVColorSpace, AVColorRange).
    """

    suffix: str
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    frames: int = 50
    size: tuple[int, int] = (96, 64)
    pix_fmt: str = "yuv420p"
    rate: int = 25
    gop: int = 12
    muxer: dict[str, str] = field(default_factory=dict)
    colour: tuple[int, int] = (2, 0)
    rotation: int = 0
    variable_rate: bool = False
    second_stream: bool = False
    trick: Callable[[Path], object] | None = None
    write: Callable[[Path], object] | None = None
    skip: int = 0
    legible: bool = True
    numbers: Sequence[int] = ()

    @property
    def shows(self) -> Sequence[int] | None:
        """The numbers its rows carry, in order, as long as it is whole; None where pictures mix and cannot be read."""
        return (self.numbers or range(self.skip, self.frames)) if self.legible else None


def make(recipe: Recipe | str, folder: Path) -> Path:
    """Make a fixture (by its name in one of the lists below, or any recipe) in `folder` and return its path."""
    name = recipe if isinstance(recipe, str) else "video"
    made = {**CATALOGUE, **DAMAGED, **NOT_VIDEOS}[recipe] if isinstance(recipe, str) else recipe
    path = folder / f"{name}.{made.suffix}"
    if made.write:
        made.write(path)
    else:
        encode(path, made)
    if made.trick:
        made.trick(path)
    return path


def encode(path: Path, recipe: Recipe) -> None:
    """Encode the numbers 0, 1, 2 … as `recipe` says."""
    os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 chats on stderr otherwise
    with scheduled_as_before(), av.open(str(path), "w", container_options=recipe.muxer) as container:
        if recipe.second_stream:  # FFmpeg's "best" is not the first, but the one marked as default
            width, height = recipe.size
            small = replace(recipe, size=(width // 2, height // 2), frames=recipe.frames // 2)
            streams = [(_add_stream(container, small), small), (_add_stream(container, recipe), recipe)]
            streams[0][0].disposition = Disposition(0)
            streams[1][0].disposition = Disposition.default
        else:
            streams = [(_add_stream(container, recipe), recipe)]
        for stream, how in streams:
            for packet in _encoded(stream, how):
                container.mux(packet)


def _add_stream(container: OutputContainer, recipe: Recipe) -> VideoStream:
    stream = container.add_stream(recipe.codec, rate=recipe.rate, options=dict(recipe.options))
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{recipe.codec} is not a video encoder")
    context = stream.codec_context
    turned = recipe.rotation in {90, 270}
    context.width, context.height = recipe.size[::-1] if turned else recipe.size
    context.pix_fmt = recipe.pix_fmt
    context.gop_size = recipe.gop
    context.thread_count = 1
    context.colorspace, context.color_range = recipe.colour
    if recipe.rotation:
        stream.set_display_rotation(-recipe.rotation)
    return stream


def _encoded(stream: VideoStream, recipe: Recipe) -> Iterator[Packet[Any]]:
    for number, time in enumerate(_times(recipe)):
        upright = draw(number, *recipe.size)
        stored = np.ascontiguousarray(np.rot90(upright, recipe.rotation // 90))
        frame = VideoFrame.from_ndarray(stored, format="rgb24")
        frame.pts, frame.time_base = time, Fraction(1, recipe.rate)
        yield from stream.encode(_converted(frame, recipe))
    yield from stream.encode(None)


def _converted(frame: VideoFrame, recipe: Recipe) -> VideoFrame:
    space, levels = recipe.colour
    return frame.reformat(format=recipe.pix_fmt, dst_colorspace=space if space == 1 else None, dst_color_range=levels)


def _times(recipe: Recipe) -> list[int]:
    """Return the frames' times: even, or one to five frames' time apart where the rate is variable."""
    if not recipe.variable_rate:
        return list(range(recipe.frames))
    steps = random.Random(recipe.frames).choices(range(1, 6), k=recipe.frames)  # noqa: S311 (a fixture, no secret)
    return [sum(steps[:n]) for n in range(recipe.frames)]


def write_sound(path: Path) -> None:
    """Write a file with a sound track and no picture."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))


def _gray(frames: int) -> list[Pixels]:
    return [np.ascontiguousarray(draw(number)[:, :, 1]) for number in range(frames)]


def write_fields(path: Path) -> None:
    """Write H.264 field pictures, each field in a packet of its own."""
    fields = bitstreams.field_coded_h264(_gray(40))
    packets = [(number, number, data) for number, data in enumerate(fields)]
    if path.suffix == ".h264":
        path.write_bytes(b"".join(fields))
    else:
        bitstreams.mux(path, "h264", (96, 64), packets, keys=10)


def write_field_pairs(path: Path) -> None:
    """Write H.264 field pictures, both fields of a frame in one packet."""
    fields = bitstreams.field_coded_h264(_gray(40))
    packets = [(n, n, fields[2 * n] + fields[2 * n + 1]) for n in range(len(fields) // 2)]
    bitstreams.mux(path, "h264", (96, 64), packets, keys=5)


def write_without_hints(path: Path) -> None:
    """Write H.264 whose frames are reordered deeply, without a word about it in its headers."""
    units = bitstreams.reordered_h264(_gray(40))
    bitstreams.mux(path, "h264", (96, 64), [(n + 4, k, data) for k, (n, data) in enumerate(units)], keys=16)


def write_packed_b_frames(path: Path) -> None:
    """Write MPEG-4 the way DivX did in AVI, where a chunk holds two pictures and the next one none."""
    plain = path.with_suffix(".plain.avi")
    encode(plain, Recipe("avi", "mpeg4", {"bf": "1", "b": "900k", "b_strategy": "0"}, frames=41))
    bitstreams.pack_b_frames(plain, path)
    plain.unlink()


def write_two_sizes(path: Path) -> None:
    """Write a transport stream whose picture size changes in the middle."""
    parts = [path.with_suffix(f".{n}.ts") for n in range(2)]
    for part, size in zip(parts, [(96, 64), (64, 48)], strict=True):
        encode(part, Recipe("ts", options=_x264(), size=size, frames=25))
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in parts:
        part.unlink()


_X264 = "threads=1:keyint=12:min-keyint=4:no-mbtree=1"  # with its macroblock tree, x264 is not deterministic
_X265 = "log-level=none:pools=1:frame-threads=1:keyint=12:min-keyint=4"


def _x264(parameters: str = "bframes=2") -> dict[str, str]:
    return {"preset": "veryfast", "crf": "20", "x264-params": f"{_X264}:{parameters}"}


def _x265(parameters: str = "bframes=3") -> dict[str, str]:
    return {"preset": "ultrafast", "x265-params": f"{_X265}:{parameters}"}


_FAST_VPX = {"deadline": "good", "cpu-used": "5", "lag-in-frames": "16"}
_FAST_AV1 = {"preset": "10", "svtav1-params": "lp=1"}
_B = {"bf": "2", "b": "900k"}

CATALOGUE: dict[str, Recipe] = {
    "h264-mp4": Recipe("mp4", options=_x264("bframes=3:b-pyramid=normal:ref=4")),
    "h264-mov": Recipe("mov", options=_x264()),
    "h264-mkv": Recipe("mkv", options=_x264()),
    "h264-ts": Recipe("ts", options=_x264()),
    "h264-avi": Recipe("avi", options=_x264()),
    "h264-flv": Recipe("flv", options=_x264()),
    "h264-elementary": Recipe("h264", options=_x264()),
    "h264-fragmented": Recipe("mp4", options=_x264(), muxer={"movflags": "frag_keyframe+empty_moov"}),
    "h264-vfr": Recipe("mp4", options=_x264("bframes=3"), variable_rate=True),
    "h264-vfr-mkv": Recipe("mkv", options=_x264("bframes=3"), variable_rate=True),
    "h264-open-gop": Recipe("mp4", options=_x264("open-gop=1:bframes=3:scenecut=0:b-pyramid=normal:ref=4")),
    "h264-open-gop-ts": Recipe("ts", options=_x264("open-gop=1:bframes=3:scenecut=0")),
    "h264-intra-refresh": Recipe("mp4", options=_x264("intra-refresh=1")),
    "h264-one-keyframe": Recipe("mp4", options=_x264("keyint=infinite")),
    "h264-all-keyframes": Recipe("mp4", options=_x264("keyint=1")),
    "h264-no-b": Recipe("mp4", options=_x264("bframes=0")),
    "h264-deep-b": Recipe("mp4", options=_x264("bframes=16:b-adapt=0:b-pyramid=strict:ref=8:keyint=40"), gop=40),
    "h264-baseline": Recipe("mp4", options=_x264("bframes=0") | {"profile": "baseline"}),
    "h264-slices": Recipe("mp4", options=_x264("slices=4:bframes=2")),
    "h264-edit-list": Recipe("mp4", options=_x264("bframes=3"), trick=cut_inside_a_gop, skip=7),
    "h264-two-edits": Recipe(
        "mp4", options=_x264("bframes=3"), trick=play_two_pieces, numbers=[*range(15), *range(25, 40)]
    ),
    "h264-one-edit-twice": Recipe(
        "mp4", options=_x264("bframes=3"), trick=play_a_piece_twice, numbers=[*range(5, 15), *range(5, 15)]
    ),
    "h264-open-gop-two-edits": Recipe(
        "mp4", options=_x264("open-gop=1:bframes=3:scenecut=0"), trick=play_two_pieces, legible=False
    ),
    "h264-rotated-90": Recipe("mp4", options=_x264(), rotation=90),
    "h264-rotated-180": Recipe("mp4", options=_x264(), rotation=180),
    "h264-rotated-270": Recipe("mov", options=_x264(), rotation=270),
    "h264-odd-size": Recipe("mp4", options=_x264(), pix_fmt="yuv444p", size=(97, 65)),
    "h264-10-bit": Recipe("mp4", options=_x264(), pix_fmt="yuv420p10le"),
    "h264-4:2:2": Recipe("mp4", options=_x264(), pix_fmt="yuv422p"),
    "h264-full-range": Recipe("mp4", options=_x264(), colour=(5, 2)),
    "h264-bt709": Recipe("mp4", options=_x264(), colour=(1, 1)),
    "h264-gray": Recipe("mkv", options=_x264(), pix_fmt="gray"),
    "h264-two-streams": Recipe("mp4", options=_x264(), second_stream=True),
    "h264-mbaff": Recipe("mp4", options=_x264("tff=1:bframes=2")),
    "h264-mbaff-ts": Recipe("ts", options=_x264("tff=1:bframes=2")),
    "h264-fields-mkv": Recipe("mkv", write=write_fields, frames=40, legible=False),
    "h264-fields-ts": Recipe("ts", write=write_fields, frames=40, legible=False),
    "h264-fields-elementary": Recipe("h264", write=write_fields, frames=40, legible=False),
    "h264-field-pairs-mp4": Recipe("mp4", write=write_field_pairs, frames=40, legible=False),
    "h264-field-pairs-ts": Recipe("ts", write=write_field_pairs, frames=40, legible=False),
    "h264-no-hints-mp4": Recipe("mp4", write=write_without_hints, frames=40),
    "h264-no-hints-mkv": Recipe("mkv", write=write_without_hints, frames=40),
    "hevc-mp4": Recipe("mp4", "libx265", _x265("bframes=3:b-pyramid=1")),
    "hevc-mkv": Recipe("mkv", "libx265", _x265()),
    "hevc-ts": Recipe("ts", "libx265", _x265()),
    "hevc-open-gop": Recipe("mp4", "libx265", _x265("open-gop=1:bframes=4:scenecut=0")),
    "hevc-open-gop-slices": Recipe(
        "mp4", "libx265", _x265("open-gop=1:bframes=4:scenecut=0:slices=2"), size=(160, 128)
    ),
    "hevc-closed-gop": Recipe("mp4", "libx265", _x265("open-gop=0:bframes=4:scenecut=0")),
    "hevc-decodable-leading": Recipe("mp4", "libx265", _x265("open-gop=0:radl=2:bframes=4:scenecut=0")),
    "hevc-temporal-layers": Recipe("mp4", "libx265", _x265("temporal-layers=3:bframes=4:b-adapt=0")),
    "hevc-intra-refresh": Recipe("mp4", "libx265", _x265("intra-refresh=1")),
    "hevc-edit-list": Recipe("mp4", "libx265", _x265(), trick=cut_inside_a_gop, skip=7),
    "hevc-10-bit": Recipe("mp4", "libx265", _x265(), pix_fmt="yuv420p10le"),
    "vp8-webm": Recipe("webm", "libvpx", _FAST_VPX | {"auto-alt-ref": "1"}),
    "vp9-webm": Recipe("webm", "libvpx-vp9", _FAST_VPX | {"auto-alt-ref": "1"}),
    "vp9-mp4": Recipe("mp4", "libvpx-vp9", _FAST_VPX),
    "vp9-odd-size": Recipe("webm", "libvpx-vp9", _FAST_VPX, size=(97, 65)),
    "av1-mp4": Recipe("mp4", "libsvtav1", _FAST_AV1),
    "av1-webm": Recipe("webm", "libsvtav1", _FAST_AV1),
    "av1-10-bit": Recipe("mp4", "libsvtav1", _FAST_AV1, pix_fmt="yuv420p10le"),
    "mpeg4-mp4": Recipe("mp4", "mpeg4", _B),
    "mpeg4-avi": Recipe("avi", "mpeg4", _B),
    "mpeg4-packed-avi": Recipe("avi", write=write_packed_b_frames, frames=41),
    "mpeg4-odd-size": Recipe("avi", "mpeg4", {"b": "900k"}, size=(97, 65)),
    "mpeg2-ts": Recipe("ts", "mpeg2video", _B),
    "mpeg2-mp4": Recipe("mp4", "mpeg2video", _B),
    "mpeg2-program-stream": Recipe("mpg", "mpeg2video", _B),
    "mpeg2-interlaced": Recipe("ts", "mpeg2video", _B | {"flags": "+ildct+ilme"}),
    "mpeg1-program-stream": Recipe("mpg", "mpeg1video", _B),
    "mjpeg-avi": Recipe("avi", "mjpeg", pix_fmt="yuvj420p", colour=(5, 2)),
    "mjpeg-mov": Recipe("mov", "mjpeg", pix_fmt="yuvj444p", colour=(5, 2)),
    "prores-mov": Recipe("mov", "prores_ks", pix_fmt="yuv422p10le"),
    "ffv1-mkv": Recipe("mkv", "ffv1", {"level": "3"}),
    "ffv1-avi": Recipe("avi", "ffv1", size=(97, 65)),
    "raw-rgb-avi": Recipe("avi", "rawvideo", pix_fmt="bgr24"),
    "raw-yuv-nut": Recipe("nut", "rawvideo"),
    "huffyuv-avi": Recipe("avi", "huffyuv", pix_fmt="yuv422p"),
    "png-mov": Recipe("mov", "png", pix_fmt="rgb24"),
    "flash-screen-flv": Recipe("flv", "flashsv2", pix_fmt="bgr24"),
    "wmv2-asf": Recipe("asf", "wmv2", {"b": "900k"}),
    "flv1-flv": Recipe("flv", "flv", {"b": "900k"}),
    "gif": Recipe("gif", "gif", pix_fmt="rgb8"),
}
"""Fixtures that are whole: every row can be read, and shows the number `shows` says."""

DAMAGED: dict[str, Recipe] = {
    "truncated-mp4": Recipe("mp4", options=_x264(), muxer={"movflags": "faststart"}, trick=truncate),
    "truncated-mp4-no-b": Recipe("mp4", options=_x264("bframes=0"), muxer={"movflags": "faststart"}, trick=truncate),
    "truncated-mkv": Recipe("mkv", options=_x264(), trick=truncate),
    "truncated-ts": Recipe("ts", options=_x264(), trick=truncate),
    "truncated-hevc-ts": Recipe("ts", "libx265", _x265(), trick=truncate),
    "truncated-mpeg2-ts": Recipe("ts", "mpeg2video", _B, trick=truncate),
    "truncated-avi": Recipe("avi", "mpeg4", _B, trick=truncate),
    "truncated-webm": Recipe("webm", "libvpx-vp9", _FAST_VPX, trick=truncate),
    "truncated-flv": Recipe("flv", options=_x264(), trick=truncate),
    "cut-ts": Recipe("ts", options=_x264(), trick=cut_transport_stream_inside_a_gop),
    "cut-hevc-ts": Recipe("ts", "libx265", _x265("open-gop=1"), trick=cut_transport_stream_inside_a_gop),
    "cut-mpeg2-ts": Recipe("ts", "mpeg2video", _B, trick=cut_transport_stream_inside_a_gop),
    "two-sizes-ts": Recipe("ts", write=write_two_sizes),
    "damaged-mp4": Recipe("mp4", options=_x264(), muxer={"movflags": "faststart"}, trick=damage),
    "damaged-ts": Recipe("ts", options=_x264(), trick=damage),
}
"""Fixtures of which only some rows are left; the numbers they show are a part of `shows`."""

NOT_VIDEOS: dict[str, Recipe] = {
    "empty": Recipe("mp4", write=lambda path: path.write_bytes(b"")),
    "text": Recipe("txt", write=lambda path: path.write_text("A line of text.\n" * 200)),
    "text-named-mp4": Recipe("mp4", write=lambda path: path.write_text("not a video at all\n" * 200)),
    "sound-only": Recipe("wav", write=write_sound),
    "directory": Recipe("mp4", write=lambda path: path.mkdir()),
    "truncated-before-moov": Recipe("mp4", options=_x264(), trick=truncate),
}
"""Things that cannot become a table."""
