"""Imports of optional packages."""

from __future__ import annotations

import importlib
from typing import Any

from scannerpy.errors import NotSupported


def package(name: str, wanted_by: str) -> Any:
    """Import a package of the extra ``data``. Raises NotSupported, with the command that installs it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        if (error.name or "").partition(".")[0] != top:
            raise
        raise NotSupported(
            f"{wanted_by} needs {top}, which is not installed: run `pip install 'scanner-puddle[data]'`"
        ) from error
