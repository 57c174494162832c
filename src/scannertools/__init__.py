"""The import paths of existing Scanner programs. Each module here re-exports `scannerpy.ops`; there is no code in it.

The ops are registered for every client anyway, so a new program needs none of these imports.
"""

from typing import TYPE_CHECKING, Any

from scannerpy import older

if not TYPE_CHECKING:  # a checker should find what is missing, too

    def __getattr__(name: str) -> Any:
        raise older.missing("scannertools", name)
