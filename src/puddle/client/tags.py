"""`TagsClient`: what creators of systems are asked."""

from __future__ import annotations

from puddle.client.base_client import BaseCloudClient
from puddle.client.models import Tag
from puddle.client.proto.v2 import tag_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty


class TagsClient(BaseCloudClient):
    """Tags; they are the same on all clouds."""

    def list_available(self) -> list[Tag]:
        """Return the tags that are in use."""
        return [Tag(tag) for tag in self._call("TagService", "ListTags", Empty(), pb.ListTagsResponse()).tags]

    def create(self, label: str, input_type: str = "text", default_value: str = "", required: bool = False) -> Tag:
        """Ask another question. For administrators."""
        asked = pb.Tag(label=label, input_type=input_type, default_value=default_value, required=required)
        return Tag(self._call("TagService", "CreateTag", asked, pb.Tag()))

    def update(self, tag: pb.Tag) -> Tag:
        """Change a question. For administrators."""
        return Tag(self._call("TagService", "UpdateTag", tag, pb.Tag()))

    def delete(self, tag: str | Tag) -> None:
        """Ask no more; what was filled in stays. For administrators."""
        which = tag if isinstance(tag, str) else tag.id
        self._call("TagService", "DeleteTag", pb.TagRequest(id=which), Empty())
