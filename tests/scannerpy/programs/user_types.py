"""Types of a program's own: a protobuf message, lists of any and of equal sizes, and a class with two functions."""

import json
import sys
from typing import Any, Sequence

import scannerpy as sp
from scannerpy import protobufs
from scannerpy.types import NumpyArrayFloat32, ProtobufType, UniformList, VariableList, get_type_info, register_type

Joint = ProtobufType("Joint", protobufs.Point)
Pose = VariableList("Pose", Joint)
Corners = UniformList("Corners", NumpyArrayFloat32, size=8)


@register_type
class Report:
    def serialize(report):
        return json.dumps(report, sort_keys=True).encode()

    def deserialize(data):
        return json.loads(data)


@sp.register_python_op()
def FindPose(config, frame: sp.FrameType) -> Pose:
    joints = int(frame.mean()) % 3
    return [protobufs.Point(x=j, y=0.5, score=1) for j in range(joints)]


@sp.register_python_op(batch=4)
class FindCorners(sp.Kernel):
    def execute(self, frame: Sequence[sp.FrameType]) -> Sequence[Corners]:
        return [[[0, 0], [f.shape[1], 0], [f.shape[1], f.shape[0]]] for f in frame]


@sp.register_python_op()
def Summarize(config, pose: Pose, corners: Corners) -> Report:
    return {"joints": len(pose), "right": float(corners[1][0]), "last": [float(x) for x in corners[-1]]}


@sp.register_python_op()
def Right(config, report: Report) -> Any:
    return report["right"]


def main():
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, "example", path=sys.argv[1])])
    pose, corners = sc.ops.FindPose(frame=frames), sc.ops.FindCorners(frame=frames)
    report = sc.ops.Summarize(pose=pose, corners=corners)
    right = sc.ops.Right(report=report)
    streams = {name: sp.NamedStream(sc, name) for name in ("poses", "corners", "reports", "rights")}
    outputs = [sc.io.Output(c, [s]) for c, s in zip((pose, corners, report, right), streams.values())]
    sc.run(outputs, sp.PerfParams.manual(5, 10), show_progress=False)

    poses, reports = list(streams["poses"].load()), list(streams["reports"].load())
    print(streams["poses"].type() is Pose, streams["reports"].type() is Report, get_type_info(Pose).cpp_name)
    print([r["joints"] for r in reports] == [len(p) for p in poses], len({len(p) for p in poses}) > 1)
    print(reports[0]["right"], reports[0]["last"], set(streams["rights"].load()))
    print(
        [c.tolist() for c in next(streams["corners"].load())], next(streams["corners"].load(ty=NumpyArrayFloat32)).size
    )
    print(next(streams["reports"].load(fn=len)) == len(Report.serialize(reports[0])))
    # a stored stream of types goes into the next graph without saying so
    again = sc.ops.Right(report=sc.io.Input([streams["reports"]]))
    out = sp.NamedStream(sc, "again")
    sc.run(sc.io.Output(again, [out]), sp.PerfParams.manual(5, 10), show_progress=False)
    print(list(out.load()) == list(streams["rights"].load()))


if __name__ == "__main__":
    main()
