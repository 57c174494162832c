"""Tags, with which all cloud resources of a system are marked."""

from __future__ import annotations

from typing import ClassVar

from puddle.client.models.base_status import BaseStatus
from puddle.client.proto.v2 import tag_service_pb2


class Tag:
    """A label that creators of systems give a value."""

    class TagStatus(BaseStatus):
        """Whether a tag is in use."""

        __slots__ = ()

    TAG_STATUS_UNKNOWN: ClassVar[TagStatus] = TagStatus(0, "Unknown")
    TAG_STATUS_OK: ClassVar[TagStatus] = TagStatus(1, "OK")
    TAG_STATUS_DELETED: ClassVar[TagStatus] = TagStatus(2, "Deleted")

    _ALL: ClassVar[list[TagStatus]] = [TAG_STATUS_UNKNOWN, TAG_STATUS_OK, TAG_STATUS_DELETED]

    def __init__(self, tag: tag_service_pb2.Tag) -> None:
        """`tag` is the backend's message."""
        self._tag = tag

    @property
    def id(self) -> str:
        """Id of this tag."""
        return self._tag.id

    @property
    def label(self) -> str:
        """Human readable label."""
        return self._tag.label

    @property
    def input_type(self) -> str:
        """What is typed in, for example ``number`` or ``text``."""
        return self._tag.input_type

    @property
    def default_value(self) -> str:
        """Value where nothing is typed in."""
        return self._tag.default_value

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self._tag.required

    @property
    def status(self) -> int:
        """Status code of this tag; see ``Tag.TAG_STATUS_*``."""
        return int(self._tag.status)

    @property
    def status_text(self) -> str:
        """Human readable status."""
        return Tag.TagStatus.text_of(self.status, self._ALL)

    @property
    def created(self) -> int:
        """Unix timestamp when this tag was created."""
        return self._tag.created

    @property
    def updated(self) -> int:
        """Unix timestamp when this tag was updated."""
        return self._tag.updated

    @property
    def pattern(self) -> str:
        """A regular expression that values match as a whole; empty where any will do."""
        return self._tag.pattern

    @property
    def options(self) -> list[str]:
        """The values there are to choose from; none means any."""
        return list(self._tag.options)

    def __repr__(self) -> str:
        return f"<Tag {self.id}: {self.label}>"


class TagData:
    """What the creator of a system filled in for a tag."""

    def __init__(self, label: str, value: str) -> None:
        """`label` is the tag's, `value` the answer."""
        self._label = label
        self._value = value

    @property
    def label(self) -> str:
        """Label of the tag."""
        return self._label

    @property
    def value(self) -> str:
        """Value used for this tag."""
        return self._value

    def __repr__(self) -> str:
        return f"TagData({self.label!r}, {self.value!r})"
