"""PythonStorage and PythonStream, under their older import path."""

from scannerpy.backends.python import PythonStorage, PythonStream

__all__ = ["PythonStorage", "PythonStream"]
