"""`scanner demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    video: Annotated[Path | None, typer.Argument(help="A video of your own.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the results go.", metavar="FOLDER")] = Path("out"),
) -> None:
    """Analyse a real clip: histograms, shots, a montage, an annotated mp4, optical flow."""
    from rich.console import Console

    from scannerpy._demo.clip import find_clips
    from scannerpy._demo.program import run_demo

    run_demo(find_clips(video), out, Console(width=None if sys.stdout.isatty() else 120))
