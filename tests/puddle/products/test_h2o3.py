"""H2O-3: how it is asked, on scripted answers; and the real jar on a machine, which is slow."""

import importlib.metadata
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from puddle.server.clouds.base import Endpoint, Service, Serving, StepFailed
from puddle.server.products.base import SetUp
from puddle.server.products.h2o3 import H2O3
from puddle.server.products.h2o3_image import buildable
from puddle.testing.products import PASSWORD, USERNAME, AnswersConformance, MachineConformance, Running, serve

NOW = 1_800_000_000
FIRST, SECOND = "s-1.1", "s-1.2"  # steps
CLOUD, METRICS, JOBS = "/3/Cloud", "/3/SteamMetrics", "/3/Jobs"
GIVEN = SetUp(system_id="s-1", name="one", token=FIRST, config="", username=USERNAME, password=PASSWORD)


def answers(*statuses, idle_millis=600_000, **cloud):
    return {
        CLOUD: {"cloud_healthy": True, "consensus": True, "cloud_size": 1, **cloud},
        METRICS: {"idle_millis": idle_millis},
        JOBS: {"jobs": [{"status": status} for status in statuses]},
    }


@pytest.fixture
def product():
    return H2O3(versions=("3.46.0.12",), clock=lambda: NOW, patience=60)


def looked_at(product, what):
    with serve(lambda path: (200, [json.dumps(what[path]).encode()])) as port:
        return product.look(at(port), USERNAME, PASSWORD)


def at(port, shell=None, memory_gb=2.0):
    ports = {"http": port, "internal": port + 3}
    return Endpoint(host="127.0.0.1", ports=ports, memory_gb=memory_gb, vcpus=1, shell=shell)


class Paper:
    """A Shell without a machine: files in a dictionary, and a program that stands as the test says."""

    def __init__(self):
        self.files = {}
        self.services: list[Service] = []
        self.stands: Serving | None = None

    def read(self, path):
        return self.files.get(path)

    def write(self, path, content):
        self.files[path] = content

    def serve(self, service):
        self.services.append(service)
        self.stands = Serving(token=service.token, running=True)

    def serving(self):
        return self.stands

    def arguments(self):
        return self.files["h2o3.args"].decode().split("\n")


class TestAnswers(AnswersConformance):
    version = "3.46.0.12"
    good_config = 'nthreads = 2\nlog_level = "WARN"\nmemory_fraction = 0.6\nspill_to_disk = true\nfeatures = "stable"\n'
    bad_configs = (
        "nthreads = ",
        "nthreads = 0",
        "nthreads = true",
        'nthreads = "2 -jks x"',
        'log_level = "LOUD"',
        'log_level = ["WARN"]',
        "memory_fraction = 2",
        "memory_fraction = nan",
        'jks = "x"',
        "[nthreads]\na = 1",
        "a = " + "[" * 5000,
        "# " + "x" * 100_000,
    )

    @pytest.fixture(scope="class")
    @classmethod
    def product(cls):
        return H2O3(versions=("3.46.0.12",), clock=lambda: NOW, patience=60)

    def hasty(self, product):
        return H2O3(versions=("3.46.0.12",), patience=0.5)

    def answers(self):
        return answers("DONE", "FAILED", "CANCELLED")


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("# mine\nnthreads = 0", "line 2: nthreads must be a whole number from 1 to 1024, not 0"),
        ("a = 1", "line 1: there is no setting 'a'; there are features, log_level, memory_fraction, nthreads"),
        ("\nnthreads = ,", "it is not TOML: Invalid value (at line 2, column 12)"),
    ],
)
def test_a_refused_configuration_says_where_and_what_would_be_right(product, config, why):
    """The line, the setting, the rule."""
    assert product.check_config(config).startswith(why)


@pytest.mark.parametrize(("status", "busy"), [("RUNNING", True), ("CANCEL_PENDING", True), ("DONE", False)])
def test_a_job_at_work_is_use(product, status, busy):
    """Until it is done, failed or cancelled."""
    idleness = looked_at(product, answers("DONE", status)).idleness
    assert idleness.busy is busy
    assert idleness.signals == (("idle seconds", "600"), ("jobs at work", str(int(busy))))


@pytest.mark.parametrize("status", [None, [], {}, 1])
def test_a_job_that_does_not_say_how_it_stands_makes_its_use_unknown(product, status):
    """Which counts as used."""
    facts = looked_at(product, answers("DONE", status))
    assert facts.ready
    assert facts.idleness is None


def test_the_last_use_is_counted_back_from_now(product):
    """H2O-3 says for how long nothing has happened."""
    assert looked_at(product, answers()).idleness.last_activity == NOW - 600
    assert looked_at(product, answers(idle_millis=1 << 60)).idleness.last_activity == 0


