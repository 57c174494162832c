"""Small sound files."""

from fractions import Fraction

import av
import numpy as np

RATE = 8000


def write_sound(path, sound, codec="pcm_s16le", rate=RATE, channels=1, start=0.0, film=None):
    """Write `sound` (louder by half in a second channel), beginning at `start` seconds, beside the video `film`."""
    with av.open(str(path), "w") as out:
        layout = "mono" if channels == 1 else "stereo"
        stream = out.add_stream(codec, rate=rate, layout=layout)
        if film is not None:
            with av.open(str(film)) as source:
                video = out.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(source.streams.video[0]):
                    if packet.dts is not None:
                        packet.stream = video
                        out.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.stack([sound, sound * 1.5][:channels]), format="fltp", layout=layout)
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), round(start * rate)
        resampler = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
        for part in resampler.resample(frame):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return str(path)
