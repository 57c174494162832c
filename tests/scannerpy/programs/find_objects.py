"""Objects found by a model file in every tenth frame, drawn, and written as a video."""

import sys

import scannerpy as sp
import scannertools.object_detection
import scannertools.vis  # noqa: F401 -- as it was done


def main():
    sc = sp.Client()
    frames = sc.streams.Stride(sc.io.Input([sp.NamedVideoStream(sc, "example", path=sys.argv[1])]), [10])
    try:
        sc.run(sc.io.Output(sc.ops.DetectObjects(frame=frames), [sp.NamedStream(sc, "none")]), show_progress=False)
    except sp.ScannerException as error:
        print("needs a model" in str(error))
    boxes = sc.ops.DetectObjects(frame=frames, model=sys.argv[2], threshold=0.6)
    drawn = sc.ops.DrawBboxes(frame=frames, bboxes=boxes)
    found, video = sp.NamedStream(sc, "found"), sp.NamedVideoStream(sc, "drawn")
    sc.run(
        [sc.io.Output(boxes, [found]), sc.io.Output(drawn, [video])], sp.PerfParams.manual(1, 2), show_progress=False
    )
    for row in found.load():
        print([(box.label, round(box.x1, 2), round(box.y1, 2)) for box in row])
    video.save_mp4("drawn")


if __name__ == "__main__":
    main()
