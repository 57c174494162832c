"""The `VideoDescriptor` message of a column of frames, for `Client.bulk_fetch_video_metadata`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scannerpy.errors import ScannerException
from scannerpy.protobufs import protobufs

if TYPE_CHECKING:
    from scannerpy._video.column import FrameColumn

_CODECS = {"h264": "H264", "hevc": "HEVC"}


def video_descriptor(column: FrameColumn, rows: int, name: str) -> Any:
    """Describe a column that is stored as video. The packets of all its chunks follow one another; offsets count from
    the beginning of each chunk's object, of which `data_path` names the first (the file, for a video read in place).

    Raises ScannerException for raw frames.
    """
    chunks = [column.video(number) for number, ref in enumerate(column.refs) if ref.rows]
    videos = [chunk for chunk in chunks if chunk is not None]
    if not videos or len(videos) < len(chunks):
        raise ScannerException(f"column {name} is not stored as video, so it has no VideoDescriptor")
    indexes = [video.index for video in videos]
    first, external = indexes[0], videos[0].external
    kind = protobufs.VideoDescriptor
    return kind(
        frames=rows,
        width=first.width,
        height=first.height,
        channels=3,
        frame_type=protobufs.U8,
        codec_type=kind.VideoCodecType.Value(_CODECS.get(first.codec, "OTHER")),
        chroma_format=_chroma(first.pix_fmt),
        time_base_num=first.time_base.numerator,
        time_base_denom=first.time_base.denominator,
        num_encoded_videos=len(videos),
        frames_per_video=[index.rows for index in indexes],
        keyframes_per_video=[len(index.keyframe_rows) for index in indexes],
        size_per_video=[int(index.size.sum()) for index in indexes],
        keyframe_indices=column.keyframes().tolist(),
        sample_offsets=[offset for index in indexes for offset in index.offset.tolist()],
        sample_sizes=[size for index in indexes for size in index.size.tolist()],
        metadata_packets=first.extradata,
        data_path=column.refs[0].path if external is None else external.path,
        inplace=external is not None,
    )


def _chroma(pix_fmt: str) -> int:
    formats = protobufs.VideoDescriptor.VideoChromaFormat
    known = next((f"YUV_{ratio}" for ratio in ("420", "422", "444") if ratio in pix_fmt), "UNKNOWN")
    return int(formats.Value(known))
