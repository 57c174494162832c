"""`TagsClient`: the tags that creators of systems fill in."""

from __future__ import annotations

from collections.abc import Iterable

from puddle.client.base_client import BaseCloudClient, id_of
from puddle.client.models import Tag
from puddle.client.proto.v2 import tag_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty


class TagsClient(BaseCloudClient):
    """Tags; they are the same on all clouds."""

    def list_available(self) -> list[Tag]:
        """Return the tags that are in use."""
        return [Tag(tag) for tag in self._call("TagService", "ListTags", Empty(), pb.ListTagsResponse()).tags]

    def create(
        self,
        label: str,
        input_type: str = "text",
        default_value: str = "",
        required: bool = False,
        pattern: str = "",
        options: Iterable[str] = (),
    ) -> Tag:
        """Define a tag. For administrators.

        `input_type` is "text" or "number"; answers match `pattern` as a whole, and are one of `options` if there are
        some.
        """
        asked = pb.Tag(
            label=label,
            input_type=input_type,
            default_value=default_value,
            required=required,
            pattern=pattern,
            options=options,
        )
        return Tag(self._call("TagService", "CreateTag", asked, pb.Tag()))

    def update(
        self,
        tag: pb.Tag | Tag,
        *,
        label: str | None = None,
        default_value: str | None = None,
        required: bool | None = None,
        pattern: str | None = None,
        options: Iterable[str] | None = None,
    ) -> Tag:
        """Replace a tag by a message, or change what is given of one that was listed. For administrators."""
        changed = pb.Tag()
        changed.CopyFrom(tag if isinstance(tag, pb.Tag) else tag._tag)
        given = {"label": label, "default_value": default_value, "required": required, "pattern": pattern}
        for name, value in given.items():
            if value is not None:
                setattr(changed, name, value)
        if options is not None:
            changed.options[:] = options
        return Tag(self._call("TagService", "UpdateTag", changed, pb.Tag()))

    def delete(self, tag: str | Tag) -> None:
        """Delete a tag; systems keep what was filled in. For administrators."""
        self._call("TagService", "DeleteTag", pb.TagRequest(id=id_of(tag)), Empty())
