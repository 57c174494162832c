"""Sound and captions of one film, second by second, in one graph: where is it loud, and what is being said?"""

import json
import sys
from typing import Any

import numpy as np

import scannerpy as sp
from scannertools.storage.audio import AudioStream
from scannertools.storage.caption import CaptionStream


@sp.register_python_op()
def LoudWords(config, audio: sp.FrameType, captions: bytes) -> Any:
    loudness = float(np.sqrt(np.mean(audio[:, 0, 0] ** 2)))
    return round(loudness, 2), [caption["line"] for caption in json.loads(captions)]


def main():
    sc = sp.Client()
    audio = AudioStream(sys.argv[1], 1.0)
    captions = CaptionStream(sys.argv[2], window_size=1.0, max_time=float(len(audio)))
    words = sc.ops.LoudWords(audio=sc.io.Input([audio]), captions=sc.io.Input([captions]))
    result = sp.NamedStream(sc, "words")
    sc.run(sc.io.Output(words, [result]), sp.PerfParams.manual(1, 2), show_progress=False)
    for row in result.load():
        print(row)
    piece = next(audio.load(rows=[1]))
    print(piece.shape, piece.dtype)


if __name__ == "__main__":
    main()
