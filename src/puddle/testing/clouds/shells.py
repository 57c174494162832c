"""What a cloud promises about the inside of its machines."""

# ruff: noqa: S105 -- tokens that name steps are no secrets

from __future__ import annotations

from functools import partial

from puddle.server.clouds.base import Provider, Shell
from puddle.server.domain.facts import Power
from puddle.testing.clouds.suite import CloudSuite, refused

LEADING_OUT = ("../machine", "/etc/passwd", "a/../../b", "", "\0")


class ShellTests(CloudSuite):
    """Files on the data disk, and the service a machine keeps running."""

    def test_files_are_put_on_the_disk_and_stay_there(self, cloud: Provider) -> None:
        """Whole, in folders too, whatever is in them; through stops, starts and reboots."""
        machine_id = self.up(cloud)
        shell = self.shell(cloud, machine_id)
        content = bytes(range(256)) * 100
        assert shell.read("a/b/c") is None
        shell.write("a/b/c", content)
        shell.write("empty", b"")
        shell.write("./twice", b"once")
        shell.write("twice", b"again")
        cloud.reboot(machine_id, "t")
        self.become(cloud, Power.RUNNING)
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        for call in (lambda: shell.read("empty"), lambda: shell.write("x", b""), shell.serving):
            assert refused(call).reason == "UNREACHABLE"
        cloud.start(machine_id)
        self.become(cloud, Power.RUNNING)
        assert shell.read("a/b/c") == content
        assert shell.read("empty") == b""
        assert shell.read("twice") == b"again"
        assert shell.read("x") is None

    def test_no_path_leads_out_of_the_disk(self, cloud: Provider) -> None:
        """Neither for reading nor for writing."""
        shell = self.shell(cloud, self.up(cloud))
        for path in LEADING_OUT:
            assert refused(partial(shell.read, path)).for_ever
            assert refused(partial(shell.write, path, b"x")).for_ever

    def test_a_service_is_kept_running(self, cloud: Provider) -> None:
        """From when it was given, through stops, starts and reboots; another token replaces it."""
        machine_id = self.up(cloud)
        shell = self.shell(cloud, machine_id)
        assert shell.serving() is None
        shell.serve(self.service("sys-1.1"))
        self.until(lambda: _runs(shell, "sys-1.1"))
        shell.serve(self.service("sys-1.1"))
        assert _runs(shell, "sys-1.1")
        shell.serve(self.service("sys-1.2"))
        stands = shell.serving()
        assert stands is not None
        assert stands.token == "sys-1.2"
        self.until(lambda: _runs(shell, "sys-1.2"))
        cloud.reboot(machine_id, "t")
        self.become(cloud, Power.RUNNING)
        self.until(lambda: _runs(shell, "sys-1.2"))
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        cloud.start(machine_id)
        self.become(cloud, Power.RUNNING)
        self.until(lambda: _runs(shell, "sys-1.2"))


def _runs(shell: Shell, token: str) -> bool:
    stands = shell.serving()
    return stands is not None and stands.running and stands.token == token and stands.exit_code is None
