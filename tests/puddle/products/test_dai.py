"""Driverless AI's driver, against the fake that is named so; the vendor's product was never run."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from puddle.server.clouds.base import Endpoint, StepFailed
from puddle.server.products.dai import EXPERIMENTS, HEALTH, DriverlessAI
from puddle.testing import fake_dai
from puddle.testing.products import PASSWORD, USERNAME, ProductConformance, Running, serve

VERSION = "fake-1.11.1"
NOW = 1_800_000_000
STEPS = ("s-1.10", "s-1.11", "s-1.12", "s-1.13")


def health(**changes):
    """What the documented health API answers on a server of which nobody has done anything for an hour."""
    now = datetime.fromtimestamp(NOW, UTC)
    return {
        "api_version": "1.1",
        "timestamp": now.isoformat(),
        "last_system_interaction": (now - timedelta(hours=1)).isoformat(),
        "active_users": 1,
        "is_idle": True,
        "tasks": {"running": 0, "scheduled": 0},
        "utilization": {"cpu": 0.25, "gpu": 0.0, "memory": 0.5},
        **changes,
    }


@pytest.fixture(scope="module")
def installations(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installations")
    fake_dai.installation(folder, VERSION)
    fake_dai.installation(folder, "fake-1.9.7")
    (folder / "not one").mkdir()
    return folder


@pytest.fixture
def product(installations):
    return DriverlessAI(installations, clock=lambda: NOW, patience=60)


def looked_at(product, answer, shell=None):
    with serve(lambda _path: (200, [json.dumps(answer).encode()])) as port:
        return product.look(at(port, shell), USERNAME, PASSWORD)


def at(port, shell=None):
    return Endpoint(host="127.0.0.1", ports={"http": port, "ssh": 22}, memory_gb=1, vcpus=1, shell=shell)


class TestConformance(ProductConformance):
    version = VERSION
    good_config = 'max_cores = 2\nenabled_file_systems = "upload, file"\n'
    bad_configs = ("max_cores = [", 'authentication_method = "none"', "port = 1", "a = 1\n" * 100_000)

    @pytest.fixture(scope="class")
    @classmethod
    def product(cls, installations):
        return DriverlessAI(installations, b"a licence", patience=60)

    def hasty(self, product):
        return DriverlessAI(product._installations, patience=0.5)

    def answers(self):
        return {HEALTH: health()}

    def logs_in(self, url, username, password):
        return httpx.get(url, auth=(username, password), timeout=60).status_code == 200

    def test_the_licence_is_brought(self, running: Running):
        """The administrator's licence lies on the disk."""
        running.until_ready()
        assert running.shell.read("license.sig") == b"a licence"

    def test_experiments_are_listed_and_keep_it_busy(self, running: Running):
        """One that is not finished counts as work; its words are those of DriverlessAIModel."""
        url = running.until_ready().url + EXPERIMENTS.lstrip("/")
        experiment = {
            "id": "e1",
            "description": "churn",
            "target": "left",
            "accuracy": 7,
            "score": 0.5,
            "progress": 0.5,
        }
        httpx.post(url, auth=(USERNAME, PASSWORD), json=experiment, timeout=60).raise_for_status()
        listed = running.product.experiments(running.endpoint, USERNAME, PASSWORD)
        assert [(one.id, one.target, one.accuracy, one.progress) for one in listed] == [("e1", "left", 7, 0.5)]
        busy = running.look().idleness
        assert busy is not None
        assert busy.busy
        assert ("tasks running", "1") in busy.signals
        done = {**experiment, "progress": 1.0}
        httpx.post(url, auth=(USERNAME, PASSWORD), json=done, timeout=60).raise_for_status()
        assert not running.look().idleness.busy
        with pytest.raises(StepFailed, match="status 401"):
            running.product.experiments(running.endpoint, USERNAME, "another")

    def test_the_fake_answers_as_a_server_should(self, running: Running):
        """What is no experiment is refused, what is not there is not found, and nobody posts without a login."""
        url = running.until_ready().url
        login = (USERNAME, PASSWORD)
        for nonsense in (b"", b"{}", b"[]", b"{"):
            assert httpx.post(url + EXPERIMENTS[1:], auth=login, content=nonsense, timeout=60).status_code == 400
        assert httpx.get(url + "nothing", auth=login, timeout=60).status_code == 404
        assert httpx.post(url + EXPERIMENTS[1:], json={"id": "e2"}, timeout=60).status_code == 401
        assert httpx.get(url, headers={"Authorization": "Basic !"}, timeout=60).status_code == 401

    def test_a_machine_that_comes_up_with_more_memory_gets_its_program_anew(self, running: Running):
        """What came up by itself was started for a smaller machine: not ready until it is set up again."""
        running.until_ready()
        running.shell.go_down()
        running.shell.come_up()
        larger = running.shell.endpoint(running.product.ports, memory_gb=2.0)
        assert not running.product.look(larger, USERNAME, PASSWORD).ready
        pid, given = running.shell.pid, replace(running.given, token=STEPS[0], config=None)
        running.product.set_up(larger, given)
        assert running.shell.pid not in {0, pid}
        running.product.set_up(running.endpoint, replace(given, token=STEPS[1]))
        running.given = replace(given, token=STEPS[1])
        assert running.until_ready().token == STEPS[1]

    def test_one_that_ends_at_once_has_failed_and_another_configuration_mends_it(self, running: Running):
        """The configuration lets the fake end; the next step brings a better one."""
        bad = replace(running.given, token=STEPS[2], config="fake_exit_code = 7")
        for _ in range(3):
            running.product.set_up(running.endpoint, bad)
            running.shell.wait()
        with pytest.raises(StepFailed, match="exit code 7"):
            running.product.set_up(running.endpoint, bad)
        running.given = replace(bad, token=STEPS[3], config=self.good_config)
        assert running.until_ready().config == self.good_config


