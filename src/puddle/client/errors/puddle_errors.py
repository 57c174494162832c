"""The errors of the client.

    Exception
    └── PuddleError                       the base of all of these
        ├── PreconditionFailedError       the state of the system does not allow the action
        │   ├── QuotaExceededError        a limit of the user, group or budget
        │   └── OutOfComputeUnitsError    the whole installation has none left
        ├── ValidationFailedError         an argument is invalid (`field`, `rule`), or the request too large
        ├── NotFoundError                 no such object, or not yours
        ├── PermissionDeniedError         it exists, and you may not do that
        ├── RateLimitedError              too many requests: wait `retry_after` seconds
        ├── BackendError                  the backend failed, or cannot be reached
        ├── SystemFailedError             a system that was waited for has failed, or ended otherwise than was wished
        ├── ImageFailedError              an image that was waited for has failed
        └── AuthError                     the credentials are not accepted; lives with the authorizer

Each carries `reason` (the backend's word for programs), `request_id` (what to tell an administrator) and
`allowed_actions` where the backend said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRECONDITION_FAILED_ERROR_TYPE = "failed_precondition"
"""The backend's code of an action whose preconditions are not met."""


class PuddleError(Exception):
    """The base of the client's errors."""

    def __init__(self, message: str = "", meta: Mapping[str, Any] | None = None) -> None:
        """`meta` is what the backend sent beside the sentence."""
        super().__init__(message)
        self.meta = dict(meta or {})

    @property
    def reason(self) -> str:
        """A stable word for programs, such as ``not_stopped``."""
        return str(self.meta.get("reason", ""))

    @property
    def request_id(self) -> str:
        """Names the request in the backend's log and audit trail."""
        return str(self.meta.get("request_id", ""))

    @property
    def allowed_actions(self) -> list[str]:
        """What could have been done instead."""
        return list(self.meta.get("allowed_actions", []))


class PreconditionFailedError(PuddleError):
    """The preconditions of an action are not met, for example starting a system that is not stopped."""


class QuotaExceededError(PreconditionFailedError):
    """A limit of the user, of a group or of a budget is reached; the message says what is left."""


class OutOfComputeUnitsError(PreconditionFailedError):
    """The installation has no compute units left for this."""


class ValidationFailedError(PuddleError):
    """An argument is not valid, for example a name with illegal characters."""

    @property
    def field(self) -> str:
        """The argument."""
        return str(self.meta.get("field", ""))

    @property
    def rule(self) -> str:
        """What it must satisfy."""
        return str(self.meta.get("rule", ""))


class NotFoundError(PuddleError):
    """There is no such object, or it is somebody else's."""


class PermissionDeniedError(PuddleError):
    """The caller may not do that."""


class RateLimitedError(PuddleError):
    """Too many requests."""

    @property
    def retry_after(self) -> int:
        """Seconds to wait."""
        return int(self.meta.get("retry_after", 1))


class BackendError(PuddleError):
    """The backend failed, answered something that cannot be read, or cannot be reached."""


class SystemFailedError(PuddleError):
    """A system that was waited for has failed, was terminated, or has come to rest elsewhere; so has a snapshot."""


class ImageFailedError(PuddleError):
    """An image has entered the failed state."""


_OF_CODE: Mapping[str, type[PuddleError]] = {
    PRECONDITION_FAILED_ERROR_TYPE: PreconditionFailedError,
    "aborted": PreconditionFailedError,
    "invalid_argument": ValidationFailedError,
    "not_found": NotFoundError,
    "permission_denied": PermissionDeniedError,
    "resource_exhausted": RateLimitedError,
}
_OF_REASON: Mapping[str, type[PuddleError]] = {
    "too_large": ValidationFailedError,
    "out_of_cu": OutOfComputeUnitsError,
    "quota": QuotaExceededError,
    "budget": QuotaExceededError,
}


def error_of(code: str, message: str, meta: Mapping[str, Any]) -> PuddleError:
    """Return the error for a backend's code and reason; what this client does not know is a BackendError."""
    kind = _OF_REASON.get(str(meta.get("reason", ""))) or _OF_CODE.get(code, BackendError)
    return kind(message, meta)