@pytest.mark.parametrize("cloud", [{"cloud_healthy": False}, {"consensus": False}, {"cloud_size": 2}])
def test_a_cloud_that_is_not_whole_is_not_ready(product, cloud):
    """Healthy, agreed, and of the size we made: all three."""
    assert not looked_at(product, answers(**cloud)).ready


def test_the_address_is_that_of_its_web_page(product):
    """Of its two ports the lower one, whatever the cloud calls it: the other has to be higher."""
    assert looked_at(product, answers()).url.startswith("http://127.0.0.1:")
    with serve(lambda path: (200, [json.dumps(answers()[path]).encode()])) as port:
        swapped = replace(at(port), ports={"http": 65535, "internal": port})
        assert product.look(swapped, USERNAME, PASSWORD).url == f"http://127.0.0.1:{port}/"


def test_asks_with_its_login(product):
    """As HTTP Basic, and never in the address."""
    assert product.experiments(at(1), USERNAME, PASSWORD) == ()
    url = looked_at(product, answers()).url
    assert USERNAME not in url
    assert PASSWORD not in url


def test_the_configuration_becomes_options_and_memory_a_heap(product):
    """One word a line, in the file that Java reads."""
    shell = Paper()
    product.set_up(at(54321, shell), replace(GIVEN, config="nthreads = 2\nspill_to_disk = true\nmemory_fraction = 0.5"))
    assert shell.arguments() == [
        "-Xmx1024m", "water.H2OApp", "-ip", "127.0.0.1", "-web_ip", "127.0.0.1", "-port", "54321", "-port_offset", "3",
        "-nthreads", "2", "-cleaner", "",
    ]  # fmt: skip
    (service,) = shell.services
    assert service.command[0] == "java"
    program = service.command.index("-cp")
    assert service.command[program : program + 3] == ("-cp", "{image}/h2o.jar", "@{disk}/h2o3.args")
    assert all(word.startswith("-") for word in service.command[1:program]), "options of Java"
    assert PASSWORD not in " ".join(service.command)
    assert PASSWORD.encode() not in b"".join(shell.files.values())


def test_it_looks_for_no_others_of_its_name(product):
    """They would be one cloud, which is not the one that was wanted; by itself H2O-3 looks for them by multicast."""
    shell = Paper()
    product.set_up(at(54321, shell), GIVEN)
    (service,) = shell.services
    assert service.command[service.command.index("-flatfile") + 1] == "{disk}/h2o3.nodes"
    assert shell.files["h2o3.nodes"] == b"127.0.0.1:54321\n"


def test_a_configuration_uploaded_is_there_for_a_machine_that_comes_up_by_itself(product):
    """It does not disturb what runs; Java reads it at the next start, whoever starts it."""
    shell = Paper()
    product.set_up(at(54321, shell), GIVEN)
    product.upload_config(at(54321, shell), "nthreads = 3")
    assert shell.arguments()[-3:] == ["-nthreads", "3", ""]
    assert len(shell.services) == 1


def test_setting_up_with_another_configuration_starts_it_anew(product):
    """A stopped system was given one: what came up with its machine does not run with it yet."""
    shell = Paper()
    product.set_up(at(54321, shell), GIVEN)
    product.set_up(at(54321, shell), replace(GIVEN, token=SECOND, config=None))
    assert len(shell.services) == 1
    product.set_up(at(54321, shell), replace(GIVEN, token=SECOND, config="nthreads = 1"))
    assert [service.token for service in shell.services] == ["s-1.1", "s-1.2"]


def test_more_memory_starts_it_anew(product):
    """A machine that was scaled comes up with the old heap: not ready until it is set up."""
    shell = Paper()
    product.set_up(at(54321, shell), GIVEN)
    assert shell.arguments()[0] == "-Xmx1433m"
    with serve(lambda path: (200, [json.dumps(answers()[path]).encode()])) as port:
        shell.files.clear()
        product.set_up(at(port, shell), GIVEN)
        assert product.look(at(port, shell), USERNAME, PASSWORD).ready
        assert not product.look(at(port, shell, memory_gb=4), USERNAME, PASSWORD).ready
        product.set_up(at(port, shell, memory_gb=4), replace(GIVEN, token=SECOND))
        assert product.look(at(port, shell, memory_gb=4), USERNAME, PASSWORD).ready
    assert shell.arguments()[0] == "-Xmx2867m"
    assert shell.services[-1].token == "s-1.2"


def test_one_that_has_ended_is_not_ready_whoever_answers_at_its_port(product):
    """Another program may have taken the port."""
    shell = Paper()
    with serve(lambda path: (200, [json.dumps(answers()[path]).encode()])) as port:
        product.set_up(at(port, shell), GIVEN)
        shell.stands = Serving(token=FIRST, running=False, exit_code=1)
        facts = product.look(at(port, shell), USERNAME, PASSWORD)
    assert (facts.ready, facts.token, facts.idleness) == (False, "s-1.1", None)


