"""Every error Scanner raises, as one tree.

What inherits from what, and the builtin each class also is:

    ScannerException
    ├── GraphError (ValueError)              the graph a program wrote cannot be run
    ├── RegistrationError (TypeError)        an op's signature breaks the rules
    ├── UnknownOp (AttributeError)           no op, source or sink of that name
    ├── StreamExists (FileExistsError)       CacheMode.Error met an existing output; a table name is taken
    ├── NotCommitted (LookupError)           a stream is read before it is complete, or does not exist
    ├── IngestError (OSError)                a file cannot become a table
    ├── VideoError (ValueError)              stored or given video bytes cannot be decoded
    ├── StorageError (OSError)               the object store failed
    │   ├── StorageFull                      no space left
    │   ├── CorruptObject                    bytes fail their checksum
    │   └── NewerFormat                      written by a newer version of Scanner
    ├── KernelError (RuntimeError)           an op's own code raised, died, or returned something wrong
    ├── TaskTimeout (TimeoutError)           a task ran past task_timeout
    ├── JobFailed (RuntimeError)             a bulk job could not be carried on
    ├── ConfigError (ValueError)             the configuration file or a parameter is wrong
    ├── SerializationError (ValueError)      a value does not fit its registered type
    ├── Removed (AttributeError)             a name or a form of call of an older version
    ├── RemovedModule (ImportError)          the same, where it is imported
    └── NotSupported (NotImplementedError)   a documented name that this installation cannot serve

Each class has a stable ``code`` (for the guide and for machines) and says with ``retry`` whether trying the same
thing again can help. Each also inherits the builtin a Python user would catch.
The text of an error holds what happened, where (stream, row, op, task), and the next step.
"""

from __future__ import annotations

from typing import ClassVar


class ScannerException(Exception):
    """Base of everything Scanner raises on purpose; the one class a program needs to catch."""

    code: ClassVar[str] = "scanner"
    retry: ClassVar[bool] = False


class GraphError(ScannerException, ValueError):
    """The graph a program wrote cannot be run: a missing input, disagreeing row or stream counts, a bad argument."""

    code = "graph"


class RegistrationError(ScannerException, TypeError):
    """An op, kernel or type cannot be registered as written."""

    code = "registration"


class UnknownOp(ScannerException, AttributeError):
    """No op, source or sink of that name is registered. Also an AttributeError, so that ``hasattr`` works."""

    code = "unknown-op"


class StreamExists(ScannerException, FileExistsError):
    """A name is taken: an output exists under CacheMode.Error, or a table exists and ``force`` is not set."""

    code = "exists"


class NotCommitted(ScannerException, LookupError):
    """A stream is read that does not exist or whose job has not completed."""

    code = "not-committed"


class IngestError(ScannerException, OSError):
    """A file cannot become a table: missing, unreadable, not a video, or without a single readable frame."""

    code = "ingest"


class VideoError(ScannerException, ValueError):
    """Video bytes cannot be decoded or encoded."""

    code = "video"


class StorageError(ScannerException, OSError):
    """The object store refused or failed."""

    code = "storage"
    retry = True


class StorageFull(StorageError):
    """No space is left where the database lives."""

    code = "storage-full"


class CorruptObject(StorageError):
    """Stored bytes fail their checksum or cannot be parsed."""

    code = "corrupt"
    retry = False


class NewerFormat(StorageError):
    """The database was written by a newer version of Scanner."""

    code = "newer-format"
    retry = False


class KernelError(ScannerException, RuntimeError):
    """An op's own code raised, its process died, or it returned the wrong count, shape or type.

    `op` is the op's name and the user's line, `rows` the rows it was working on (empty outside of `execute`),
    `traceback` the text of the user's own frames (empty where no user code raised). All survive pickling.
    """

    code = "kernel"

    def __init__(self, message: str, *, op: str = "", rows: tuple[int, ...] = (), traceback: str = "") -> None:
        super().__init__(message)
        self.op = op
        self.rows = rows
        self.traceback = traceback


class TaskTimeout(ScannerException, TimeoutError):
    """A task ran longer than ``task_timeout`` seconds."""

    code = "timeout"
    retry = True


class JobFailed(ScannerException, RuntimeError):
    """A bulk job could not be carried on: no workers, no storage, the coordinator was lost, or it was cancelled."""

    code = "job"


class ConfigError(ScannerException, ValueError):
    """A configuration file or a tuning parameter is wrong."""

    code = "config"


class SerializationError(ScannerException, ValueError):
    """A value cannot be written as, or read back from, its registered type."""

    code = "serialization"


class Removed(ScannerException, AttributeError):
    """A name or a form of call of an older version; the text says what replaced it. Also an AttributeError, so that
    ``hasattr`` tells versions apart.
    """

    code = "removed"


class RemovedModule(ScannerException, ImportError):
    """A module or name of an older version is imported; the text says what replaced it."""

    code = "removed-module"


class NotSupported(ScannerException, NotImplementedError):
    """A documented name that this installation cannot serve; the text says what to use instead."""

    code = "not-supported"
