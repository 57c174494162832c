"""What the command line does by itself: help, version, completion, questions, and Ctrl-C. No server is needed."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import types
import webbrowser
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

from puddle import cli
from puddle._cli import admin, completing, failures, keys, naming, systems
from puddle.client import SystemsClient
from puddle.client.errors.puddle_errors import (
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    ValidationFailedError,
)
from puddle.client.models import Image, InstanceType, Snapshot, System
from puddle.client.proto.v2 import admin_service_pb2 as people
from puddle.client.proto.v2 import image_service_pb2 as images
from puddle.client.proto.v2 import instance_type_service_pb2 as sizes
from puddle.client.proto.v2 import system_service_pb2 as pb


def run(*args: str) -> str:
    done = CliRunner().invoke(cli.app, list(args), prog_name="puddle")
    assert done.exit_code == 0, done.output
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)  # some set FORCE_COLOR for all that runs


def every(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{before}{name}", command
        yield from every(command, f"{before}{name} ")


COMMANDS = dict(every(typer.main.get_command(cli.app)))


def test_the_version_is_told() -> None:
    assert run("--version").startswith("puddle ")


def test_python_m_puddle_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "puddle", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run("--version")


def test_help_is_short_or_long_and_tells_the_exit_codes() -> None:
    told = run("-h")
    assert told == run("--help")
    assert all(str(code) in told.partition("Exit codes")[2] for code in failures.EXIT_CODES)


def test_help_shows_first_what_people_need_first() -> None:
    told = run("--help")
    order = [told.index(f"│ {word} ") for word in ("systems", "reports", "login", "users", "server", "settings")]
    assert order == sorted(order)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_what_each_argument_is(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").strip().endswith((".", "."))
    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", "")] == []


def test_whatever_is_listed_is_listed_by_list_too() -> None:
    listing = {name.removesuffix(" ls") for name in COMMANDS if name.endswith(" ls")}
    assert {"systems", "snapshots", "images", "types", "tags", "reports", "keys", "alerts", "users"} <= listing
    assert [name for name in listing if not COMMANDS[f"{name} list"].hidden] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_had_for_a_shell(shell: str) -> None:
    instruction = {**dict.fromkeys(("LC_ALL",), "C.UTF-8"), "_PUDDLE_COMPLETE": f"source_{shell}"}
    done = CliRunner().invoke(cli.app, [], env=instruction, prog_name="puddle")
    assert "_PUDDLE_COMPLETE" in done.output


def test_a_command_is_completed() -> None:
    asked = {"_PUDDLE_COMPLETE": "complete_bash", "COMP_WORDS": "puddle systems cr", "COMP_CWORD": "2"}
    assert CliRunner().invoke(cli.app, [], env=asked, prog_name="puddle").output.split() == ["credentials", "create"]


def test_a_status_to_wait_for_is_completed() -> None:
    asked = {"_PUDDLE_COMPLETE": "complete_bash", "COMP_WORDS": "puddle systems wait first st", "COMP_CWORD": "4"}
    found = CliRunner().invoke(cli.app, [], env=asked, prog_name="puddle").output.split()
    assert found == ["starting", "started", "stopping", "stopped"]


def test_the_names_of_systems_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "authorizer", object)
    monkeypatch.setattr(completing, "SystemsClient", lambda *_, **__: Systems())
    asked = {"_PUDDLE_COMPLETE": "complete_bash", "COMP_WORDS": "puddle systems show fi", "COMP_CWORD": "3"}
    assert CliRunner().invoke(cli.app, [], env=asked, prog_name="puddle").output.split() == ["first"]


def test_nothing_is_completed_where_no_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> None:
        raise failures.Failed("which server?")

    monkeypatch.setattr(completing, "authorizer", nobody)
    assert completing.systems() == completing.snapshots() == completing.sizes() == []


def test_a_failure_is_one_sentence_and_its_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PreconditionFailedError("it is started", {"allowed_actions": ["stop", "restart_dai", "update_config"]})

    monkeypatch.setattr(cli, "app", refuse)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 3
    assert capsys.readouterr().err == "puddle: it is started (what can be done now: stop, restart, config set)\n"


def test_what_is_not_valid_is_said_to_be_so() -> None:
    refused = ValidationFailedError("disk_size_gb is between 1 and 16384", {"field": "disk_size_gb"})
    assert failures.sentence(refused) == "not valid: disk_size_gb is between 1 and 16384"


def test_bytes_that_are_no_text_are_an_argument_that_is_not_valid() -> None:
    with pytest.raises(UnicodeEncodeError) as raised:
        pb.System(name="b\udcff")
    assert failures.exit_code(raised.value) == 4
    assert failures.sentence(raised.value).startswith(r"not valid: 'b\udcff' has characters that are no text")


def test_every_failures_code_is_one_that_help_tells() -> None:
    kinds = [PreconditionFailedError("x"), NotFoundError("x"), failures.Failed("x"), TimeoutError("x")]
    assert {failures.exit_code(kind) for kind in kinds} <= failures.EXIT_CODES.keys()


# Alerts


class Alerts:
    """A client with two alerts, and those that were marked as read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def alerts(self) -> list[people.Alert]:
        return [people.Alert(id="one"), people.Alert(id="two")]

    def acknowledge_alert(self, alert: str | people.Alert) -> people.Alert:
        self.read.append(alert if isinstance(alert, str) else alert.id)
        return people.Alert(id=self.read[-1])


