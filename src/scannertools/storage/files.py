"""FilesStorage and FilesStream, under their older import path."""

from scannerpy.backends.files import FilesStorage, FilesStream

__all__ = ["FilesStorage", "FilesStream"]
