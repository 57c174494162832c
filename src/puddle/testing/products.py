"""What a product plug-in promises, as tests to subclass: `ProductConformance`, or its two halves.

`AnswersConformance` needs nothing but a server on loopback, `MachineConformance` the product itself.

Give pytest the product as the fixture ``product``, and say how one logs in to it; the tests are inherited::

    from puddle.testing.products import ProductConformance

    class TestMine(ProductConformance):
        version = "1.2"
        good_config = "threads = 2"
        bad_configs = ("threads = [",)

        @pytest.fixture(scope="class")
        @classmethod
        def product(cls):
            return Mine(patience=60)  # seconds it waits for an answer: tests may run on a machine that is busy

        def hasty(self, product):
            return Mine(patience=0.5)  # for the test that lets it wait in vain

        def logs_in(self, url, username, password):
            return httpx.get(url, auth=(username, password)).status_code == 200

        def answers(self):
            return {"/health": {"ok": True}, "/use": {"idle": 7}}

One machine, a folder and a process here, is set up for the whole class, since products may take their time to start.
The products that come with Puddle pass the same tests.
"""

from __future__ import annotations

import json
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from puddle.server.clouds.base import Endpoint, StepFailed
from puddle.server.domain.facts import ProductFacts
from puddle.server.products.base import Product, SetUp
from puddle.testing.shells import ProcessShell

FIRST, SECOND = "step.1", "step.2"
USERNAME = "puddle"
PASSWORD = "not-a-real-one-but-long-enough"  # noqa: S105  of systems that live for a test


@dataclass(kw_only=True)
class Running:
    """A machine on which the product is ready, and what it was last given."""

    product: Product
    shell: ProcessShell
    given: SetUp

    @property
    def endpoint(self) -> Endpoint:
        """How to reach it."""
        return self.shell.endpoint(self.product.ports)

    def look(self) -> ProductFacts:
        """Ask the product."""
        return self.product.look(self.endpoint, USERNAME, PASSWORD)

    def until_ready(self) -> ProductFacts:
        """Do as the reconciler does: look, and set up until it is ready."""
        while not (facts := self.look()).ready:
            self.product.set_up(self.endpoint, self.given)
            time.sleep(0.2)  # a real process, which nobody can hurry
        return facts


class _Suite(ABC):
    version: str
    good_config: str
    bad_configs: tuple[str, ...]


