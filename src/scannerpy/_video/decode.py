"""The frame-exact decoder: the requested rows, as RGB arrays, from exactly the packets they need.

A packet goes into FFmpeg with its number as its pts, so the frame that comes out says which packet it was. Frames are
never counted: one that should come out and does not is an error, never a shifted row.

Damage is an error too. What FFmpeg returns for a broken packet depends on uninitialized memory, and every frame up to
the next keyframe is predicted from it. A row is yielded only when all frames decoded before it have come out intact;
otherwise it, and the rows that depend on it, raise a VideoError that names them.

The decoder keeps its place. When the last wanted row of a request is out it stops feeding, and a later request for
rows further on continues where it stopped, unless packets that are needed now were left out then. It also remembers
the last few frames it gave out: windows and warm-up of neighbouring tasks overlap, and going back a row would mean
starting again at the keyframe.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from scannerpy._plan.decode import REMEMBERED, Layout, Span, damaged_rows, reorder_depth
from scannerpy._video.demux import REENCODE, REPAIR, numbered, open_decoder
from scannerpy._video.hevc import without_sei
from scannerpy._video.pixels import Converter, Pixels
from scannerpy._words.video import DAMAGED, KEY, VideoIndex
from scannerpy.errors import VideoError

Ints = npt.NDArray[np.int64]
ReadRanges = Callable[[Sequence[int], Sequence[int]], Sequence[bytes]]

_BLOCK = 4 << 20  # bytes of packets read ahead at most
_NEAR = 64 << 10  # ranges nearer than this are read as one
_NOTED = "noted when the video was ingested"
_REMEMBERED_BYTES = 32 << 20  # of frames handed out that are kept, at most
_AHEAD = 16  # packets read at a time once the last wanted one is in and only the reordering keeps its frame back


class _DamageFound(Exception):
    """The open run met damage: plan again, knowing of it."""


@dataclass(slots=True)
class _Run:
    """An open decoder and what has gone into it. `next` is the first packet neither fed nor passed over."""

    context: VideoCodecContext
    threads: int
    exact_from: int  # rows before this one would lack what they refer to
    next: int
    inside: set[int] = field(default_factory=set)  # fed, own an exact row, not yet come out

    def __del__(self) -> None:
        """Wait for FFmpeg's threads first: PyAV frees a decoder while it holds the interpreter's lock, and a
        thread that has something to log waits for that lock (where a program has called `av.logging.set_level`).
        """
        if self.threads > 1:
            self.context.flush_buffers()


class Decoder:
    """Decodes rows of one indexed video.

    `read(starts, ends)` returns the bytes of ranges of the data object that the index's offsets refer to. `threads`
    are FFmpeg's, within one video. Not to be used from two threads at once.
    """

    def __init__(
        self,
        index: VideoIndex,
        read: ReadRanges,
        threads: int = 1,
        format: str = "rgb24",  # noqa: A002 (FFmpeg's and PyAV's word)
    ) -> None:
        self.index = index
        self._layout = Layout(index)
        self._row_of = self._layout.row_of.data  # as memory views: numpy takes three times as long for single numbers
        self._droppable = self._layout.droppable.data
        self._packet_of = np.ascontiguousarray(index.frame_packet).data
        self._key = ((index.flags & KEY) != 0).data
        self._read = read
        self._threads = threads
        self._reorder = reorder_depth(index)
        self._converter = Converter(index.rotation, index.mirrored, format)
        self._run: _Run | None = None
        self._out: dict[int, VideoFrame] = {}  # row → decoded frame, not yet yielded
        self._recent: OrderedDict[int, VideoFrame] = OrderedDict()  # row → decoded frame, already yielded
        size = max(1, 2 * index.coded_width * index.coded_height)
        self._remembered = max(2, min(REMEMBERED, _REMEMBERED_BYTES // size))
        self._wanted = np.zeros(index.rows, bool)
        self._broken = damaged_rows(index)
        self._known: dict[int, str] = dict.fromkeys(np.flatnonzero(index.flags & DAMAGED).tolist(), _NOTED)

    def frames(self, rows: Ints | Sequence[int]) -> Iterator[tuple[int, Pixels]]:
        """Yield (row, H × W × 3 uint8 array) for `rows`, which ascend and are unique.

        Arrays are C-contiguous, writable, and the caller's own. A new call ends an earlier one that was not finished.
        Raises VideoError naming row and packet where a frame cannot be decoded, IndexError for rows that do not exist.
        """
        for row, frame in self.pictures(rows):
            yield row, self._converter.convert(frame)

    def pictures(self, rows: Ints | Sequence[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (row, frame as the codec made it), as `frames` does: not turned, in the video's own pixel format.

        The decoder may go on referring to the frame's pixels, so they must not be written to.
        """
        wanted = self._checked(rows)
        threads, done = self._threads, 0
        for row, frame in self._remembered_of(wanted):
            done += 1
            yield row, self._checked_size(row, frame)
        while done < len(wanted):
            try:
                for row, frame in self._decoded(wanted[done:], threads):
                    done += 1
                    yield row, self._checked_size(row, frame)
            except _DamageFound:
                self._run = None
                threads = 1  # one thread tells which packet it was, and repairs like any other player

    @property
    def sample_aspect_ratio(self) -> Fraction | None:
        """How wide a pixel is for its height, as the stream itself says; known once a frame has come out."""
        return self._run.context.sample_aspect_ratio if self._run else None

    def _checked(self, rows: Ints | Sequence[int]) -> Ints:
        wanted = np.asarray(rows, dtype=np.int64).reshape(-1)
        if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < self.index.rows:
            raise IndexError(f"rows {wanted[0]} to {wanted[-1]} of a video of {self.index.rows} rows")
        if (np.diff(wanted) <= 0).any():
            raise ValueError("rows must ascend and be unique")
        return wanted

    def _remembered_of(self, rows: Ints) -> Iterator[tuple[int, VideoFrame]]:
        """Yield the leading rows that the last request took too, as windows of neighbouring tasks do."""
        for row in rows.tolist():
            frame = self._recent.get(row)
            if frame is None:
                return
            yield row, frame

    def _decoded(self, rows: Ints, threads: int) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (row, frame) up to the first row that is broken, which raises."""
        broken = self._broken[rows]
        sound = rows[: int(np.argmax(broken))] if broken.any() else rows
        self._want(sound)
        spans = self._layout.spans(sound)
        for n, span in enumerate(spans):
            yield from self._carry_out(span, threads, stay=n == len(spans) - 1)
        if len(sound) < len(rows):
            raise self._damage(int(rows[len(sound)]))

    def _want(self, rows: Ints) -> None:
        """Keep, of what has come out but was not asked for, only what this request or a later one may take."""
        self._wanted[:] = False
        self._wanted[rows] = True
        if len(rows):
            self._wanted[rows[-1] + 1 :] = True  # what the reordering lets out beyond the last row comes next
        self._out = {row: frame for row, frame in self._out.items() if self._wanted[row]}

    def _carry_out(self, span: Span, threads: int, *, stay: bool) -> Iterator[tuple[int, VideoFrame]]:
        run = self._enter(span, threads)
        feeding = self._feeding(run, span, stay=stay)
        for row in span.rows.tolist():
            while row not in self._out or self._may_depend_on_pending(run, row):
                if not next(feeding, False):
                    self._note_missing(run)
            frame = self._recent[row] = self._out.pop(row)
            self._recent.move_to_end(row)
            if len(self._recent) > self._remembered:
                self._recent.popitem(last=False)
            yield row, frame

    def _may_depend_on_pending(self, run: _Run, row: int) -> bool:
        """Whether a frame that was decoded before this row's is not out yet, and so may still prove damaged."""
        own = self._packet_of[row]
        return any(packet < own and not self._droppable[packet] for packet in run.inside)

    def _enter(self, span: Span, threads: int) -> _Run:
        """Go on with the open decoder where that reaches all rows of the span, else open another at its start."""
        run = self._run
        if run is None or run.threads != threads or not self._reaches(run, span):
            layout = self._layout
            number = int(np.searchsorted(layout.starts, span.first, side="right")) - 1
            alone = layout.starts[number] < span.first  # packets that stand alone may be entered anywhere
            exact_from = 0 if alone else int(layout.start_rows[number])
            self._out.clear()
            context = open_decoder(self.index, threads, self._reorder)
            run = self._run = _Run(context, threads, exact_from, span.first)
        return run

    def _reaches(self, run: _Run, span: Span) -> bool:
        if span.first > run.next and self._layout.must_feed(run.next, span.first - 1):
            return False
        if span.rows[0] < run.exact_from:
            return False
        owners = self.index.frame_packet[span.rows]
        behind = span.rows[owners < run.next]
        return all(row in self._out or self._packet_of[row] in run.inside for row in behind.tolist())

    def _feeding(self, run: _Run, span: Span, *, stay: bool) -> Iterator[bool]:
        """Feed one packet per step, True each time; end when nothing more can come out."""
        packets = span.packets[np.searchsorted(span.packets, run.next) :]
        leave_out = len(packets) <= span.last - max(run.next, span.first)  # some of what is still to come
        for number, data in self._packets(packets):
            self._feed(run, number, data)
            yield True
        if stay:
            for number, data in self._packets_after(run, leave_out=leave_out):
                self._feed(run, number, data)
                yield True
        self._run = None  # a drained decoder takes no more packets
        self._decode(run, None)
        yield True

    def _packets_after(self, run: _Run, *, leave_out: bool) -> Iterator[tuple[int, memoryview]]:
        """Yield what follows the span, so that its last frames come out without closing the decoder.

        A request for neighbouring rows is likely to be followed by another, which will want what could be left out.
        """
        while run.next < self.index.packets:
            packets = np.arange(run.next, min(run.next + _AHEAD, self.index.packets))
            if leave_out:
                packets = packets[~self._layout.droppable[packets]]
            run.next = run.next if len(packets) else run.next + _AHEAD
            yield from self._packets(packets)

    def _packets(self, packets: Ints) -> Iterator[tuple[int, memoryview]]:
        """Yield (number, bytes) of packets, reading a few megabytes at a time."""
        sizes = self.index.size[packets]
        before = np.cumsum(sizes) - sizes
        begin = 0
        while begin < len(packets):
            end = max(begin + 1, int(np.searchsorted(before, before[begin] + _BLOCK)))
            yield from self._block(packets[begin:end])
            begin = end

    def _block(self, packets: Ints) -> Iterator[tuple[int, memoryview]]:
        starts = self.index.offset[packets]
        ends = starts + self.index.size[packets]
        apart = (starts[1:] < ends[:-1]) | (starts[1:] - ends[:-1] > _NEAR)
        first = np.concatenate(([0], np.flatnonzero(apart) + 1))
        last = np.append(first[1:], len(packets)) - 1
        blocks = self._read(starts[first].tolist(), ends[last].tolist())
        for a, b, data in zip(first.tolist(), last.tolist(), blocks, strict=True):
            view, base = memoryview(data), int(starts[a])
            if len(view) != int(ends[b]) - base:
                raise VideoError(
                    f"bytes {base} to {ends[b]} of the video are gone: was the file changed? Ingest it again"
                )
            for n in range(a, b + 1):
                yield int(packets[n]), view[int(starts[n]) - base : int(ends[n]) - base]

    def _feed(self, run: _Run, number: int, data: memoryview) -> None:
        run.next = number + 1
        if self._row_of[number] >= run.exact_from:
            run.inside.add(number)
        self._decode(run, numbered(data, number, key=self._key[number]))

    def _decode(self, run: _Run, packet: Packet[Any] | None) -> None:
        try:
            frames = run.context.decode(packet)
        except av.error.FFmpegError as error:
            again = self._decoded_without_sei(run, packet)
            if again is None:
                self._note_error(run, packet, error)
                return
            frames = again
        for frame in frames:
            self._take(run, frame)

    def _decoded_without_sei(self, run: _Run, packet: Packet[Any] | None) -> list[VideoFrame] | None:
        """What comes out of an HEVC packet's slices alone, None if they are broken too.

        Its decoder refuses a whole packet for an SEI message it cannot parse (Dolby Vision's), which no picture needs.
        """
        if packet is None or packet.pts is None or run.threads > 1 or self.index.codec != "hevc":
            return None
        data = without_sei(bytes(packet), self.index.extradata)
        if data is None:
            return None
        try:
            return run.context.decode(numbered(data, packet.pts, key=packet.is_keyframe))
        except av.error.FFmpegError:
            return None

    def _take(self, run: _Run, frame: VideoFrame) -> None:
        if frame.pts is None:
            raise VideoError(f"a frame came out of the {self.index.codec} decoder that no packet claims; {REENCODE}")
        row = self._row_of[frame.pts]
        run.inside.discard(frame.pts)
        if row < run.exact_from:
            return  # shown before the start, or never
        if frame.is_corrupt:
            self._note(run, [frame.pts], "FFmpeg marks its frame as corrupt")
        overdue = [packet for packet in run.inside if self._row_of[packet] < row]
        if overdue:
            self._note(run, overdue, "no frame came out of it")
        if self._wanted[row]:
            self._out[row] = frame

    def _note_error(self, run: _Run, packet: Packet[Any] | None, error: av.error.FFmpegError) -> None:
        number = run.next - 1 if packet is None or packet.pts is None else packet.pts
        if 0 <= self._row_of[number] < run.exact_from:
            return  # depends on what is before the start, and is not wanted
        self._note(run, [number], f"FFmpeg says: {error.strerror}")

    def _note_missing(self, run: _Run) -> None:
        """The decoder is empty, and frames that went in have not come out."""
        self._note(run, sorted(run.inside), "no frame came out of it")
        raise VideoError(f"rows of this {self.index.codec} video cannot be found in it; ingest it again")

    def _note(self, run: _Run, packets: list[int], why: str) -> None:
        """Remember damage that is new, and begin again knowing of it."""
        new = [packet for packet in packets if packet not in self._known]
        run.inside.difference_update(packets)
        if not new:
            return
        if run.threads == 1:
            self._known |= dict.fromkeys(new, why)
            self._broken |= self._layout.affected_by(np.array(new, np.int64))
        raise _DamageFound

    def _damage(self, row: int) -> VideoError:
        own = int(self.index.frame_packet[row])
        packet = max((packet for packet in self._known if packet <= own), default=own)
        end = row + int(np.argmin(np.append(self._broken[row:], False)))
        begin = row - int(np.argmin(np.append(self._broken[row::-1], False))) + 1
        others = f" (and all rows from {begin} to {end - 1})" if end - begin > 1 else ""
        return VideoError(
            f"row {row}{others} cannot be decoded: packet {packet} is damaged ({self._known.get(packet)}); {REPAIR}"
        )

    def _checked_size(self, row: int, frame: VideoFrame) -> VideoFrame:
        size = (self.index.coded_width, self.index.coded_height)
        if (frame.width, frame.height) != size:
            raise VideoError(
                f"row {row} is {frame.width}×{frame.height}, but the video began as {size[0]}×{size[1]}; {REENCODE}"
            )
        return frame
