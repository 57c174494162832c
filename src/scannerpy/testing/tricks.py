"""Edits of existing video files, for the fixtures of `videos`: cut, edited, truncated, overwritten."""

from __future__ import annotations

from pathlib import Path

import av

from scannerpy.testing import bitstreams


def cut_inside_a_gop(path: Path, frames: int = 7) -> None:
    """Cut the first frames away as ``ffmpeg -ss -c copy`` does: the packets stay, an edit list hides their frames."""
    whole = path.with_suffix(".whole" + path.suffix)
    path.rename(whole)
    with av.open(str(whole)) as source, av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        begin = sorted(packet.pts or 0 for packet in packets)[frames]
        for packet in packets:
            packet.pts, packet.dts = (packet.pts or 0) - begin, (packet.dts or 0) - begin
            packet.stream = copy
            target.mux(packet)
    whole.unlink()


def play_two_pieces(path: Path) -> None:
    """Play frames 0–14 and 25–39, as a phone's editor stores a cut."""
    bitstreams.set_edit_list(path, [(0.6, 0.08), (0.6, 1.08)])  # the first frame is shown at 0.08 s


def play_a_piece_twice(path: Path) -> None:
    """Play frames 5–14, and again."""
    bitstreams.set_edit_list(path, [(0.4, 0.28), (0.4, 0.28)])


def truncate(path: Path, keep: float = 0.62) -> None:
    """Cut the end off, as a full disk or a broken download does."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])


def cut_transport_stream_inside_a_gop(path: Path, lose: float = 0.3) -> None:
    """Cut the beginning off a transport stream, as tuning in does; its tables are repeated, so the rest is readable."""
    data = path.read_bytes()
    path.write_bytes(data[int(len(data) * lose) // 188 * 188 :])


def damage(path: Path, at: float = 0.62, size: int = 700) -> None:
    """Overwrite a stretch in the second half of a file, as a bad sector does."""
    data = bytearray(path.read_bytes())
    begin = int(len(data) * at)
    data[begin : begin + size] = b"\xff" * size
    path.write_bytes(data)
