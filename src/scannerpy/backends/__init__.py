"""Storage backends: streams that live elsewhere than in the client's database, written with public names only.

Each module has the handles a program makes, the storage behind them, and the classes registered as sources and sinks.
Importing this package registers them all and costs no library beyond Scanner's own: PyAV, obstore and SQLAlchemy are
imported when a stream is first opened. ``cl.sources`` and ``cl.sinks`` import it when they need it.
"""

from scannerpy.backends import audio, captions, files, packed, python, sql
from scannerpy.backends.audio import AudioStorage, AudioStream
from scannerpy.backends.captions import CaptionStorage, CaptionStream
from scannerpy.backends.files import FilesStorage, FilesStream
from scannerpy.backends.packed import PackedStorage, PackedStream
from scannerpy.backends.python import PythonStorage, PythonStream
from scannerpy.backends.sql import SQLInputStream, SQLOutputStream, SQLStorage

__all__ = [
    "AudioStorage",
    "AudioStream",
    "CaptionStorage",
    "CaptionStream",
    "FilesStorage",
    "FilesStream",
    "PackedStorage",
    "PackedStream",
    "PythonStorage",
    "PythonStream",
    "SQLInputStream",
    "SQLOutputStream",
    "SQLStorage",
    "audio",
    "captions",
    "files",
    "packed",
    "python",
    "sql",
]