def test_offers_the_installations_that_are_there(product):
    """A folder with its start script is a version, newest first."""
    assert product.versions == ("fake-1.11.1", "fake-1.9.7")


def test_images_of_the_same_installation_have_the_same_checksum(product, tmp_path):
    """All files count, and their names."""
    sums = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        sums.append(product.recipe.build(VERSION, str(tmp_path / name), str(tmp_path / "log")))
    assert sums[0] == sums[1]
    assert (tmp_path / "one" / "run-dai.sh").is_file()
    assert sums[0] in (tmp_path / "log").read_text()


def test_an_installation_that_cannot_be_copied_fails_with_a_sentence(product, tmp_path):
    """Here the image's folder is a file; a full disk ends the same way."""
    (tmp_path / "image").write_text("in the way")
    with pytest.raises(StepFailed) as failed:
        product.recipe.build(VERSION, str(tmp_path / "image"), str(tmp_path / "log"))
    assert failed.value.reason == "DISK_FULL"


def test_the_last_use_is_counted_by_its_own_clock(product):
    """A server whose clock is years off is idle since an hour all the same."""
    wrong = datetime(2001, 1, 1, tzinfo=UTC)
    hour = (wrong - timedelta(hours=1)).isoformat()
    for answer in (health(), health(timestamp=wrong.isoformat(), last_system_interaction=hour)):
        idleness = looked_at(product, answer).idleness
        assert (idleness.last_activity, idleness.busy) == (NOW - 3600, False)
        assert ("idle seconds", "3600") in idleness.signals
        assert ("utilization cpu", "0.25") in idleness.signals
        assert ("active users", "1") in idleness.signals


def test_times_without_a_zone_and_from_the_future_are_taken(product):
    """Without a zone it is UTC; an interaction after now is now."""
    naive = {"timestamp": "2026-01-01T00:01:00", "last_system_interaction": "2026-01-01T00:00:00"}
    assert looked_at(product, health(**naive)).idleness.last_activity == NOW - 60
    assert looked_at(product, health(timestamp="2020-01-01T00:00:00Z")).idleness.last_activity == NOW


@pytest.mark.parametrize("tasks", [{"running": 1, "scheduled": 0}, {"running": 0, "scheduled": 3}])
def test_tasks_that_run_or_wait_are_work(product, tasks):
    """Whatever else it says."""
    assert looked_at(product, health(tasks=tasks)).idleness.busy


def test_one_that_is_not_idle_is_at_work(product):
    """Its own word counts, too."""
    assert looked_at(product, health(is_idle=False)).idleness.busy


def test_a_server_that_lists_nothing_has_no_experiments(product):
    """The address is not the vendor's: where it is not known, there is nothing to show."""
    with serve(lambda _path: (404, [b""])) as port:
        assert product.experiments(at(port), USERNAME, PASSWORD) == ()


def test_what_does_not_fit_is_left_out_of_experiments(product):
    """Texts are cut, numbers that are none are 0, and what has no id is no experiment."""
    answer = [{"id": "a" * 900, "accuracy": "7", "score": True, "created": -1, "status": 1e99}, {"id": ""}, 3]
    with serve(lambda _path: (200, [json.dumps(answer).encode()])) as port:
        (one,) = product.experiments(at(port), USERNAME, PASSWORD)
    assert (len(one.id), one.accuracy, one.score, one.created, one.status) == (500, 0, 0.0, 0, 0)


def test_a_cloud_that_lets_nobody_in_is_told(product):
    """There it cannot be set up."""
    with pytest.raises(StepFailed, match="does not let the server in"):
        product.upload_config(at(1), "")
