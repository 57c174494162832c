"""`Job`: kept for programs that build one; runs take per-stream lists instead (see `Client.run`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Job"]


class Job:
    """The arguments of one stream's computation, op by op."""

    def __init__(self, op_args: Mapping[Any, Any]) -> None:
        self._op_args = op_args

    def op_args(self) -> Mapping[Any, Any]:
        """Return what the job was made with."""
        return self._op_args
