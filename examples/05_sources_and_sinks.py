"""05: Sources and sinks.

The program of docs/tutorial/05-sources-and-sinks.md: ``python examples/05_sources_and_sinks.py [video]``.
"""

import sys
from pathlib import Path

import cv2

import scannerpy as sp
from scannerpy.storage import StorageBackend, StoredStream
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))
video = sp.NamedVideoStream(cl, "video", path=path)

captions = [[f"row {row}".encode()] for row in range(video.len())]
cl.new_table("captions", ["column"], captions, force=True)
captions_stream = sp.NamedStream(cl, "captions")


@sp.register_python_op()
def Caption(config, frame: sp.FrameType, text: bytes) -> sp.FrameType:
    size = frame.shape[0] / 300
    cv2.putText(
        frame, text.decode(), (8, frame.shape[0] - 8), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA
    )
    return frame


@sp.register_sink("Pictures", stream_params=("folder",))
class PictureWriter:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, start, elements):
        for row, frame in enumerate(elements, start):
            cv2.imwrite(str(self.folder / f"{row:06}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def finish(self):
        pass


@sp.register_source("Pictures", stream_params=("folder",), column="frame", is_video=True)
class PictureReader:
    def __init__(self, folder):
        self.files = sorted(Path(folder).glob("*.png"))

    def __len__(self):
        return len(self.files)

    def read(self, rows):
        for row in rows:
            yield cv2.cvtColor(cv2.imread(str(self.files[row])), cv2.COLOR_BGR2RGB)


class PictureStorage(StorageBackend):
    def source(self, sc, streams):
        return sc.sources.Pictures(folder=[stream.folder for stream in streams])

    def sink(self, sc, op, streams):
        return sc.sinks.Pictures(op, folder=[stream.folder for stream in streams])

    def delete(self, sc, streams):
        for stream in streams:
            for file in Path(stream.folder).glob("*.png"):
                file.unlink()


class PictureStream(StoredStream):
    def __init__(self, folder):
        self.folder = folder

    def name(self):
        return self.folder

    def storage(self):
        return PictureStorage()

    def exists(self):
        return any(Path(self.folder).glob("*.png"))

    def committed(self):
        return self.exists()

    def len(self):
        return len(list(Path(self.folder).glob("*.png")))


frames = cl.streams.Stride(cl.io.Input([video]), [25])
texts = cl.streams.Stride(cl.io.Input([captions_stream]), [25])
captioned = cl.ops.Caption(frame=frames, text=texts)
pictures = PictureStream("out/05_pictures")
cl.run(cl.io.Output(captioned, [pictures]), cache_mode=sp.CacheMode.Overwrite)
print(pictures.len(), "pictures in", pictures.name())

again = cl.io.Input([pictures])
count = pictures.len()
montage = cl.ops.Montage(frame=again, num_frames=count, target_width=160, frames_per_row=5)
wall = sp.NamedVideoStream(cl, "wall")
finished = cl.streams.Gather(montage, [[count - 1]])
cl.run(cl.io.Output(finished.lossless(), [wall]), cache_mode=sp.CacheMode.Overwrite)

cv2.imwrite("out/05_wall.png", cv2.cvtColor(next(wall.load()), cv2.COLOR_RGB2BGR))
