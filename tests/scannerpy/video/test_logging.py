"""A program may have FFmpeg's messages sent to Python's logging; reading frames must not come to a stand then."""

import subprocess
import sys

PROGRAM = """
import sys
import av
from pathlib import Path
from tests.scannerpy.video.reference import Video

video = Video(Path(sys.argv[1]))
av.logging.set_level(av.logging.ERROR)
for start in range(60):
    decoder = video.decoder(threads=3)
    next(decoder.frames(range(start % 20, 40)))
    del decoder
print("read")
"""


def test_decoders_are_given_up_while_their_threads_have_something_to_say(path_of):
    """In a process of its own, since two locks that wait for each other can only be killed."""
    words = {"capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path_of("h264-open-gop"))], check=False, **words)
    assert done.stdout == "read\n", done.stderr
