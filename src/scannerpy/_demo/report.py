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


def clip(console: Console, path: Path, about: Any, rows: int) -> None:
    """Say what is being analysed."""
    fps = about.time_base_denom / max(1, about.time_base_num)
    facts = f"{rows:,} frames of {about.width} × {about.height}, {rows / fps:.1f} s"
    console.print(Text.assemble(("\nScanner demo  ", "bold"), (path.name, "bold cyan"), f"  {facts}"))


def step(console: Console, title: str, detail: str) -> None:
    """Begin a step."""
    console.print(Text.assemble("\n", (title, "bold"), (f"  {detail}", "dim")))


def results(console: Console, shots: Sequence[Shot], histograms: Sequence[Any], fps: float) -> None:
    """Print one line per shot: where it is, how abruptly it begins, its mean colour and its brightness curve."""
    changes = change(histograms)
    table = Table(title="\nShots", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for heading in ("shot", "rows", "from", "to", "change at its start"):
        table.add_column(heading, justify="right", header_style="dim")
    table.add_column("colours", header_style="dim")
    table.add_column("red, green, blue", header_style="dim")
    for shot in shots:
        counts = np.sum(np.array(histograms[shot.start : shot.end], np.int64), axis=0)
        table.add_row(
            str(shot.number),
            f"{shot.start}–{shot.end - 1}",
            f"{shot.start / fps:.2f} s",
            f"{shot.end / fps:.2f} s",
            f"{changes[shot.start]:.0%}" if shot.start else "–",
            _swatch(counts),
            _curves(counts),
        )
    console.print(table)


def motion(console: Console, start: int, end: int, stride: int, speeds: Sequence[dict[str, float]]) -> None:
    """Print how fast the sampled range moves, as a curve."""
    means = np.array([speed["mean"] for speed in speeds[:-1]])  # the last frame has none to be compared with
    if not len(means):
        return
    busiest = int(np.argmax(means))
    console.print(
        Text.assemble(
            ("\nMotion", "bold"),
            f"  rows {start}–{end - 1}, every {stride}nd  ",
            (_bars(means), "cyan"),
            f"  mean {means.mean():.1f}, busiest {means[busiest]:.1f} pixels a step at row {start + busiest * stride}",
        )
    )


def files(console: Console, out: Path, trace: Path, seconds: float) -> None:
    """Print the paths of what was made."""
    lines = (
        ("picture", out / "montage.png", "frames from all over the clip"),
        ("video", out / "annotated.mp4", "resized and captioned"),
        ("flow", out / "flow.mp4", "where things move"),
        ("trace", trace, "open it at ui.perfetto.dev or in chrome://tracing"),
        ("database", out / "db", "the stored streams: `scanner ls --db " + str(out / "db") + "`"),
    )
    table = Table(title="\nLook at", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for heading in ("", "", ""):
        table.add_column(heading, overflow="fold")
    for name, path, what in lines:
        table.add_row(name, Text(str(path), style="cyan"), Text(what, style="dim"))
    table.show_header = False
    console.print(table)
    console.print(f"\nAll of it took {seconds:.1f} s.\n", highlight=False)


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
