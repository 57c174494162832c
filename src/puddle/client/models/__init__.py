"""What the clients return: read-only views of the backend's messages."""

from puddle.client.models.base_status import BaseStatus
from puddle.client.models.consumption import Allowance, CUConsumptionInfo, SystemConsumptionInfo
from puddle.client.models.driverless_ai_model import DriverlessAIModel
from puddle.client.models.image import Image
from puddle.client.models.instance_type import InstanceType
from puddle.client.models.snapshot import Snapshot
from puddle.client.models.system import System
from puddle.client.models.tag import Tag, TagData

__all__ = [
    "Allowance",
    "BaseStatus",
    "CUConsumptionInfo",
    "DriverlessAIModel",
    "Image",
    "InstanceType",
    "Snapshot",
    "System",
    "SystemConsumptionInfo",
    "Tag",
    "TagData",
]
