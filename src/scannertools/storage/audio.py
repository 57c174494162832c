"""AudioStorage and AudioStream, under their older import path."""

from scannerpy.backends.audio import AudioStorage, AudioStream

__all__ = ["AudioStorage", "AudioStream"]
