"""Messages of a program's own, from a generated module: as a type, as init arguments, and inside other values."""

import pickle
import sys
from typing import Any

import scannerpy as sp
from scannerpy import protobufs
from scannerpy.protobufs import analyze_proto, python_to_proto
from scannerpy.types import ProtobufType

protobufs.add_module(sys.argv[1])
Track = ProtobufType("Track", protobufs.Track)


@sp.register_python_op(proto_path=sys.argv[1])
class MakeTrack(sp.Kernel):
    def __init__(self, config, times=1, more=()):
        super().__init__(config)
        self.times, self.more = times, more

    def execute(self, x: Any) -> Track:
        return protobufs.Track(joints=[x] * self.times + list(self.more), box={"x1": x})


@sp.register_python_op()
def Inside(config, track: Track) -> Any:
    return {"track": track, "box": track.box, "kind": protobufs.RIGHT}


def main():
    sc = sp.Client()
    sc.new_table("numbers", ["column"], [[pickle.dumps(n)] for n in range(8)])
    numbers = sc.io.Input([sp.NamedStream(sc, "numbers")])
    tracks = sc.ops.MakeTrack(x=numbers, args=protobufs.TrackArgs(times=2, more=[9]))
    streams = [sp.NamedStream(sc, "tracks"), sp.NamedStream(sc, "insides")]
    sinks = [sc.io.Output(tracks, streams[:1]), sc.io.Output(sc.ops.Inside(track=tracks), streams[1:])]
    sc.run(sinks, sp.PerfParams.manual(2, 4), show_progress=False)
    track, inside = next(streams[0].load(rows=[3])), next(streams[1].load(rows=[3]))
    print(list(track.joints), track.box.x1, inside["track"] == track, inside["box"].x1, inside["kind"])
    print(protobufs.Track.FromString(python_to_proto("Track", {"joints": [1], "box": {"x1": 2}})).box.x1)
    print(analyze_proto(protobufs.Track)["box"]["message"], sorted(analyze_proto(protobufs.TrackArgs)))


if __name__ == "__main__":
    main()