@pytest.mark.parametrize(
    ("said", "read"), [(["two"], ["two"]), (["two", "one"], ["two", "one"]), (["--all"], ["one", "two"])]
)
def test_alerts_are_marked_as_read(said: list[str], read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    client = Alerts()
    monkeypatch.setattr(admin, "_client", lambda: client)
    assert [line.strip() for line in run("alerts", "ack", *said).splitlines()[1:]] == read
    assert client.read == read


# Before something is gone for good


class Asked(io.StringIO):
    """A terminal at which somebody sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody at a terminal who is asked, and says no."""
    questions: list[str] = []

    def confirm(question: str, **_: object) -> None:
        questions.append(question)
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr(systems, "sys", types.SimpleNamespace(stdin=Asked(), stderr=Asked()))
    return questions


def test_somebody_at_a_terminal_is_asked_before_something_is_gone(somebody: list[str]) -> None:
    with pytest.raises(typer.Abort):
        systems.sure("Terminate first?", yes=False)
    assert somebody == ["Terminate first?"]


def test_who_says_yes_beforehand_is_not_asked(somebody: list[str]) -> None:
    systems.sure("Terminate first?", yes=True)
    assert somebody == []


def test_a_script_is_not_asked(somebody: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "sys", types.SimpleNamespace(stdin=io.StringIO(), stderr=Asked()))
    systems.sure("Terminate first?", yes=False)
    assert somebody == []


def test_who_revokes_the_key_they_use_is_asked(somebody: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "authorizer", lambda: types.SimpleNamespace(key_id="pk_1"))
    with pytest.raises(typer.Abort):
        keys.revoke("pk_1")
    assert somebody == ["pk_1 is the key you are logged in with. Revoke it, and log in with another?"]


# While one waits


def test_ctrl_c_says_that_the_wish_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), systems.goes_on("systems show first"):
        raise KeyboardInterrupt
    assert "goes on. `puddle systems show first` shows how it stands" in capsys.readouterr().err


# Names


class Systems(SystemsClient):
    """A client with one system of one's own and one of Ada's."""

    def __init__(self) -> None:
        """Connects to nothing."""

    mine = System(pb.System(name="first", owner_name="me", id="sys-1"))
    hers = System(pb.System(name="deep", owner_name="ada", id="sys-2"))
    gone = System(pb.System(name="former", owner_name="me", id="sys-3", status=pb.SYSTEM_STATUS_TERMINATED))

    def get_by_name(self, name: str, include_terminated: bool = False) -> System | None:
        return {"first": self.mine, "former": self.gone if include_terminated else None}.get(name)

    def get(self, system_id: str | System, include_models: bool = True) -> System:
        del include_models
        if system_id != "sys-2":
            raise NotFoundError("there is none")
        return self.hers

    def list(self, include_models: bool = False, include_terminated: bool = False) -> list[System]:
        del include_models, include_terminated
        return [self.mine]

    def list_all(self, include_terminated: bool = False, include_models: bool = False) -> Sequence[System]:
        del include_models
        return [self.mine, self.hers, *([self.gone] if include_terminated else [])]

    def list_snapshots(self, system: str | System | None = None) -> Sequence[Snapshot]:
        del system
        return [Snapshot(pb.Snapshot(id=f"snap-{at}", name=name)) for at, name in enumerate(["one", "two", "two"])]


@pytest.mark.parametrize(("said", "meant"), [("first", "sys-1"), ("sys-2", "sys-2"), ("ada/deep", "sys-2")])
def test_a_system_is_found_by_name_id_and_owner(said: str, meant: str) -> None:
    assert naming.system(Systems(), said).id == meant


