"""Failures on the command line: a sentence and an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from puddle.client.errors.puddle_errors import (
    ImageFailedError,
    PreconditionFailedError,
    PuddleError,
    SystemFailedError,
    ValidationFailedError,
)

EXIT_CODES = {
    0: "done",
    1: "another failure: not found, not allowed, not reached",
    2: "wrong usage",
    3: "its state does not allow that, or a limit is reached",
    4: "an argument is invalid",
    5: "a system, snapshot or image failed while it was waited for",
    130: "Ctrl-C",
}

_COMMANDS = {
    "restart_dai": "restart",
    "snapshot": "snapshots create",
    "update_config": "config set",
    "change_idle_timeout": "idle",
    "extend_idle_timeout": "extend",
}
"""What actions are called here, where it is not as in the API."""


class Failed(Exception):
    """A failure of the command itself, told in a sentence."""


def exit_code(error: Exception) -> int | None:
    """Return the exit code of a failure that is told in a sentence; None for a bug."""
    if isinstance(error, PreconditionFailedError):
        return 3
    if isinstance(error, ValidationFailedError | UnicodeEncodeError):
        return 4
    if isinstance(error, SystemFailedError | ImageFailedError):
        return 5
    told = isinstance(error, PuddleError | Failed | TimeoutError)
    return 1 if told else None


def sentence(error: Exception) -> str:
    """Return what to tell: the sentence, what could be done instead, and the request's id for an administrator."""
    if isinstance(error, UnicodeEncodeError):
        return f"not valid: {error.object!r} has characters that are no text; is it in another encoding than UTF-8?"
    told = f"not valid: {error}" if isinstance(error, ValidationFailedError) else str(error)
    if isinstance(error, PuddleError):
        if error.allowed_actions:
            told += f" (what can be done now: {', '.join(commands(error.allowed_actions))})"
        if error.request_id:
            told += f" [request {error.request_id}]"
    return told


def commands(actions: Iterable[str]) -> Iterator[str]:
    """Yield the commands for what the API calls actions."""
    for action in actions:
        yield _COMMANDS.get(action, action)
