"""The local cloud keeps a cloud's promises with real processes, and these outlive whoever ordered them."""

# ruff: noqa: S106 - tokens of steps are no passwords

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from puddle.server.clouds.base import Service, Shape
from puddle.server.clouds.local import LocalCloud
from puddle.server.clouds.local.processes import ProcessIdentity, boot_id, kill_marked, launch, this_process
from puddle.server.clouds.local.spec import Spec, Status, beat
from puddle.server.domain.facts import Power
from puddle.server.domain.printed import readable
from puddle.testing.clouds import CloudConformance
from tests.puddle.clouds.machines import PATIENCE_S, SLEEPER, Local, running, script, until


class TestConformance(CloudConformance):
    def open(self, place):
        return LocalCloud(place / "cloud", ports=range(26_000, 27_000), grace=2.0)

    def pause(self):
        time.sleep(0.05)  # a hundred seconds at most, on a machine that is busy

    def tags(self, cloud, system_id):
        return cloud.tags(system_id)


# servers come and go


def test_another_server_finds_the_machines_and_starts_none_anew(local):
    """All that a server knows is in the folder."""
    local.up().serve(script(SLEEPER))
    pid, supervisor = local.content("pid"), local.supervisor()
    other = Local(LocalCloud(local.root))
    assert other.cloud.machines() == local.cloud.machines()
    assert other.cloud.create(local.order()) == "sys-1"
    other.cloud.start("sys-1")
    launch("puddle.server.clouds.local.machine", local.folder())
    assert other.supervisor() == supervisor
    assert other.content("pid") == pid
    assert running(pid)
    other.down()
    assert not running(supervisor)
    assert not running(pid)


SERVER = """
import sys, time
from puddle.server.clouds.local import LocalCloud
from puddle.server.clouds.base import Order, Service, Shape
cloud = LocalCloud(sys.argv[1])
shape = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=1)
cloud.create(Order(system_id="sys-1", name="n", cloud_image_id="img-1", shape=shape, ports={}, token="t"))
while cloud.machine("sys-1").power != "running":
    time.sleep(0.01)
cloud.endpoint("sys-1").shell.serve(Service(command=("sh", "-c", sys.argv[2]), token="t1"))
print("done", flush=True)
time.sleep(1000)
"""