class AnswersConformance(_Suite):
    """What a product makes of configurations, and of what a user's machine may answer, which is anything."""

    @abstractmethod
    def answers(self) -> Mapping[str, Any]:
        """Return what a product answers that is ready and idle since a while: JSON by path, without queries."""

    def hasty(self, product: Product) -> Product:
        """Return the product with so little patience that a test can wait for its end; as it comes, as patient."""
        return product

    # what it says of itself

    def test_describes_itself(self, product: Product) -> None:
        """It has an id, a label, ports with a web page among them, a way to log in, and versions."""
        assert product.id.isidentifier()
        assert product.label
        assert 0 < product.ports["http"] < 1 << 16
        assert product.auth_type in {"basic", "local", "none"}
        assert self.version in product.versions

    def test_takes_good_configurations_and_says_what_is_wrong_with_bad_ones(self, product: Product) -> None:
        """A refusal is a sentence; an empty configuration is a good one."""
        assert product.check_config("") == ""
        assert product.check_config(self.good_config) == ""
        for config in self.bad_configs:
            assert len(product.check_config(config)) > 10, config

    # what a user's machine may answer

    def test_understands_an_answer_of_its_own(self, product: Product) -> None:
        """So that the next tests refuse what is wrong, and not everything."""
        facts = self._looked_at(product, _json(self.answers()))
        assert facts.ready
        assert facts.idleness is not None
        assert not facts.idleness.busy

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>hello</html>",
            b"\xff\xfe{}",
            b"[" * 100_000,
            b"null",
            b"[]",
            b"{}",
            b'{"a": NaN}',
            b"1" * 10_000,
            b'"' + b"x" * (16 << 20) + b'"',
        ],
        ids=["empty", "html", "not text", "deep", "null", "list", "object", "nan", "long number", "huge"],
    )
    def test_nonsense_is_not_ready(self, product: Product, body: bytes) -> None:
        """Whatever a machine answers, looking ends, and without an error."""
        facts = self._looked_at(product, lambda _path: (200, [body]))
        assert not facts.ready
        assert facts.idleness is None

    @pytest.mark.parametrize("status", [204, 301, 401, 403, 404, 500, 503])
    def test_another_status_is_not_ready(self, product: Product, status: int) -> None:
        """The right answer under another status is not an answer; nobody is sent elsewhere."""
        right = _json(self.answers())
        assert not self._looked_at(product, lambda path: (status, right(path)[1])).ready

    @pytest.mark.parametrize("wrong", [None, -1, 1e40, "1", True, [], {}], ids=repr)
    def test_wrong_values_are_never_taken_for_idle(self, product: Product, wrong: Any) -> None:
        """Where any one value of its answers is not what it should be, it never seems idle for longer."""
        known = self._looked_at(product, _json(self.answers())).idleness
        assert known is not None
        for path in self.answers():
            for answers in _with_one_wrong(self.answers(), path, wrong):
                idleness = self._looked_at(product, _json(answers)).idleness
                assert idleness is None or idleness.busy or idleness.last_activity >= known.last_activity

    def test_use_that_cannot_be_told_is_unknown(self, product: Product) -> None:
        """Ready, but silent on its use: None, which counts as used."""
        for path in self.answers():
            rest = {other: answer for other, answer in self.answers().items() if other != path}
            facts = self._looked_at(product, _json(rest))
            assert facts.idleness is None

    def test_a_machine_that_answers_drop_by_drop_does_not_hold_us_up(self, product: Product) -> None:
        """One byte at a time for ever: looking ends all the same."""

        def drops(_path: str) -> tuple[int, Iterator[bytes]]:
            return 200, _drip()

        assert not self._looked_at(self.hasty(product), drops).ready

    def test_nobody_there_is_not_ready(self, product: Product) -> None:
        """Nothing listens: not ready, and no error."""
        with serve(lambda _path: (200, [b""])) as port:
            gone = _endpoint(product, port)
        assert not product.look(gone, USERNAME, PASSWORD).ready

    def test_listing_experiments_ends_whatever_is_answered(self, product: Product) -> None:
        """A list or a StepFailed, nothing else."""
        for body in (b"", b"[[]]", b'[{"id": 1}, {"id": "a", "score": "x", "created": 1e300}]', b"[" * 100_000):
            with serve(_always(body)) as port:
                try:
                    listed = product.experiments(_endpoint(product, port), USERNAME, PASSWORD)
                except StepFailed:
                    continue
                assert all(one.id for one in listed)

    @staticmethod
    def _looked_at(product: Product, answer: Answer) -> ProductFacts:
        with serve(answer) as port:
            return product.look(_endpoint(product, port), USERNAME, PASSWORD)


