"""What a cloud promises, as tests to subclass: `CloudConformance`.

Say how a cloud is opened and how a moment passes; the tests are inherited by pytest::

    from puddle.testing.clouds import CloudConformance

    class TestMyCloud(CloudConformance):
        def open(self, place):
            return MyCloud(place)

        def pause(self):
            time.sleep(0.05)

        def tags(self, cloud, system_id):
            return cloud.tags_of(system_id)

Opening the same place again gives another server's view of the same cloud. The clouds that come with Puddle pass the
same tests.
"""

from puddle.testing.clouds.images import ImageTests
from puddle.testing.clouds.machines import MachineTests, OwnershipTests
from puddle.testing.clouds.shells import ShellTests
from puddle.testing.clouds.snapshots import SnapshotTests
from puddle.testing.clouds.suite import TinyRecipe, refused

__all__ = ["CloudConformance", "TinyRecipe", "refused"]


class CloudConformance(OwnershipTests, MachineTests, SnapshotTests, ImageTests, ShellTests):
    """The promises of `Provider`, and of `Shell` where machines have one."""