@pytest.mark.parametrize(
    ("said", "told"), [("firts", "did you mean 'first'"), ("ada/first", "'ada/first'"), ("xyz", ";")]
)
def test_of_a_system_that_is_not_there_the_nearest_is_told(said: str, told: str) -> None:
    with pytest.raises(failures.Failed, match=f"there is no system .*{told}.* `puddle systems ls` shows them"):
        naming.system(Systems(), said)


@pytest.mark.parametrize("said", ["former", "me/former"])
def test_a_system_that_is_gone_is_found_where_one_looks_back(said: str) -> None:
    assert naming.system(Systems(), said, ended=True).id == "sys-3"
    with pytest.raises(failures.Failed, match="there is no system"):
        naming.system(Systems(), said)


def test_an_administrator_who_names_somebodys_system_is_told_whose_it_is() -> None:
    with pytest.raises(failures.Failed, match=r"you have no system 'deep'; did you mean 'ada/deep'\?"):
        naming.system(Systems(), "deep")


def test_sizes_of_one_name_are_told_by_their_ids() -> None:
    class Twice:
        def list_all(self) -> list[InstanceType]:
            return [InstanceType(sizes.InstanceType(text="large", id=f"type-{at}")) for at in (1, 2)]

    with pytest.raises(failures.Failed, match=r"2 instance types are called 'large'; name one .*: type-1, type-2"):
        naming.instance_type(Twice(), "large")  # type: ignore[arg-type]  # it has the one method that is called


@pytest.mark.parametrize(("said", "meant"), [("one", "snap-0"), ("snap-2", "snap-2"), ("snap-of-ada", "snap-of-ada")])
def test_a_snapshot_is_found_by_name_and_id(said: str, meant: str) -> None:
    assert naming.snapshot(Systems(), said) == meant


@pytest.mark.parametrize(("said", "told"), [("two", "name one by its id: snap-1, snap-2"), ("onn", "mean 'one'")])
def test_a_snapshot_that_is_not_clear_is_told(said: str, told: str) -> None:
    with pytest.raises(failures.Failed, match=told):
        naming.snapshot(Systems(), said)


# An image that is still being built, as in the first seconds of a server


class Building:
    """A client of images: one is being built."""

    def __init__(self, *_: object, may_see: bool = True, **__: object) -> None:
        self.may_see = may_see

    def list_available(self, _product: str) -> list[Image]:
        return []

    def list_all(self, _product: str) -> list[Image]:
        if not self.may_see:
            raise PermissionDeniedError("it is for administrators")
        return [Image(images.Image(id="img-1", version="3.46", status_code=images.IMAGE_STATUS_BUILDING))]

    def wait_for_available(self, image: Image) -> Image:
        return image


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "authorizer", lambda: None)
    monkeypatch.setattr(naming, "ImagesClient", Building)


@pytest.mark.usefixtures("building")
def test_an_image_that_is_being_built_is_waited_for() -> None:
    assert naming.image("local", "h2o3", "", wait=True) == "img-1"


@pytest.mark.usefixtures("building")
def test_who_does_not_wait_is_told_that_the_image_is_being_built() -> None:
    with pytest.raises(failures.Failed, match=r"h2o3 3\.46 is being built"):
        naming.image("local", "h2o3", "", wait=False)


@pytest.mark.usefixtures("building")
def test_who_may_not_see_images_being_built_is_told_who_can_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "ImagesClient", lambda *_, **__: Building(may_see=False))
    with pytest.raises(failures.Failed, match="administrators build one"):
        naming.image("local", "h2o3", "", wait=True)


# Opening


class Opened(Systems):
    """One system is started, the other is not."""

    mine = System(
        pb.System(name="first", status=pb.SYSTEM_STATUS_STARTED, default_url="http://127.0.0.1:1/", username="puddle")
    )


@pytest.mark.parametrize(("there", "told"), [(True, "is opened"), (False, "a browser elsewhere")])
def test_a_system_is_opened_in_the_browser(there: bool, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(systems, "_client", lambda _cloud: Opened())
    monkeypatch.setattr(webbrowser, "open", lambda url: (opened.append(url), there)[1])
    said = run("systems", "open", "first")
    assert opened == ["http://127.0.0.1:1/"]
    assert told in said
    assert "Log in as puddle" in said
    assert '"url"' in run("systems", "open", "first", "--json")


def test_what_is_not_started_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "_client", lambda _cloud: Opened())
    done = CliRunner().invoke(cli.app, ["systems", "open", "sys-2"])
    assert "nothing to open yet" in str(done.exception)
