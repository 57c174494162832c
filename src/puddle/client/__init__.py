"""The client of Puddle: systems, images, instance types, tags, reports and administration, as objects.

from puddle.client import SystemsClient
from puddle.client.cloud.clouds import CLOUD_LOCAL

systems = SystemsClient(CLOUD_LOCAL, "http://127.0.0.1:8081")
for system in systems.list():
    print(system.name, system.status_text, system.current_session_cost)
"""

from puddle.client.admin import AdminClient
from puddle.client.images import ImagesClient
from puddle.client.instance_types import InstanceTypesClient
from puddle.client.reports import ReportsClient
from puddle.client.systems import SystemsClient
from puddle.client.tags import TagsClient

__all__ = ["AdminClient", "ImagesClient", "InstanceTypesClient", "ReportsClient", "SystemsClient", "TagsClient"]