def test_machines_outlive_a_server_that_is_killed_with_all_its_group(local):
    """They have sessions of their own; nothing of the server's is open in them."""
    local.order()  # builds the image
    command = [sys.executable, "-c", SERVER, str(local.root), SLEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as server:
        until(lambda: local.cloud.machine("sys-1").power is Power.RUNNING)
        assert server.stdout.readline() == b"done\n"
        os.killpg(server.pid, signal.SIGKILL)
        assert server.stdout.read() == b""
    pid = int(local.content("pid"))
    assert running(pid)
    assert local.cloud.machine("sys-1").power is Power.RUNNING
    assert os.getsid(pid) == os.getsid(local.supervisor()) == local.supervisor()
    local.down()
    assert not running(pid)


def test_a_supervisor_that_was_killed_is_a_machine_that_stopped_by_itself(local):
    """Its program ends with it; it is dated by its last sign of life; it can be started again."""
    local.up().serve(script(SLEEPER))
    pid = local.content("pid")
    before = local.cloud.machine("sys-1").since
    os.kill(local.supervisor(), signal.SIGKILL)
    machine = local.become(Power.STOPPED)
    assert before <= machine.since <= time.time()
    until(lambda: not running(pid))
    (local.disk() / "pid").unlink()
    local.cloud.start("sys-1")
    assert running(local.content("pid"))


def test_a_process_that_has_the_id_of_a_dead_supervisor_is_not_taken_for_it(local):
    """It is neither believed nor hurt."""
    local.up()
    local.down()
    ours = this_process()
    for impostor in (
        ProcessIdentity(os.getpid(), ours.ticks + 1, ours.boot),
        ProcessIdentity(os.getpid(), ours.ticks, "another boot"),
        ProcessIdentity(),
    ):
        Status(who=impostor, phase="running", since=1.0).write(local.folder())
        assert local.cloud.machine("sys-1").power is Power.STOPPED
        impostor.send(signal.SIGKILL)
    assert ours.alive()
    assert ours.boot == boot_id()
    local.cloud.destroy("sys-1")
    assert local.cloud.machine("sys-1").power is Power.GONE


def test_a_machine_whose_folder_is_removed_by_hand_ends(local):
    """It does not run on without anybody knowing of it."""
    local.up().serve(script(SLEEPER))
    pid, supervisor = local.content("pid"), local.supervisor()
    local.folder().rename(local.root / "elsewhere")
    assert local.cloud.machine("sys-1").power is Power.GONE
    until(lambda: not running(supervisor))
    assert not running(pid)


def test_a_sign_of_life_is_left_nowhere_once_the_folder_is_gone(tmp_path):
    """It may be removed between two looks of its supervisor, which then ends its program in peace."""
    beat(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()


def test_a_machine_that_is_killed_as_soon_as_it_runs_again_is_not_dated_by_its_run_before(local):
    """The last sign of life is then of another run, and was before this one began."""
    local.up()
    local.down()
    (local.folder() / "heartbeat").touch()
    os.utime(local.folder() / "heartbeat", (1000, 1000))
    Status(who=ProcessIdentity(), phase="running", since=5000.5).write(local.folder())
    machine = local.cloud.machine("sys-1")
    assert (machine.power, machine.since) == (Power.STOPPED, 5000)
    os.utime(local.folder() / "heartbeat", (6000, 6000))
    assert local.cloud.machine("sys-1").since == 6000


def test_a_supervisor_that_ended_before_what_it_started_is_nobody_to_send_signals_to(local, monkeypatch):
    """Linux before 6.15 calls such an id invalid; stood in for here, where it may be younger."""

    def older(pid, flags=0):
        raise OSError(errno.EINVAL, "Invalid argument")

    local.up()
    local.down()
    monkeypatch.setattr(os, "pidfd_open", older)
    ProcessIdentity(os.getpid(), this_process().ticks, boot_id()).send(signal.SIGKILL)
    kill_marked(local.folder())
    local.cloud.destroy("sys-1")
    assert local.cloud.machine("sys-1").power is Power.GONE


# programs


def test_a_program_gets_a_small_environment_and_no_secret_of_the_server(local, monkeypatch):
    """What it is given, a path, a home, a language."""
    monkeypatch.setenv("PUDDLE_SECRET", "s3cret")
    local.up().serve(
        script('env > "{disk}/part"; umask >> "{disk}/part"; mv "{disk}/part" "{disk}/env"', GIVEN="{image}")
    )
    lines = local.content("env").splitlines()
    said = dict(line.partition("=")[::2] for line in lines[:-1])
    assert set(said) - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "HOME", "LANG", "GIVEN", "PUDDLE_MACHINE"}
    assert said["HOME"] == said["PWD"] == str(local.disk())
    assert said["GIVEN"] == str(local.root / "images" / "img-1" / "files")
    assert lines[-1] == "0077"
    assert b"s3cret" not in Path(f"/proc/{local.supervisor()}/environ").read_bytes()


def test_words_of_a_command_are_words(local):
    """No shell looks at them; braces that are not ours stay."""
    service = Service(command=("cp", "--", "{image}/file", "{disk}/$(id) {x}"), token="t1")
    local.up().serve(service)
    assert local.content("$(id) {x}") == "1.0"


def test_a_program_that_ends_is_told_with_its_exit_code(local):
    """Until it is started again, which it is ever more rarely, so that we get to see it."""
    shell = local.up()
    shell.serve(script("exit 3"))
    stands = until(lambda: (it := shell.serving()).exit_code is not None and it)
    assert (stands.token, stands.running, stands.exit_code) == ("t1", False, 3)
    assert "puddle: it ended with 3" in local.console()
    assert local.cloud.machine("sys-1").failure == ""


def test_a_program_that_cannot_be_started_is_told_too(local):
    """As a shell would say it: 127; why is on the console."""
    shell = local.up()
    shell.serve(Service(command=("/no/such/program",), token="t1"))
    until(lambda: shell.serving().exit_code == 127)
    assert "it cannot be started" in local.console()


KEPT = """
import sys, time
from pathlib import Path
from puddle.server.clouds.local.files import read_json, write_json
from puddle.server.clouds.local.service import SERVICE, ServiceRunner
from puddle.server.clouds.local.spec import Spec
now = [0.0]
folder = Path(sys.argv[1])
runner = ServiceRunner(folder, Spec.read(folder), None, lambda: now[0])
starts = []
while now[0] < 200:
    if now[0] == 190:
        write_json(folder / SERVICE, {**read_json(folder / SERVICE), "asked": "anew"})
    before = runner._process
    runner.turn()
    if runner._process is not None and before is None:
        starts.append(now[0])
    while runner._process is not None:
        time.sleep(0.001)
        runner.reap()
    now[0] += 1
print(starts)
"""


def test_a_program_that_ends_again_and_again_is_started_ever_more_rarely_and_asked_for_anew_at_once(local):
    """On a hand-turned clock, in a process of its own (a supervisor reaps all children there are)."""
    shell = local.up()
    shell.serve(Service(command=("true",), token="t1"))
    until(lambda: shell.serving().exit_code == 0)
    local.down()
    done = subprocess.run([sys.executable, "-c", KEPT, str(local.folder())], stdout=subprocess.PIPE, check=True)
    assert done.stdout.splitlines()[-1] == b"[0.0, 2.0, 6.0, 14.0, 30.0, 62.0, 122.0, 182.0, 190.0, 192.0, 196.0]"


def test_a_program_is_asked_to_end_and_has_time_to(local):
    """Its last words are on the disk; a machine with more to do may take its time for them."""
    patient = Local(LocalCloud(local.root, grace=PATIENCE_S))
    patient.up().serve(
        script('trap \'echo bye > "{disk}/last"; exit\' TERM; echo > "{disk}/on"; while :; do sleep 0.05; done')
    )
    until((patient.disk() / "on").exists)
    patient.down()
    assert (patient.disk() / "last").read_text() == "bye\n"


def test_what_does_not_end_when_asked_is_killed_also_what_went_into_a_session_of_its_own(local):
    """After the grace nothing is left."""
    stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > \"{disk}/child\"; while :; do sleep 1; done' & "
    local.up().serve(script(stubborn + 'echo $$ > "{disk}/pid"; while :; do sleep 1; done'))
    pids = local.content("pid"), local.content("child")
    assert all(map(running, pids))
    local.down()
    assert not any(map(running, pids))


def test_what_a_killed_supervisor_left_behind_is_ended_before_its_machine_starts_again(local):
    """A grandchild in a session of its own outlives the supervisor; it is known by its mark."""
    local.up().serve(script("setsid sh -c 'echo $$ > \"{disk}/child\"; exec sleep 1000' & " + SLEEPER))
    child = local.content("child")
    os.kill(local.supervisor(), signal.SIGKILL)
    local.become(Power.STOPPED)
    assert running(child)
    (local.folder() / "service.json").unlink()
    local.cloud.start("sys-1")
    until(lambda: not running(child))
    local.become(Power.RUNNING)


def test_a_console_keeps_its_last_lines_and_does_not_grow_for_ever(local):
    """Sixteen megabytes at most, of which the last one stays."""
    shell = local.up()
    shell.serve(script("yes | head -c 17000000; echo end; exec sleep 1000"))
    until((local.folder() / "console.log.1").exists)
    until(lambda: (local.folder() / "console.log").stat().st_size < 1 << 20)  # it is cut once the end of it was copied
    shell.serve(script("for word in one two three; do echo $word; done; exec sleep 1000", token="t2"))
    until(lambda: "three" in local.console())
    assert local.cloud.console("sys-1", 2) == "two\nthree\n"
    assert local.cloud.console("sys-1", 0) == ""


def test_a_console_of_any_bytes_can_be_read(local):
    local.up().serve(script(r"printf 'nul \000 no text \377\n'; exec sleep 1000"))
    until(lambda: "no text" in local.console())
    assert readable(local.cloud.console("sys-1", 1)) == "nul \ufffd no text \ufffd\n"


# what a machine may use


def test_a_program_that_needs_more_memory_than_its_machine_has_is_ended_and_the_owner_told(local):
    """The sentence is the machine's failure; another start gives it another chance."""
    shell = local.up(shape=Shape(cloud_type="tiny", vcpus=1, memory_gb=0.06, disk_gb=1))
    eater = "import time; held = b'x' * 100_000_000; time.sleep(1000)"
    shell.serve(Service(command=(sys.executable, "-S", "-c", eater), token="t1"))
    failure = until(lambda: local.cloud.machine("sys-1").failure)
    assert failure.startswith("OUT_OF_MEMORY")
    assert "0.06 GiB" in failure
    assert failure in local.console()
    assert not shell.serving().running
    shell.serve(script(SLEEPER, token="t2"))
    local.content("pid")
    until(lambda: not local.cloud.machine("sys-1").failure)


def test_a_program_whose_disk_is_full_is_ended_and_the_owner_told(local):
    """Also where it was full before."""
    shell = local.up(shape=Shape(cloud_type="tiny", vcpus=1, memory_gb=1, disk_gb=0))
    shell.serve(script('echo $$ > "{disk}/pid"; exec sleep 1000'))
    pid = local.content("pid")
    failure = until(lambda: local.cloud.machine("sys-1").failure)
    assert failure.startswith("DISK_FULL")
    until(lambda: not running(pid))
    shell.serve(script("exit 0", token="t2"))
    until(lambda: shell.serving().token == "t2" and local.console().count("DISK_FULL") == 2)
    assert not shell.serving().running


def test_a_machine_gets_as_many_cpus_as_it_has(local):
    """Those of this machine, at most; where the kernel holds it to that, it may wander among them."""
    command = 'grep Cpus_allowed: /proc/self/status > "{disk}/part"; mv "{disk}/part" "{disk}/cpus"'
    local.up().serve(script(command))
    if (group := local.group()) is not None:
        assert (group / "cpu.max").read_text() == "100000 100000\n"
    else:
        assert int(local.content("cpus").split()[1].replace(",", ""), 16).bit_count() == 1


# rights


def test_nobody_else_can_look_into_a_machine(local):
    """Folders and files are for our user only."""
    shell = local.up()
    shell.write("folder/secret", b"x")
    shell.serve(script("exec sleep 1000"))
    until(lambda: shell.serving().running)  # from then on nothing comes and goes
    paths = [local.root, *local.root.iterdir(), local.folder(), *local.folder().rglob("*")]
    assert len(paths) > 10
    assert [path for path in paths if path.stat().st_mode & 0o077] == []


def test_orders_are_kept_with_the_machine(local):
    """The card has all that was ordered."""
    local.up(tags=(("team", "vision"),))
    card = Spec.read(local.folder())
    assert (card.order_token, card.tags, card.image_id) == ("t", [["team", "vision"]], "img-1")


def test_a_cloud_without_proc_says_that_it_needs_it(monkeypatch, tmp_path):
    """Rather than to lose processes."""
    monkeypatch.setattr("pathlib.Path.exists", lambda _path: False)
    with pytest.raises(RuntimeError, match="needs Linux"):
        LocalCloud(tmp_path)
