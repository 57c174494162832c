"""`scanner verify`: proves on a file of the user's own that every way of reading it gives the same frames."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scannerpy._cli import page
from scannerpy._cli.options import Json
from scannerpy.errors import ScannerException, VideoError

if TYPE_CHECKING:
    from scannerpy.client import Client
    from scannerpy.storage import NamedVideoStream

USUAL_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Truth:
    """Digests of the frames a decode from the beginning shows: in RGB, as ops see them, and in BGR, as they load."""

    rgb: list[bytes]
    bgr: list[bytes]

    def __len__(self) -> int:
        return len(self.rgb)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One way of reading: how many rows, and which of them were not what the sequential decode shows."""

    how: str
    by: str
    rows: int
    wrong: tuple[int, ...]


def verify(
    video: Annotated[Path, typer.Argument(help="The video file.", metavar="VIDEO")],
    rows: Annotated[int, typer.Option("--rows", help="Compare so many first rows; 0 for all.", min=0)] = USUAL_ROWS,
    copy: Annotated[
        bool, typer.Option("--copy", help="Read a copy in a database, rather than the file in its place.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare every way of reading a video with a plain decode from its beginning, bit for bit."""
    if not video.is_file():
        raise ScannerException(f"{video} is not a file: give the path of a video")
    with _scratch_stream(video.absolute(), inplace=not copy) as (client, stream), _told(quiet=json) as tell:
        total = stream.len()
        tell("decoding from the beginning")
        truth = _reference(video, rows or None)
        count = min(rows or total, total)
        sound = _sound_rows(stream, count) if len(truth) == count else []
        results = list(_compared(client, stream, truth, sound, tell)) if sound else []
    refused = [] if not sound else sorted(set(range(count)) - set(sound))
    if json:
        page.as_json(_facts(video, total, truth, results, refused))
    else:
        _print(video, total, truth, results, refused)
    if len(truth) != count or any(result.wrong for result in results):
        raise typer.Exit(1)


@contextmanager
def _scratch_stream(video: Path, *, inplace: bool) -> Iterator[tuple[Client, NamedVideoStream]]:
    """The video in a database of its own, which is removed afterwards."""
    import scannerpy as sp

    with tempfile.TemporaryDirectory(prefix="scanner-verify-") as folder:
        config = Path(folder) / "config.toml"
        config.write_text(f'[storage]\ntype = "posix"\ndb_path = "{folder}/db"\n', encoding="utf-8")
        with sp.Client(config=sp.Config(str(config), db_path=f"{folder}/db")) as client:
            yield client, sp.NamedVideoStream(client, "video", path=str(video), inplace=inplace)


def _reference(video: Path, limit: int | None) -> Truth:
    from scannerpy._cli.patterns import digest
    from scannerpy._video.sequential import frames

    digests = [(digest(rgb), digest(bgr)) for rgb, bgr in frames(video, limit)]
    return Truth([rgb for rgb, _ in digests], [bgr for _, bgr in digests])


def _sound_rows(stream: NamedVideoStream, count: int) -> list[int]:
    """Return the rows, of the first `count`, that are not refused because the file is damaged there.

    Raises VideoError if all of them are.
    """
    sound: list[int] = []
    begin = 0
    while begin < count:
        try:
            for row, _ in enumerate(stream.load(rows=range(begin, count)), begin):
                sound.append(row)
                begin = row + 1
        except VideoError:
            begin += 1
            if begin == count and not sound:
                raise
    return sound


def _compared(
    client: Client, stream: NamedVideoStream, truth: Truth, sound: Sequence[int], tell: Callable[[str], None]
) -> Iterator[Comparison]:
    from scannerpy._cli.patterns import Pattern, patterns

    every = Pattern("every row", tuple(sound))
    some = [Pattern(pattern.name, tuple(sound[n] for n in pattern.rows)) for pattern in patterns(len(sound))]
    for pattern in [every, *some]:
        tell(f"load: {pattern.name}")
        yield _comparison(pattern.name, "load", pattern.rows, _loaded(stream, pattern.rows), truth.bgr)
    for pattern in [every, *some[:4]]:
        tell(f"run: {pattern.name}")
        yield _comparison(pattern.name, "run", pattern.rows, _through_graph(client, stream, pattern.rows), truth.rgb)
    tell("run: windows")
    yield _windows(client, stream, truth.rgb, set(sound))


def _comparison(how: str, by: str, rows: Sequence[int], found: Sequence[bytes], truth: Sequence[bytes]) -> Comparison:
    wrong = [row for row, digest in zip(rows, found, strict=False) if digest != truth[row]]
    return Comparison(how, by, len(rows), (*wrong, *rows[len(found) :]))


def _loaded(stream: NamedVideoStream, rows: Sequence[int]) -> list[bytes]:
    from scannerpy._cli.patterns import digest

    return [digest(frame) for frame in stream.load(rows=list(rows))]


def _through_graph(client: Client, stream: NamedVideoStream, rows: Sequence[int]) -> list[bytes]:
    chosen = client.streams.Gather(client.io.Input([stream]), [list(rows)])
    return _run(client, client.ops.VerifyDigest(frame=chosen), len(rows))


def _windows(client: Client, stream: NamedVideoStream, truth: Sequence[bytes], sound: set[int]) -> Comparison:
    """Every third row with its neighbours. The last rows have neighbours that were not decoded for comparison."""
    from scannerpy._cli.patterns import WINDOW

    last, total = max(WINDOW), stream.len()
    rows = [row for row in range(0, len(truth), 3) if row + last < len(truth) or len(truth) == total]
    rows = [row for row in rows if {min(max(row + step, 0), total - 1) for step in WINDOW} <= sound]
    windows = client.ops.VerifyWindow(frame=client.io.Input([stream]))
    found = _run(client, client.streams.Gather(windows, [rows]), len(rows))
    expected = [b"".join(truth[min(max(row + step, 0), total - 1)] for step in WINDOW) for row in rows]
    wrong = [row for row, a, b in zip(rows, found, expected, strict=True) if a != b]
    return Comparison(f"windows of {len(WINDOW)}", "run", len(rows) * len(WINDOW), tuple(wrong))


def _run(client: Client, column: Any, count: int) -> list[bytes]:
    """The digests a graph makes of the frames it gets, in several tasks."""
    import scannerpy as sp

    out = sp.NamedStream(client, "digests")
    size = max(1, min(100, -(-count // 4)))
    job = client.run(
        client.io.Output(column, [out]), sp.PerfParams.manual(size, size), sp.CacheMode.Overwrite, show_progress=False
    )
    if not out.committed() or job is None:
        raise ScannerException(f"the video could not be run through a graph: {client.job_status(job or 0).failures[0]}")
    return list(out.load())


@contextmanager
def _told(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Say on a terminal what is being done."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with console.status("scanning") as status:
        yield status.update


def _facts(
    video: Path, total: int, truth: Truth, results: Sequence[Comparison], refused: Sequence[int]
) -> dict[str, Any]:
    return {
        "video": str(video),
        "rows": total,
        "decoded_from_the_beginning": len(truth),
        "comparisons": [{"rows_asked": r.how, "by": r.by, "rows": r.rows, "wrong": list(r.wrong)} for r in results],
        "refused": list(refused),
        "equal": bool(results) and not any(result.wrong for result in results),
    }


def _print(video: Path, total: int, truth: Truth, results: Sequence[Comparison], refused: Sequence[int]) -> None:
    if not results:
        page.say(
            f"{video}: DIFFERENT: it has {total:,} rows, but a decode from its beginning shows {len(truth):,} frames"
        )
        return
    of = f"all {total:,} rows" if len(truth) == total else f"the first {len(truth):,} of {total:,} rows"
    page.say(f"{video}: {of} against a plain decode from the beginning\n")
    if refused:
        page.say(
            f"{len(refused):,} rows cannot be decoded, as the file is damaged there, and are refused: the first is row "
            f"{refused[0]}. The others are compared\n"
        )
    lines = [(r.by, f"{r.rows:,}", _verdict(r), r.how) for r in results]
    page.table(("by", "frames", "result", "rows asked for"), lines, numbers=("frames",))
    compared, wrong = sum(r.rows for r in results), sum(len(r.wrong) for r in results)
    if wrong:
        first = next(r for r in results if r.wrong)
        page.say(
            f"\n{wrong:,} of {compared:,} frames differ, the first at row {first.wrong[0]} ({first.by}, {first.how})."
        )
    else:
        page.say(f"\n{compared:,} frames compared, every one equal bit for bit.")


def _verdict(result: Comparison) -> str:
    return "DIFFERENT" if result.wrong else "equal"
