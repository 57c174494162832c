"""Images on disk in, images on disk out: `FilesStream` at both ends, as in the how-to on image collections."""

import glob
import os
import sys

import scannerpy as sp
import scannertools.imgproc  # noqa: F401 -- as it was done
from scannertools.storage.files import FilesStream


def main():
    sc = sp.Client()
    paths = sorted(glob.glob(os.path.join(sys.argv[1], "*.png")))
    images = FilesStream(sc, paths=paths)
    print(len(paths), images.exists(), images.committed())
    frames = sc.ops.ImageDecoder(img=sc.io.Input([images]))
    small = sc.ops.Resize(frame=frames, width=[16], height=[0], preserve_aspect=[True])
    encoded = sc.ops.ImageEncoder(frame=small, format="jpg")
    results = FilesStream(sc, paths=[f"small/{i:03d}.jpg" for i in range(len(paths))])
    output = sc.io.Output(encoded, [results])
    perf = sp.PerfParams.manual(2, 4)
    sc.run(output, perf, show_progress=False)
    print(sorted(os.listdir("small")), [data[:2] for data in results.load(rows=[1])])
    try:
        sc.run(output, perf, show_progress=False)
    except sp.ScannerException as error:
        print("cache_mode" in str(error))
    print(sc.run(output, perf, cache_mode=sp.CacheMode.Ignore, show_progress=False))
    os.remove("small/002.jpg")
    sc.run(output, perf, cache_mode=sp.CacheMode.Ignore, show_progress=False)
    print(results.committed())
    # Files in, an ordinary stream out, with the storage given by hand
    from scannertools.storage.files import FilesStorage

    sizes = sp.NamedStream(sc, "sizes")
    again = FilesStream(results.paths, storage=FilesStorage(storage_type="posix"))
    info = sc.ops.InfoFromFrame(frame=sc.ops.ImageDecoder(img=sc.io.Input([again])))
    sc.run(sc.io.Output(info, [sizes]), perf, show_progress=False)
    print([list(each.shape) for each in sizes.load()])


if __name__ == "__main__":
    main()