def test_one_that_keeps_ending_fails_its_step_and_not_the_next(product):
    """Three starts for a step; the fourth is refused, with how it ended."""
    shell = Paper()
    for _ in range(3):
        product.set_up(at(54321, shell), GIVEN)
        shell.stands = Serving(token=FIRST, running=False, exit_code=137)
    with pytest.raises(StepFailed, match="H2O-3 was started 3 times and ended with exit code 137 each time") as failed:
        product.set_up(at(54321, shell), GIVEN)
    assert failed.value.for_ever
    product.set_up(at(54321, shell), replace(GIVEN, token=SECOND))
    assert len(shell.services) == 4


def test_one_that_was_asked_for_and_has_not_begun_is_left_to_begin(product):
    """A machine may be slow: that is no start more, nor has anything ended."""
    shell = Paper()
    for _ in range(9):
        product.set_up(at(54321, shell), GIVEN)
        shell.stands = Serving(token=FIRST, running=False)
    assert len(shell.services) == 1
    product.restart(at(54321, shell), replace(GIVEN, token=SECOND))
    assert len(shell.services) == 2


def test_a_note_on_the_disk_that_is_nonsense_is_no_note(product):
    """The disk is a user's; it is started anew."""
    shell = Paper()
    for nonsense in (b"", b"{", b"[]", b'{"token": 1, "needs": 2}', b"[" * 100_000, b"\xff"):
        product.set_up(at(54321, shell), GIVEN)
        shell.files["puddle-service.json"] = nonsense
        starts = len(shell.services)
        product.set_up(at(54321, shell), GIVEN)
        assert len(shell.services) == starts + 1


def test_a_machine_that_is_too_small_is_told(product):
    """With how much it needs."""
    with pytest.raises(StepFailed, match=r"needs a machine with 0\.6 GB of memory, and this one has 0\.25"):
        product.set_up(at(54321, Paper(), memory_gb=0.25), GIVEN)


def test_a_configuration_on_the_disk_that_was_broken_there_is_told(product):
    """Somebody has written to it on the machine."""
    shell = Paper()
    shell.files["h2o3.toml"] = b"\0 nonsense"
    with pytest.raises(StepFailed, match="the configuration cannot be taken: it is not TOML"):
        product.set_up(at(54321, shell), replace(GIVEN, config=None))


def test_a_cloud_that_lets_nobody_in_is_told(product):
    """There it cannot be set up; how it stands can still be asked."""
    with pytest.raises(StepFailed, match="does not let the server in"):
        product.set_up(at(54321), GIVEN)


# the real product


def missing():
    """Why the real product cannot be run here; "" where it can."""
    if shutil.which("java") is None:
        return "there is no Java here (Debian: apt install default-jre-headless)"
    if not buildable():
        return "the Python package h2o is not installed here (pip install h2o)"
    return ""


def idle_seconds(running: Running) -> int:
    """For how long nothing has happened, as the product itself says."""
    return int(dict(running.look().idleness.signals)["idle seconds"])


@pytest.mark.slow
@pytest.mark.timeout(900)  # it is started four times, which takes ten seconds each where nothing else runs
@pytest.mark.skipif(bool(missing()), reason=missing())
class TestOnAMachine(MachineConformance):
    version = buildable()[0] if buildable() else ""
    good_config = 'nthreads = 1\nlog_level = "WARN"\n'
    bad_configs = ("nthreads = 0",)

    @pytest.fixture(scope="class")
    @classmethod
    def product(cls):
        return H2O3(patience=60)

    def logs_in(self, url, username, password):
        return httpx.get(url + "3/About", auth=(username, password), timeout=60).status_code == 200

    def test_the_version_that_runs_is_that_of_the_image(self, running: Running):
        """The image was made from the package of this version."""
        url = running.until_ready().url
        cloud = httpx.get(url + "3/Cloud", auth=(USERNAME, PASSWORD), timeout=60).json()
        assert cloud["version"] == self.version == importlib.metadata.version("h2o")
        assert cloud["cloud_name"] == running.given.system_id

    def test_looking_is_no_use_and_working_is(self, running: Running):
        """Its idle time goes on while we look, and begins anew when somebody does something."""
        url = running.until_ready().url
        first = idle_seconds(running)
        while idle_seconds(running) < first + 3:
            time.sleep(0.2)
        began = time.monotonic()
        ast = {"ast": "(+ 1 2)"}
        httpx.post(url + "99/Rapids", auth=(USERNAME, PASSWORD), data=ast, timeout=60).raise_for_status()
        idle = idle_seconds(running)
        assert idle <= time.monotonic() - began

    def test_it_listens_on_loopback_alone(self, running: Running):
        """On the address by which the server reaches it, and no other."""
        running.until_ready()
        ports = {f"{port:04X}" for port in running.endpoint.ports.values()}
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(table).read_text().splitlines()[1:]:
                address, port = line.split()[1].split(":")
                if port in ports and line.split()[3] == "0A":
                    assert address in {"0100007F", "0000000000000000FFFF00000100007F"}, line
