"""`InstanceTypesClient`: how large machines can be, and what they cost."""

from __future__ import annotations

from puddle.client.base_client import BaseCloudClient
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
        instance_type.cloud = instance_type.cloud or self.cloud.id
        return InstanceType(self._call("InstanceTypeService", "CreateInstanceType", instance_type, pb.InstanceType()))

    def update(self, instance_type: pb.InstanceType) -> InstanceType:
        """Change an instance type; open sessions keep their price. For administrators."""
        return InstanceType(self._call("InstanceTypeService", "UpdateInstanceType", instance_type, pb.InstanceType()))

    def delete(self, instance_type: str | InstanceType) -> None:
        """Offer an instance type no more; systems that use it stay. For administrators."""
        which = instance_type if isinstance(instance_type, str) else instance_type.id
        self._call("InstanceTypeService", "DeleteInstanceType", pb.InstanceTypeRequest(id=which), Empty())

    def _list(self, method: str) -> list[InstanceType]:
        request = pb.ListInstanceTypesRequest(cloud=self.cloud.id)
        answer = self._call("InstanceTypeService", method, request, pb.ListInstanceTypesResponse())
        return [InstanceType(each) for each in answer.instance_types]
