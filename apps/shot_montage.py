"""Shot montage: one picture of a whole film, with a frame from the middle of every shot.

    python apps/shot_montage.py film.mp4

Three runs, each over what the one before stored: a histogram of every frame (on all cores), the cuts (from the stored
histograms; nothing is decoded), and the montage (only the frames it shows are decoded).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2

import scannerpy as sp


@sp.register_python_op()
def ShotLabel(config, frame: sp.FrameType, text: bytes) -> sp.FrameType:
    """Write `text` in the corner, on a dark ground."""
    height = frame.shape[0]
    size, margin = height / 400, height // 30
    (text_width, text_height), _ = cv2.getTextSize(text.decode(), cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    frame[height - text_height - 3 * margin :, : text_width + 3 * margin] //= 4
    place = (margin, height - margin)
    cv2.putText(frame, text.decode(), place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA)
    return frame


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument(
        "--out", type=Path, default=Path("out/shot_montage"), help="folder for the picture and the database"
    )
    parser.add_argument("--columns", type=int, default=5, help="pictures side by side")
    parser.add_argument("--width", type=int, default=240, help="pixels of one picture")
    parser.add_argument("--most", type=int, default=200, help="no more shots than these, the longest ones")
    chosen = parser.parse_args(arguments)

    chosen.out.mkdir(parents=True, exist_ok=True)
    with sp.Client(config=sp.Config(db_path=str(chosen.out / "db"))) as cl:
        film = sp.NamedVideoStream(cl, chosen.film.stem, path=str(chosen.film))
        shots = find_shots(cl, film)
        shown = sorted(sorted(shots, key=lambda shot: shot[0] - shot[1])[: chosen.most])
        picture = chosen.out / f"{chosen.film.stem}.png"
        cv2.imwrite(str(picture), cv2.cvtColor(make_montage(cl, film, shown, chosen), cv2.COLOR_RGB2BGR))
    for number, (start, end) in enumerate(shots, 1):
        print(f"shot {number:4}  rows {start:7} to {end - 1:7}")
    print(f"{len(shots)} shot{'s' * (len(shots) != 1)}, {len(shown)} in {picture}")


def find_shots(cl: sp.Client, film: sp.NamedVideoStream) -> list[tuple[int, int]]:
    """Return the first row of every shot, and the row after its last one."""
    histograms = sp.NamedStream(cl, f"{film.name()}/histograms")
    cuts = sp.NamedStream(cl, f"{film.name()}/cuts")
    run(cl, cl.io.Output(cl.ops.Histogram(frame=cl.io.Input([film])), [histograms]))
    run(cl, cl.io.Output(cl.ops.ShotBoundaries(histograms=cl.io.Input([histograms])), [cuts]))
    edges = [0, *next(cuts.load(rows=[0])), film.len()]
    return list(pairwise(edges))


def make_montage(cl: sp.Client, film: sp.NamedVideoStream, shots: list[tuple[int, int]], chosen: argparse.Namespace):
    """Return one RGB picture with the middle of each shot."""
    middles = [(start + end) // 2 for start, end in shots]
    labels = sp.NamedStream(cl, f"{film.name()}/labels")
    cl.new_table(labels.name(), ["column"], [[f"{start}-{end - 1}".encode()] for start, end in shots], force=True)

    frames = cl.streams.Gather(cl.io.Input([film]), [middles])
    small = cl.ops.Resize(frame=frames, width=[chosen.width], interpolation=["INTER_AREA"])
    labelled = cl.ops.ShotLabel(frame=small, text=cl.io.Input([labels]))
    montage = cl.ops.Montage(
        frame=labelled, num_frames=len(shots), target_width=chosen.width, frames_per_row=min(chosen.columns, len(shots))
    )
    finished = cl.streams.Gather(montage, [[len(shots) - 1]])
    stored = sp.NamedVideoStream(cl, f"{film.name()}/montage")
    run(cl, cl.io.Output(finished.lossless(), [stored]))
    return next(stored.load())


def run(cl: sp.Client, output) -> None:
    """Run, and stop the program where the film could not be computed."""
    job = cl.run(output, cache_mode=sp.CacheMode.Overwrite)
    failures = cl.job_status(job).failures
    if failures:
        raise SystemExit(str(failures))


if __name__ == "__main__":
    main()
