"""The user's commands against a real server: tables for people, JSON for programs, an exit code for each failure."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from puddle._cli.failures import exit_code
from puddle.cli import app
from puddle.client.base_client import BaseCloudClient
from puddle.client.errors.puddle_errors import ImageFailedError, SystemFailedError
from tests.puddle.server.running import SIMULATED, RunningServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all commands here."""
    made = RunningServer(tmp_path_factory.mktemp("server"), PUDDLE_CLOUDS__LOCAL__ENABLED="false", **SIMULATED)
    made.address()
    yield made
    assert made.stop() == 0


class Shell:
    """A terminal in which the server's three lines were put."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *args: str, code: int = 0, given: str | None = None) -> str:
        done = CliRunner().invoke(app, list(args), env=self.environment, input=given)
        found = exit_code(done.exception) if isinstance(done.exception, Exception) else done.exit_code
        assert found == code, (done.output, done.exception)
        return done.output if code == 0 else f"{done.output}{done.exception}"

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "--json"))


@pytest.fixture
def puddle(server: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    for name in [name for name in os.environ if name.upper().startswith("PUDDLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(BaseCloudClient, "POLL_INTERVAL_S", 0.2)
    return Shell({**server.exports(), "PUDDLE_CLOUD": "simulated", "XDG_CONFIG_HOME": str(tmp_path)})


def test_images_types_and_tags_are_listed(puddle: Shell) -> None:
    assert puddle.json("images", "build", "simulated")["status_code"] == "IMAGE_STATUS_AVAILABLE"
    assert "Available" in puddle("images", "ls")
    (image,) = puddle.json("images", "ls", "--all")
    assert "building" in puddle("images", "log", image["id"])
    assert puddle.json("images", "log", image["id"])["text"].strip() == puddle("images", "log", image["id"]).strip()
    sizes = puddle.json("types", "ls")
    assert [size["text"] for size in sizes][:2] == ["simulated-small", "simulated-medium"]
    assert "simulated-small" in puddle("types", "ls", "--all")
    assert puddle.json("tags", "ls") == []
    assert "no tags" in puddle("tags", "ls")


def test_an_image_is_built_again_where_that_is_needed_and_deleted(puddle: Shell) -> None:
    made = puddle.json("images", "build", "simulated", "1.0")
    assert "Available" in puddle("images", "rebuild", made["id"])
    assert "Deleting" in puddle("images", "delete", made["id"])
    puddle("images", "delete", "img-none", code=1)


def test_an_administrator_offers_changes_and_withdraws_a_size(puddle: Shell) -> None:
    made = puddle.json("types", "create", "huge", "--price", "1.60", "--cpus", "16", "--memory", "64", "--cu", "4")
    assert (made["text"], made["price_decimal"], made["cu"], made["enabled"]) == ("huge", "1.6", 4, True)
    puddle("types", "create", "huge", "--price", "1", "--cpus", "1", "--memory", "1", code=3)
    puddle("types", "create", "free", "--price", "nothing", "--cpus", "1", "--memory", "1", code=4)
    changed = puddle.json("types", "update", "huge", "--price", "1.7", "--group", "team")
    assert (changed["price_decimal"], changed["allowed_groups"], changed["cu"]) == ("1.7", ["team"], 4)
    assert puddle.json("types", "update", made["id"], "--disable", "--group", "")["allowed_groups"] == []
    assert puddle.json("types", "update", "huge", "--cu", "5")["enabled"] is False
    assert "huge" not in puddle("types", "ls")
    assert re.search("huge .* disabled", puddle("types", "ls", "--all"))
    assert "did you mean 'huge'" in puddle("types", "update", "hug", code=1)
    assert "deleted" in puddle("types", "delete", "huge")
    assert "huge" not in puddle("types", "ls", "--all")


def test_an_administrator_asks_for_a_tag_and_ends_it(puddle: Shell) -> None:
    assert puddle.json("tags", "create", "cost-center", "--required")["required"] is True
    assert "cost-center" in puddle("tags", "ls")
    assert "did you mean 'cost-center'" in puddle("tags", "delete", "cost-centre", code=1)
    assert "deleted" in puddle("tags", "delete", "cost-center")
    assert puddle.json("tags", "ls") == []


@pytest.mark.slow
def test_a_system_is_taken_through_its_life(puddle: Shell) -> None:
    puddle("images", "build", "simulated")
    made = puddle.json("systems", "create", "cli", "--product", "simulated", "--idle", "60", "--no-wait")
    assert made["status"] == "SYSTEM_STATUS_INITIALIZING"
    assert "password" not in made
    assert "Started" in puddle("systems", "wait", "cli")
    told = puddle("systems", "show", "cli")
    assert re.search(r"why +(nobody has used it|it was last used).*; unless it is used, it is stopped in", told)
    assert re.search(r"cost +.* in this session; .* an hour", told)
    assert re.search(r"can +stop, reboot, restart, snapshots create, .*config set, idle, extend", told)
    ends, before = puddle.json("systems", "show", "cli")["idle_timeout"], time.time()
    (minutes,) = re.findall(r"STOPS .*\ncli .*in (\d+) min", puddle("systems", "ls"))
    assert (ends - time.time()) // 60 <= int(minutes) <= (ends - before) // 60
    user, password = puddle("systems", "credentials", "cli").split()
    assert puddle.json("systems", "credentials", "cli") == {"username": user, "password": password}
    assert [system["name"] for system in puddle.json("systems", "ls", "--all")] == ["cli"]
    cost = puddle.json("systems", "cost", "cli")
    assert (cost["price_per_hour"], cost["per_day_as_it_is"], cost["before"]) == ("0.05", "1.2", "0.0000000000")
    assert "Stopped" in puddle("systems", "stop", "cli")
    assert "SYSTEM_STATUS_STOPPED" in puddle("systems", "scale", "cli", "--type", "simulated-medium", "--json")
    assert puddle.json("systems", "show", made["id"])["instance_type"] == "simulated-medium"
    assert "Started" in puddle("systems", "start", "cli")
    assert "Started" in puddle("systems", "reboot", "cli")
    assert "Started" in puddle("systems", "restart", "cli")
    ended = puddle("systems", "terminate", "cli")
    assert "Terminated" in ended
    assert "an hour" not in ended
    assert "credentials" not in ended


@pytest.mark.slow
def test_snapshots_configurations_and_idle_times(puddle: Shell, tmp_path: Path) -> None:
    puddle("images", "build", "simulated")
    made = puddle.json("systems", "create", "kept", "--product", "simulated", "--idle", "60")
    assert re.search(r"stops +20\d\d-", puddle("systems", "show", "kept"))
    assert "never for idleness" in puddle("systems", "idle", "kept", "never")
    assert puddle.json("systems", "idle", "kept", "120")["idle_timeout_interval"] == 120
    assert puddle.json("systems", "extend", "kept", "240")["idle_timeout"] > made["idle_timeout"]

    (tmp_path / "new.toml").write_text("answer = 42\n")
    assert puddle.json("systems", "config", "set", "kept", str(tmp_path / "new.toml"))["config_toml"] == "answer = 42\n"
    assert puddle("systems", "config", "get", "kept") == "answer = 42\n"
    puddle("systems", "config", "set", "kept", "-", "--restart", given="answer = 43")
    puddle("systems", "wait", "kept")
    assert puddle("systems", "config", "get", "kept") == "answer = 43\n"
    assert puddle.json("systems", "config", "get", "kept")["config"] == "answer = 43"
    puddle("systems", "config", "set", "kept", "-", given="answer =", code=4)
    (tmp_path / "new.toml").write_bytes(b"\xff")
    assert "no text" in puddle("systems", "config", "set", "kept", str(tmp_path / "new.toml"), code=1)

    assert "serving" in puddle("systems", "log", "kept")
    assert puddle.json("systems", "log", "kept", "--lines", "1")["text"].startswith("serving")

    first = puddle.json("snapshots", "create", "kept", "copy", "--description", "of Tuesday")
    assert (first["status"], first["description"]) == ("SNAPSHOT_STATUS_AVAILABLE", "of Tuesday")
    assert "copy" in puddle("snapshots", "ls")
    assert [each["id"] for each in puddle.json("snapshots", "ls", "--system", "kept")] == [first["id"]]
    second = puddle.json("snapshots", "create", "kept", "copy")
    assert "by its id" in puddle("snapshots", "delete", "copy", code=1)
    assert puddle.json("snapshots", "delete", second["id"])["status"] == "SNAPSHOT_STATUS_DELETING"
    puddle("snapshots", "delete", "nothing", code=1)

    puddle("systems", "stop", "kept")
    assert "\N{EN DASH}" in puddle("systems", "show", "kept")
    puddle("systems", "extend", "kept", "60", code=3)
    puddle("systems", "idle", "kept", "7", code=4)
    puddle("systems", "idle", "kept", "soon", code=2)
    puddle("systems", "log", "kept", "--lines", "0", code=2)
    puddle("systems", "terminate", "kept")


def test_users_alerts_and_the_trail(puddle: Shell) -> None:
    made = puddle.json(
        "users", "create", "grace", "--email", "grace@example.com", "--group", "team", "--group", "night"
    )
    assert (made["user"]["role"], made["user"]["groups"]) == ("ROLE_USER", ["team", "night"])
    puddle("users", "create", "grace", code=3)
    puddle("users", "create", "G R", code=4)
    assert "admin" in puddle("users", "create", "root2", "--admin", "--display-name", "The Other One")
    assert {user["user"]["name"] for user in puddle.json("users", "ls")} == {"admin", "grace", "root2"}

    assert "none" in puddle("users", "limits", "grace")
    assert "systems 3, cu 4" in puddle("users", "limits", "grace", "--systems", "3", "--cu", "4")
    told = puddle("users", "limits", made["user"]["id"], "--cu", "0", "--budget", "12.5")
    assert "systems 3, budget 12.5" in told
    assert "systems 3" in puddle("users", "ls")
    assert "there is no user 'gracie'; did you mean 'grace'?" in puddle("users", "limits", "gracie", code=1)
    assert "admin" in puddle("users", "update", "grace", "--role", "admin", "--group", "team")
    puddle("users", "update", "grace", "--role", "queen", code=2)
    assert puddle.json("users", "update", "grace", "--role", "user", "--group", "")["user"]["groups"] == []
    assert "not accepted" in puddle("users", "update", "grace", "--inactive")
    assert "ada@example.com" in puddle("users", "update", "grace", "--email", "ada@example.com")
    assert puddle.json("users", "update", "grace", "--display-name", "G")["user"]["email"] == "ada@example.com"
    assert puddle.json("users", "update", "grace", "--active", "--group", "team")["active"] is True
    puddle("users", "limits", "grace", "--budget", "much", code=4)
    puddle("users", "limits", "nobody", code=1)
    assert puddle.json("users", "limits", "team", "--group", "--running", "2")["limits"]["running"] == 2
    assert "running 2" in puddle("users", "limits", "team", "--group")
    assert "there is no group 'taem'; did you mean 'team'?" in puddle("users", "limits", "taem", "--group", code=1)
    assert "Nobody is in the group 'x-team' yet" in puddle("users", "limits", "x-team", "--group", "--running", "2")
    assert re.search(r"team +1  running 2", puddle("groups", "ls"))
    assert puddle.json("groups", "ls")[0]["name"] == "team"

    key = puddle.json("keys", "create", "hers", "--user", "grace")
    puddle("keys", "create", "nobody's", "--user", "nobody", code=1)
    hers = Shell({**puddle.environment, "PUDDLE_api_key_id": key["id"], "PUDDLE_api_secret_key": key["secret"]})
    assert hers.json("alerts", "ls") == []
    assert re.search(r"you +0 of 3 +0 +0 +0\.00 of 12\.50\n", hers("limits"))
    assert re.search(r"group team +0 +0 of 2 ", hers("limits"))
    assert hers.json("limits")["allowances"][0]["systems_limit"] == 3
    assert "administrator" in hers("users", "ls", code=1)
    assert "only administrators see everybody's systems" in hers("systems", "ls", "--all", code=1)
    assert "only administrators see everybody's systems" in hers("systems", "show", "admin/code", code=1)
    assert "You have no systems" in hers("systems", "ls")
    hers("alerts", "ack", "ntc-none", code=1)
    hers("alerts", "ack", code=2)
    assert "no alerts" in hers("alerts", "ack", "--all")
    assert {event["action"] for event in hers.json("events")} == {"login"}

    about = puddle.json("events", "--target", made["user"]["id"], "--actor", puddle.json("whoami")["id"])
    assert {event["action"] for event in about} == {"key.create", "user.create", "user.update"}
    assert all(isinstance(event["time"], int) for event in about)
    of_keys = puddle.json("events", "--target", made["user"]["id"], "--action", "key")
    assert [event["action"] for event in of_keys] == ["key.create"]
    assert puddle.json("events", "--action", "use") == []
    assert puddle.json("events", "--since", "1h", "--until", "now", "--limit", "1")
    puddle("events", "--since", "soon", code=2)
    assert len(puddle.json("events", "--limit", "3")) == 3
    assert "user.update" in puddle("events", "--target", made["user"]["id"], "--since", "2026-01-01T00:00")
    assert puddle.json("events", "--until", "2020-01-01") == []


def test_each_failure_has_its_code(puddle: Shell) -> None:
    puddle("images", "build", "simulated")
    puddle("systems", "create", "code", "--product", "simulated")
    assert "must be" in puddle("systems", "start", "code", code=3)
    puddle("systems", "create", "No", "--product", "simulated", code=4)
    puddle("systems", "create", "x", "--product", "simulated", "--image", "none", code=1)
    puddle("systems", "create", "x", "--product", "simulated", "--type", "none", code=1)
    near = puddle("systems", "create", "x", "--product", "simulated", "--type", "simulated-smal", code=1)
    assert "did you mean 'simulated-small'" in near
    puddle("systems", "create", "x", "--product", "simulated", "--idle", "often", code=2)
    puddle("systems", "create", "x", "--product", "simulated", "--snapshot", "none", code=1)
    assert "product is one of" in puddle("systems", "create", "x", "--product", "other", code=4)
    assert "administrators build one" in puddle("systems", "create", "x", "--product", "h2o3", code=1)
    for listing in ("systems", "images", "types"):
        assert "cloud is one of simulated, and not 'nowhere'" in puddle(listing, "ls", "--cloud", "nowhere", code=4)
    puddle("systems", "create", "x", "--product", "simulated", "--tag", "none", code=2)
    puddle("systems", "ls", "--watch", code=2)
    puddle("systems", "ls", "--watch", "--json", code=2)
    puddle("systems", "log", "code", "--follow", "--json", code=2)
    assert "there is no system 'cod'; did you mean 'code'?" in puddle("systems", "show", "cod", code=1)
    assert "code" in puddle("systems", "show", "admin/code")
    puddle("systems", "show", "ada/code", code=1)
    puddle("systems", "scale", "code", code=2)
    assert "must be initializing" in puddle("systems", "fail", "code", code=3)
    assert "restarting-dai, scaling" in puddle("systems", "wait", "code", "somewhere", code=2)
    assert "after 0 minutes" in puddle("systems", "wait", "code", "stopped", "--minutes", "0", code=1)
    puddle("systems", code=2)
    assert exit_code(SystemFailedError("x")) == exit_code(ImageFailedError("x")) == 5
    assert exit_code(KeyError("a mistake of ours")) is None
    puddle("systems", "terminate", "code")


@pytest.mark.slow
def test_what_is_gone_can_be_looked_back_at(puddle: Shell) -> None:
    puddle("images", "build", "simulated")
    puddle("systems", "create", "gone", "--product", "simulated")
    puddle("snapshots", "create", "gone", "kept-on")
    puddle("systems", "terminate", "gone")
    assert "gone" not in puddle("systems", "ls")
    assert re.search("gone +Terminated", puddle("systems", "ls", "--terminated"))
    assert "Terminated" in puddle("systems", "wait", "gone", "terminated")
    assert "Terminated" in puddle("systems", "show", "gone")
    assert set(puddle.json("systems", "cost", "admin/gone")) >= {"before", "disk_while_stopped", "altogether"}
    assert "system.terminated" in puddle("events", "--target", "gone")
    puddle("systems", "start", "gone", code=1)
    assert re.search("kept-on +admin +Available", puddle("snapshots", "ls", "--all"))
    assert [each["name"] for each in puddle.json("snapshots", "ls", "--system", "gone")] == ["kept-on"]
    puddle("snapshots", "ls", "--system", "gone", "--all", code=2)
    puddle("snapshots", "delete", "kept-on")


@pytest.mark.slow
def test_who_leaves_leaves_what_costs_and_that_is_told(puddle: Shell) -> None:
    puddle("images", "build", "simulated")
    puddle("users", "create", "leaver")
    key = puddle.json("keys", "create", "hers", "--user", "leaver")
    hers = Shell({**puddle.environment, "PUDDLE_api_key_id": key["id"], "PUDDLE_api_secret_key": key["secret"]})
    hers("systems", "create", "left", "--product", "simulated")
    hers("snapshots", "create", "left", "left-behind")
    assert "only its owner, leaver, is told" in puddle("systems", "credentials", "leaver/left", code=1)
    assert "did you mean 'leaver/left'" in puddle("systems", "stop", "left", code=1)
    told = puddle("users", "update", "leaver", "--inactive")
    assert "Still there: the system leaver/left, started." in told
    assert "Still there: 1 snapshot" in told
    assert {event["actor"]["name"] for event in puddle.json("events", "--actor", "leaver")} == {"leaver"}
    puddle("systems", "terminate", "leaver/left")
    (copy,) = (it for it in puddle.json("snapshots", "ls", "--all") if it["name"] == "left-behind")
    puddle("snapshots", "delete", copy["id"])
    assert "Still there: the system" not in puddle("users", "update", "leaver", "--inactive")


def test_keys_are_made_and_revoked(puddle: Shell) -> None:
    assert puddle.json("whoami")["name"] == "admin"
    made = puddle.json("keys", "create", "laptop", "--days", "7")
    assert made["secret"].startswith("ps_")
    listed = puddle.json("keys", "ls")
    assert [key["id"] for key in puddle.json("keys", "list")] == [key["id"] for key in listed]  # one is used meanwhile
    assert made["id"] in {key["id"] for key in listed}
    assert all("secret" not in key for key in listed)
    other = Shell({**puddle.environment, "PUDDLE_api_key_id": made["id"], "PUDDLE_api_secret_key": made["secret"]})
    assert "admin" in other("whoami")
    assert "revoked" in puddle("keys", "revoke", made["id"])
    assert puddle.json("keys", "revoke", made["id"])["revoked"] is True
    assert f"the key {made['id']}, from the environment" in other("whoami", code=1)
    assert "export PUDDLE_api_secret_key=ps_" in puddle("keys", "create", "other")


def test_a_login_is_kept_and_forgotten(puddle: Shell, tmp_path: Path) -> None:
    given = puddle.environment
    bare = Shell(
        {name: value for name, value in given.items() if not name.startswith("PUDDLE_") or name == "PUDDLE_CLOUD"}
    )
    assert "puddle login" in bare("whoami", code=1)
    assert "None is kept" in bare("logout")
    login = ("login", "--server", given["PUDDLE_server_address"], "--key-id", given["PUDDLE_api_key_id"])
    assert "the key pk_" in bare(*login, code=1, given="ps_wrong\n")
    assert "no secret" in bare(*login, code=1, given="\n")
    assert "is no address" in bare("login", "--server", "here", "--key-id", "pk_1", code=1, given="ps_1\n")
    assert "You are admin" in bare(*login, given=f"{given['PUDDLE_api_secret_key']}\n")
    kept = tmp_path / "puddle" / "login.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert given["PUDDLE_server_address"] in bare("whoami")
    changed = Shell({**bare.environment, "PUDDLE_api_key_id": "pk_other"})
    assert "the key pk_other, from the environment" in changed("whoami", code=1)
    assert "counts more" in changed(*login, given=f"{given['PUDDLE_api_secret_key']}\n")
    assert "removed" in bare("logout")
    assert not kept.exists()
    kept.write_text("{")
    assert "damaged" in bare("whoami", code=1)


def test_commands_after_one_another_log_in_once(puddle: Shell, tmp_path: Path) -> None:
    """The token goes from command to command; where it is worth nothing any more, the key is there."""
    user = puddle.json("users", "create", "often")["user"]["id"]
    key = puddle.json("keys", "create", "daily", "--user", "often")
    kept = Shell({name: value for name, value in puddle.environment.items() if not name.startswith("PUDDLE_api")})
    address = ("--server", puddle.environment["PUDDLE_server_address"])
    kept("login", *address, "--key-id", key["id"], given=f"{key['secret']}\n")
    logins = lambda: len(puddle.json("events", "--actor", user, "--action", "login"))  # noqa: E731 -- it is short

    token = tmp_path / "puddle" / "token.json"
    for _ in range(3):
        assert "often" in kept("whoami")
    assert logins() == 1  # that of `puddle login`
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    for damaged in ("{", "[]", json.dumps({**json.loads(token.read_text()), "token": "worthless"})):
        token.write_text(damaged)
        assert "often" in kept("whoami")
    assert logins() == 4
    assert "removed" in kept("logout")
    assert not token.exists()


def test_a_key_of_the_environment_leaves_nothing_behind(puddle: Shell, tmp_path: Path) -> None:
    puddle("whoami")
    assert not (tmp_path / "puddle").exists()


def test_a_kept_token_is_worth_nothing_once_its_key_is_revoked(puddle: Shell) -> None:
    key = puddle.json("keys", "create", "short")
    kept = Shell({name: value for name, value in puddle.environment.items() if not name.startswith("PUDDLE_api")})
    address = ("--server", puddle.environment["PUDDLE_server_address"])
    kept("login", *address, "--key-id", key["id"], given=f"{key['secret']}\n")
    kept("whoami")
    puddle("keys", "revoke", key["id"])
    assert f"the key {key['id']}, from" in kept("whoami", code=1)


def test_reports_are_made_and_read(puddle: Shell) -> None:
    assert "no reports" in puddle("reports", "ls")
    puddle("reports", "create", "2026-02-01", "2026-01-01", code=4)
    puddle("reports", "create", "the day before", code=2)
    puddle("reports", "create", "1d")
    assert puddle.json("reports", "create", "2026-01-01", "2026-02-01", "--by", "owner") == []
    told = puddle("reports", "create", "2026-01-01", "2026-02-01", "--all")
    assert "Total: 0.00" in told
    assert told.startswith("system_id,system_name")
    (report, *_) = puddle.json("reports", "ls")
    assert report["status"] == "REPORT_STATUS_READY"
    assert puddle.json("reports", "show", report["id"]) == []
    assert "ready" in puddle("reports", "ls")
