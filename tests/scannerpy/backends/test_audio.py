"""Sound as pieces of equal length."""

from fractions import Fraction

import av
import numpy as np
import pytest

import scannerpy as sp
from scannerpy import errors
from scannerpy.backends.audio import AudioReader, AudioStream
from scannerpy.testing.backends import InputContract
from tests.clips import write_clip
from tests.sounds import write_sound

RATE = 8000


def tone(seconds, rate=RATE):
    """A sound that is different at every moment: the pitch rises."""
    at = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (200 + 100 * at) * at)).astype(np.float32)


def whole(path, frame_size=0.1):
    reader = AudioReader(path, frame_size)
    pieces = list(reader.read(range(len(reader))))
    reader.close()
    assert all(piece.shape == pieces[0].shape and piece.dtype == np.float32 for piece in pieces)
    return np.concatenate([piece.ravel() for piece in pieces])


def lag(found, sound, most=60):
    """By how many samples `found` is late: where it is most like `sound`."""
    middle = slice(2000, len(sound) - 2000)
    likeness = [float(np.dot(np.roll(found, -shift)[middle], sound[middle])) for shift in range(-most, most + 1)]
    return int(np.argmax(likeness)) - most


class TestSound(InputContract):
    def stream(self, folder):
        return AudioStream(write_sound(folder / "sound.wav", tone(1.1)), frame_size=0.25)

    def elements(self):
        sound = self._as_read(tone(1.1))
        return [sound[start : start + 2000].reshape(-1, 1, 1) for start in range(0, 8000, 2000)]

    def _as_read(self, sound):
        """What 16-bit samples make of a sound, by FFmpeg's own rounding."""
        frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        for form in ("s16", "fltp"):
            (frame,) = av.AudioResampler(format=form, layout="mono", rate=RATE).resample(frame)
        return frame.to_ndarray()[0]

    def missing(self, folder):
        return AudioStream(str(folder / "none.wav"), 1.0)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("a.mp4", "aac", 44100), ("a.mkv", "aac", 44100), ("a.mp3", "libmp3lame", 44100), ("a.opus", "libopus", 48000),
     ("a.flac", "flac", 44100), ("a.mkv", "libopus", 48000)],
)  # fmt: skip
def test_sound_is_where_it_belongs_in_every_codec(tmp_path, name, codec, rate):
    """No decoder's delay shifts it, and sparse reads give the same samples as reading along."""
    path = write_sound(tmp_path / name, tone(1.5, rate), codec, rate)
    found, sound = whole(path), tone(1.5, rate)
    assert len(found) == 15 * rate // 10
    assert lag(found, sound) == 0
    step = rate // 10
    for row in (13, 3, 9):
        (piece,) = AudioReader(path, 0.1).read([row])
        np.testing.assert_array_equal(piece.ravel(), found[row * step : (row + 1) * step])


def test_pieces_of_odd_lengths_do_not_drift(tmp_path):
    """A third of a second is no whole number of samples: each piece begins where its time says."""
    path = write_sound(tmp_path / "a.wav", tone(3))
    sound = whole(path, 0.5)
    reader = AudioReader(path, 0.3333)
    assert len(reader) == 9
    for row, piece in enumerate(reader.read(range(9))):
        start = round(row * Fraction("0.3333") * RATE)
        np.testing.assert_array_equal(piece.ravel(), sound[start : start + 2666])
    reader.close()


def test_the_first_channel_is_taken(tmp_path):
    both = whole(write_sound(tmp_path / "two.wav", tone(1), channels=2))
    np.testing.assert_array_equal(both, whole(write_sound(tmp_path / "one.wav", tone(1))))


def test_sound_that_begins_late_is_padded(tmp_path):
    """Pieces line up with the frames of the video beside."""
    film = write_clip(tmp_path / "film.mp4", 50)
    path = write_sound(tmp_path / "a.mkv", tone(1), "flac", start=0.5, film=film)
    found = whole(path)
    assert np.abs(found[:3990]).max() == 0
    np.testing.assert_allclose(found[4000:11000], tone(1)[:7000], atol=0.001)


def test_what_the_header_promises_and_the_file_lacks_is_silence(tmp_path):
    path = write_sound(tmp_path / "a.wav", tone(2))
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[: len(data) // 2])
    found = whole(path)
    assert np.abs(found[:7000] - tone(2)[:7000]).max() < 0.001
    assert len(found) >= 8000 - 800


def test_a_leading_client_is_accepted(sc, tmp_path):
    path = write_sound(tmp_path / "a.wav", tone(1))
    assert len(AudioStream(sc, path, 0.5)) == len(AudioStream(sc, path=path, frame_size=0.5)) == 2


def test_a_file_without_sound_is_told(sc, clip):
    with pytest.raises(errors.IngestError, match="has no audio track"):
        sc.run(sc.io.Output(sc.io.Input([AudioStream(clip(3), 1.0)]), [sp.NamedStream(sc, "out")]))


def test_a_file_that_is_no_sound_is_told(tmp_path):
    (tmp_path / "a.wav").write_text("nothing to hear here")
    with pytest.raises(errors.IngestError, match="no sound or video file"):
        AudioStream(str(tmp_path / "a.wav"), 1.0).len()


@pytest.mark.parametrize("size", [0, -1, 0.0001])
def test_impossible_pieces_are_refused(tmp_path, size):
    path = write_sound(tmp_path / "a.wav", tone(0.1))
    with pytest.raises(sp.ScannerException, match=r"cannot be cut|less than one"):
        AudioStream(path, size).len()
