"""SQL tables as streams, under their older import path: see `scannerpy.backends.sql`. Needs the extra ``sql``."""

from scannerpy.backends.sql import SQLInputStream, SQLOutputStream, SQLStorage

__all__ = ["SQLInputStream", "SQLOutputStream", "SQLStorage"]
