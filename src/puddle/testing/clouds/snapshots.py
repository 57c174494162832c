"""What a cloud promises about snapshots."""

from __future__ import annotations

from dataclasses import replace

from puddle.server.clouds.base import Provider
from puddle.server.domain.facts import CopyState, Power
from puddle.testing.clouds.suite import CloudSuite, refused


class SnapshotTests(CloudSuite):
    """Snapshots are taken, machines made from them, and they are deleted."""

    def test_a_machine_made_from_a_snapshot_has_what_was_there(self, cloud: Provider) -> None:
        """As it was when the snapshot was ordered; what it was taken of may be gone."""
        shell = self.shell(cloud, self.up(cloud))
        shell.write("folder/file", b"before")
        cloud.stop(cloud.machine("sys-1").id)
        self.become(cloud, Power.STOPPED)
        cloud.take_snapshot("sys-1", "snap-1")
        cloud.take_snapshot("sys-1", "snap-1")
        self.available(cloud, "snap-1")
        assert cloud.snapshot("snap-1").id
        assert list(cloud.snapshots()) == ["snap-1"]
        cloud.destroy("sys-1")
        self.become(cloud, Power.GONE)
        assert list(cloud.snapshots()) == ["snap-1"]
        machine_id = cloud.create(replace(self.order(cloud, "sys-2"), source_snapshot_id="snap-1"))
        self.become(cloud, Power.RUNNING, "sys-2")
        copy = self.shell(cloud, machine_id)
        assert copy.read("folder/file") == b"before"
        copy.write("folder/file", b"after")
        cloud.take_snapshot("sys-2", "snap-1")
        third = cloud.create(replace(self.order(cloud, "sys-3"), source_snapshot_id="snap-1"))
        self.become(cloud, Power.RUNNING, "sys-3")
        assert self.shell(cloud, third).read("folder/file") == b"before"

    def test_a_running_machine_is_copied_too(self, cloud: Provider) -> None:
        """It goes on running meanwhile."""
        machine_id = self.up(cloud)
        self.shell(cloud, machine_id).write("file", b"x")
        cloud.take_snapshot("sys-1", "snap-1")
        self.available(cloud, "snap-1")
        assert cloud.machine("sys-1").power is Power.RUNNING

    def test_a_snapshot_that_is_deleted_is_gone(self, cloud: Provider) -> None:
        """Told once or twice; no machine can be made from it any more."""
        self.down(cloud)
        for snapshot_id in ("snap-1", "snap-2"):
            cloud.take_snapshot("sys-1", snapshot_id)
            self.available(cloud, snapshot_id)
        assert sorted(cloud.snapshots()) == ["snap-1", "snap-2"]
        cloud.delete_snapshot("snap-1")
        cloud.delete_snapshot("snap-1")
        assert cloud.snapshot("snap-1").state is CopyState.GONE
        assert list(cloud.snapshots()) == ["snap-2"]
        order = replace(self.order(cloud, "sys-2"), source_snapshot_id="snap-1")
        assert refused(lambda: cloud.create(order)).for_ever
