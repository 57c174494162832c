"""Cloud providers: where systems run."""

from __future__ import annotations


class CloudProvider:
    """A place where systems run."""

    def __init__(self, display_name: str, cloud_id: str) -> None:
        """`display_name` is what people call it, `cloud_id` the backend's word."""
        self._display_name = display_name
        self._id = cloud_id

    @property
    def display_name(self) -> str:
        """What people call it."""
        return self._display_name

    @property
    def id(self) -> str:
        """The backend's word, for example ``azure``."""
        return self._id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CloudProvider) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"CloudProvider({self._display_name!r}, {self._id!r})"
