# ruff: noqa: INP001  # a script, not a package
"""Make the pictures of docs/guide/seeing.md: run its program on a clip, and photograph what a notebook would show.

    python tools/make_pictures.py CLIP      # the guide shows bigbuckbunny.mp4, the clip of the demo

Needs Chromium (or Chrome) on the PATH. The page opened is a local file; nothing is fetched.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

import scannerpy as sp

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT = 900, 1200
MARGIN = 14
LIGHT = "body{background:#fff;color:#222;margin:14px}"


def main(clip: str) -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        for name, html in pages(clip, Path(folder)).items():
            photograph(html, IMAGES / name, Path(folder))


def pages(clip: str, folder: Path) -> dict[str, str]:
    """Run what the guide runs, and return what each of its pictures shows."""
    with sp.Client(config=sp.Config(db_path=str(folder / "db"))) as cl:
        film = sp.NamedVideoStream(cl, "film", path=clip)
        small = cl.ops.Resize(frame=cl.streams.Stride(cl.io.Input([film]), [2]), width=[320])
        colours, flow = sp.NamedStream(cl, "colours"), sp.NamedVideoStream(cl, "flow")
        outputs = [
            cl.io.Output(cl.ops.Histogram(frame=small), [colours]),
            cl.io.Output(cl.ops.OpticalFlow(frame=small), [flow]),
        ]
        plan = cl.explain(outputs)._repr_html_()
        job = cl.run(outputs, show_progress=False)
        return {
            "seeing-sheet.jpg": film._repr_html_(),
            "seeing-plan.png": re.sub(r"make_pictures\.py:\d+", "program.py", plan),
            "seeing-histograms.png": colours._repr_html_(),
            "seeing-time.png": cl.get_profile(job)._repr_html_(),
        }


def photograph(html: str, path: Path, folder: Path) -> None:
    """Render a page and store it, without the empty rest of the window."""
    page, shot = folder / "page.html", folder / "shot.png"
    page.write_text(f"<!doctype html><meta charset=utf-8><style>{LIGHT}</style>{html}", encoding="utf-8")
    subprocess.run(
        [
            browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            f"--user-data-dir={folder / 'profile'}", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}",
            f"--screenshot={shot}", page.as_uri(),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    picture = cv2.imread(str(shot))
    drawn = np.argwhere(picture.min(axis=2) < 250)
    bottom, right = drawn.max(axis=0) + MARGIN
    options = [cv2.IMWRITE_JPEG_QUALITY, 82] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    cv2.imwrite(str(path), picture[:bottom, :right], options)


def browser() -> str:
    """Return the browser to use."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        sys.exit("make_pictures needs Chromium: install it (`apt-get install chromium`) and run again")
    return found


if __name__ == "__main__":
    main(sys.argv[1])