class MachineConformance(_Suite):
    """A product on a machine of its own."""

    @abstractmethod
    def logs_in(self, url: str, username: str, password: str) -> bool:
        """Whether the product at `url` lets this user in."""

    @pytest.fixture(scope="class")
    @classmethod
    def image(cls, product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """An image, made by the product's recipe."""
        folder = tmp_path_factory.mktemp("image")
        log = folder.with_name(folder.name + ".log")
        checksum = product.recipe.build(cls.version, str(folder), str(log))
        assert checksum.startswith("sha256:")
        assert cls.version in log.read_text()
        return folder

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls, product: Product, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
        """A machine that was brought up as the reconciler does it, and is ready."""
        given = SetUp(
            system_id="s-1", name="one", token=FIRST, config=cls.good_config, username=USERNAME, password=PASSWORD
        )
        with ProcessShell(tmp_path_factory.mktemp("machine") / "disk", image) as shell:
            one = Running(product=product, shell=shell, given=given)
            before = one.look()
            assert not before.ready
            assert before.idleness is None
            one.until_ready()
            yield one

    # its image

    def test_an_unknown_version_cannot_be_built(self, product: Product, tmp_path: Path) -> None:
        """The recipe says so in a sentence, for ever, and in the log."""
        folder = tmp_path / "image"
        folder.mkdir()
        with pytest.raises(StepFailed) as failed:
            product.recipe.build("no-such/../version", str(folder), str(tmp_path / "log"))
        assert failed.value.for_ever
        assert failed.value.sentence in (tmp_path / "log").read_text()

    # on a machine

    def test_is_ready_and_tells_its_use(self, running: Running) -> None:
        """Once up, it has an address, its configuration, and says when it was last used."""
        facts = running.until_ready()
        assert not facts.ended
        assert facts.url.startswith(f"http://{running.endpoint.host}:")
        assert facts.token == running.given.token
        assert facts.config == self.good_config
        assert facts.idleness is not None
        assert not facts.idleness.busy
        assert abs(facts.idleness.last_activity - time.time()) < 3600
        assert facts.idleness.signals

    def test_setting_up_twice_does_no_harm(self, running: Running) -> None:
        """What runs as wished is left alone, with or without a configuration given."""
        running.until_ready()
        pid = running.shell.pid
        running.product.set_up(running.endpoint, running.given)
        running.product.set_up(running.endpoint, replace(running.given, config=None))
        assert running.shell.pid == pid
        assert running.look().ready

    def test_lets_in_its_owner_and_nobody_else(self, running: Running) -> None:
        """The password that was given is accepted, and no other."""
        url = running.until_ready().url
        assert self.logs_in(url, USERNAME, PASSWORD)
        assert not self.logs_in(url, USERNAME, PASSWORD + "x")
        assert not self.logs_in(url, "somebody", PASSWORD)
        assert not self.logs_in(url, "", "")

    def test_keeps_its_password_secret(self, running: Running) -> None:
        """It is in no command line, no environment and no file; what was put on the disk is for its owner alone."""
        running.until_ready()
        secret, looked_into = PASSWORD.encode(), 0
        for process in _processes(running.shell.pid):
            looked_into += bool(_content(process / "cmdline")) and bool(_content(process / "environ"))
            assert secret not in _content(process / "cmdline"), process
            assert secret not in _content(process / "environ"), process
        assert looked_into, "at its first process at least, which runs"
        for path in (*running.shell.disk.rglob("*"), running.shell.console):
            assert secret not in _content(path), path
            assert path == running.shell.console or not _mode(path) & 0o077, path
        assert PASSWORD not in running.look().url

    def test_a_configuration_uploaded_counts_from_the_next_start(self, running: Running) -> None:
        """It is told at once, and does not disturb what runs; a bad one is refused and not put there."""
        running.until_ready()
        pid = running.shell.pid
        running.product.upload_config(running.endpoint, "")
        facts = running.look()
        assert (facts.ready, facts.config, running.shell.pid) == (True, "", pid)
        with pytest.raises(StepFailed):
            running.product.upload_config(running.endpoint, self.bad_configs[0])
        running.product.upload_config(running.endpoint, self.good_config)
        assert running.look().config == self.good_config
        assert running.shell.pid == pid

    def test_restarts_once_for_each_token(self, running: Running) -> None:
        """The token names the step: asked for again, it does not restart again; afterwards it is ready."""
        if not running.product.restartable:
            return
        running.until_ready()
        pid, starts = running.shell.pid, running.shell.starts
        running.given = replace(running.given, token=SECOND, config=None)
        running.product.restart(running.endpoint, running.given)
        running.product.restart(running.endpoint, running.given)
        running.product.set_up(running.endpoint, running.given)
        assert running.shell.pid not in {0, pid}
        assert running.shell.starts == starts + 1
        assert running.until_ready().token == SECOND

    # where it cannot

    def test_a_product_that_cannot_come_up_fails_with_a_sentence(self, product: Product, tmp_path: Path) -> None:
        """With an image that holds nothing it ends at once: it is tried a few times, then the step has failed."""
        (tmp_path / "image").mkdir()
        given = SetUp(system_id="s-2", name="two", token=FIRST, config="", username=USERNAME, password=PASSWORD)
        with ProcessShell(tmp_path / "disk", tmp_path / "image") as shell:
            failed = self._set_up_until_it_fails(product, shell, given)
            assert failed.for_ever
            assert "console" in failed.sentence
            assert product.look(shell.endpoint(product.ports), USERNAME, PASSWORD).ended
            assert shell.starts > 1
            starts = shell.starts
            product.set_up(shell.endpoint(product.ports), replace(given, token=SECOND))
            assert shell.starts == starts + 1  # another step tries anew

    @staticmethod
    def _set_up_until_it_fails(product: Product, shell: ProcessShell, given: SetUp) -> StepFailed:
        endpoint = shell.endpoint(product.ports)
        while True:
            try:
                product.set_up(endpoint, given)
            except StepFailed as failure:
                return failure
            assert not product.look(endpoint, USERNAME, PASSWORD).ready
            shell.wait()

    def test_a_password_a_person_chose_is_refused(self, product: Product, tmp_path: Path) -> None:
        """Its hash could be searched; and a name that could break a file of logins is refused too."""
        with ProcessShell(tmp_path / "disk", tmp_path) as shell:
            for username, password in ((USERNAME, "secret"), ("a:b\nroot", PASSWORD), ("", PASSWORD)):
                given = SetUp(system_id="s", name="s", token=FIRST, config=None, username=username, password=password)
                with pytest.raises(StepFailed):
                    product.set_up(shell.endpoint(product.ports), given)
            assert shell.starts == 0

    def test_setting_up_with_a_bad_configuration_is_refused(self, product: Product, tmp_path: Path) -> None:
        """Before anything is put on the disk or started."""
        given = SetUp(system_id="s", name="s", token=FIRST, config=None, username=USERNAME, password=PASSWORD)
        with ProcessShell(tmp_path / "disk", tmp_path) as shell:
            for config in self.bad_configs:
                with pytest.raises(StepFailed):
                    product.set_up(shell.endpoint(product.ports), replace(given, config=config))
            assert shell.starts == 0
            assert not list(shell.disk.iterdir())


class ProductConformance(AnswersConformance, MachineConformance):
    """All a product promises."""


# a server that answers what a test wants


Answer = Callable[[str], "tuple[int, Iterator[bytes] | list[bytes]]"]


def _always(body: bytes) -> Answer:
    return lambda _path: (200, [body])


@contextmanager
def serve(answer: Answer) -> Iterator[int]:
    """Let a server on loopback give `answer(path)` (status, parts of the body); the value is its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, parts = answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            try:
                for part in parts:
                    self.wfile.write(part)
                    self.wfile.flush()
            except OSError:
                self.close_connection = True  # the other side has heard enough, as it should

        def log_message(self, *_said: object) -> None:
            """Say nothing: what is asked here is no news."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _endpoint(product: Product, port: int) -> Endpoint:
    return Endpoint(host="127.0.0.1", ports=dict.fromkeys(product.ports, port), memory_gb=1, vcpus=1)


def _json(answers: Mapping[str, Any]) -> Answer:
    def answer(path: str) -> tuple[int, list[bytes]]:
        return (200, [json.dumps(answers[path]).encode()]) if path in answers else (404, [b"{}"])

    return answer


def _drip() -> Iterator[bytes]:
    while True:
        yield b" "
        time.sleep(0.02)


def _with_one_wrong(answers: Mapping[str, Any], path: str, wrong: Any) -> Iterator[Mapping[str, Any]]:
    """Every way to put `wrong` in the place of one value at `path`."""
    for keys in _leaves(answers[path]):
        changed = json.loads(json.dumps(answers[path]))
        place = changed
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = wrong
        yield {**answers, path: changed}


def _leaves(answer: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in answer.items():
        yield (*before, key)
        if isinstance(value, Mapping):
            yield from _leaves(value, (*before, key))


def _processes(session: int) -> Iterator[Path]:
    """Yield the folders in /proc of a machine's processes: they share its session, and nobody else is in that."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):  # it has ended
            if os.getsid(int(process.name)) == session:
                yield process


def _mode(path: Path) -> int:
    """Return the rights of a file; none of anything else, nor of what the program has removed meanwhile."""
    try:
        return path.stat().st_mode if path.is_file() else 0
    except FileNotFoundError:
        return 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""  # a process that has ended, or is another user's
