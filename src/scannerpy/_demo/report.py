"""What the demo prints: headings, a table of shots with their colours, motion, and where the results are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scannerpy._demo.rows import Shot
from scannerpy.ops.shot_detection import change

BARS = "▁▂▃▄▅▆▇█"


def clip(console: Console, name: str, about: Any, rows: int, fps: float) -> None:
    """Say what is being analysed."""
    facts = f"{rows:,} frames of {about.width} × {about.height}, {rows / fps:.1f} s"
    console.print(Text.assemble(("\nScanner demo  ", "bold"), (name, "bold cyan"), f"  {facts}"))


def step(console: Console, title: str, detail: str) -> None:
    """Begin a step."""
    console.print(Text.assemble("\n", (title, "bold"), (f"  {detail}", "dim")))


def done(console: Console, seconds: float) -> None:
    """End a step."""
    console.print(Text(f"done in {seconds:.2f} s", style="green"))


def plan(console: Console, explanation: object) -> None:
    """Print what a run is going to do."""
    console.print(str(explanation), style="dim", highlight=False, markup=False, soft_wrap=True)


def shots(console: Console, name: str, found: Sequence[Shot], histograms: Sequence[Any], fps: float) -> None:
    """Print one line per shot: where it is, how abruptly it begins, its mean colour and its histograms."""
    changes = change(histograms)
    table = _table(f"Shots of {name}")
    for heading in ("shot", "rows", "from", "to", "changed at its start"):
        table.add_column(heading, justify="right", header_style="dim")
    table.add_column("colour", header_style="dim")
    table.add_column("red, green, blue", header_style="dim")
    for shot in found:
        counts = np.sum(np.array(histograms[shot.start : shot.end], np.int64), axis=0)
        times = (f"{row / fps:.2f} s" for row in (shot.start, shot.end))
        began = f"{changes[shot.start]:.0%}" if shot.start else "–"
        table.add_row(str(shot.number), f"{shot.start}–{shot.end - 1}", *times, began, _swatch(counts), _curves(counts))
    console.print(table)


def motion(console: Console, name: str, start: int, stride: int, speeds: Sequence[dict[str, float]]) -> None:
    """Print how fast the sampled range moves, as a curve."""
    means = np.array([speed["mean"] for speed in speeds[:-1]])  # the last frame has none to be compared with
    if not len(means):
        return
    busiest = int(np.argmax(means))
    fastest = f"{means[busiest]:.1f} pixels in {stride} rows"
    console.print(
        Text.assemble(
            (f"\nMotion in {name}  ", "bold"),
            (_bars(means), "cyan"),
            f"  from row {start}; busiest at row {start + busiest * stride}: {fastest}",
        )
    )


def bottlenecks(console: Console, runs: Sequence[tuple[str, str]]) -> None:
    """Print, for each run, which stage held it up."""
    table = _table("Where the time went")
    table.show_header = False
    table.add_column()
    table.add_column(overflow="fold")
    for title, line in runs:
        table.add_row(title, Text(line, style="dim"))
    console.print(table)


def files(console: Console, pictures: Sequence[Path], videos: Sequence[Path], trace: Path, database: Path) -> None:
    """Print the paths of what was made."""
    lines = [
        *(("picture", path, "frames from all over the clip") for path in pictures),
        *(("video", path, "where things move" if "flow" in path.stem else "resized, captioned") for path in videos),
        ("trace", trace, "open it at ui.perfetto.dev or in chrome://tracing"),
        ("database", database, f"the stored streams: `scanner ls --db {database}`"),
    ]
    table = _table("Look at")
    for _ in range(3):
        table.add_column(overflow="fold")
    table.show_header = False
    for name, path, what in lines:
        table.add_row(name, Text(str(path), style="cyan"), Text(what, style="dim"))
    console.print(table)


def _table(title: str) -> Table:
    return Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))


def _swatch(counts: Any) -> Text:
    """Return a block in the mean colour of what was counted."""
    centres = np.arange(16) * 16 + 8
    red, green, blue = (round(float(c @ centres / max(1, c.sum()))) for c in counts)
    return Text("██████", style=f"rgb({red},{green},{blue})")


def _curves(counts: Any) -> Text:
    colours = ("red", "green", "blue")
    return Text(" ").join(Text(_bars(np.sqrt(c)), style=colour) for c, colour in zip(counts, colours, strict=True))


def _bars(values: Any) -> str:
    """Return one block character per value, the highest for the largest."""
    top = max(float(np.max(values)), 1e-9)
    return "".join(BARS[min(7, int(value / top * 7.999))] for value in values)
