"""`InstanceTypesClient`: how large machines can be, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable

from puddle.client.base_client import BaseCloudClient, id_of
from puddle.client.models import InstanceType
from puddle.client.proto.v2 import instance_type_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty


class InstanceTypesClient(BaseCloudClient):
    """Instance types of one cloud."""

    def list_available(self) -> list[InstanceType]:
        """Return the instance types the caller may use."""
        return self._list("ListAvailableInstanceTypes")

    def list_all(self) -> list[InstanceType]:
        """Return all instance types. For administrators."""
        return self._list("ListInstanceTypes")

    def create(self, instance_type: pb.InstanceType) -> InstanceType:
        """Offer another instance type. For administrators."""
        offered = pb.InstanceType()
        offered.CopyFrom(instance_type)
        offered.cloud = offered.cloud or self.cloud.id
        return InstanceType(self._call("InstanceTypeService", "CreateInstanceType", offered, pb.InstanceType()))

    def update(
        self,
        instance_type: pb.InstanceType | InstanceType,
        *,
        text: str | None = None,
        price: str | None = None,
        cu: int | None = None,
        enabled: bool | None = None,
        allowed_groups: Iterable[str] | None = None,
    ) -> InstanceType:
        """Replace an instance type by a message, or change what is given of one that was listed. For administrators.

        `price` is a decimal such as "0.90"; open sessions keep theirs. Disabled ones are
        not offered for new systems; what has one keeps it.
        """
        changed = pb.InstanceType()
        changed.CopyFrom(instance_type if isinstance(instance_type, pb.InstanceType) else instance_type._instance_type)
        given = {"text": text, "price_decimal": price, "cu": cu, "enabled": enabled}
        for name, value in given.items():
            if value is not None:
                setattr(changed, name, value)
        if allowed_groups is not None:
            changed.allowed_groups[:] = allowed_groups
        return InstanceType(self._call("InstanceTypeService", "UpdateInstanceType", changed, pb.InstanceType()))

    def delete(self, instance_type: str | InstanceType) -> None:
        """Delete an instance type. Refused while systems use it: disable it then. For administrators."""
        request = pb.InstanceTypeRequest(id=id_of(instance_type))
        self._call("InstanceTypeService", "DeleteInstanceType", request, Empty())

    def _list(self, method: str) -> list[InstanceType]:
        request = pb.ListInstanceTypesRequest(cloud=self.cloud.id)
        answer = self._call("InstanceTypeService", method, request, pb.ListInstanceTypesResponse())
        return [InstanceType(each) for each in answer.instance_types]
