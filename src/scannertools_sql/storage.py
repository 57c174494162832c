"""The same names once more, for programs that import them from here."""

from scannerpy.backends.sql import SQLInputStream, SQLOutputStream, SQLStorage

__all__ = ["SQLInputStream", "SQLOutputStream", "SQLStorage"]
