"""Settings: nothing has to be set, each key is explained, and what is wrong is named by its key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from puddle._cli.settings_page import as_markdown
from puddle.server.domain.records import NEVER
from puddle.server.domain.rules import Rules
from puddle.server.settings import SettingsRefused, described, load, loading


@pytest.fixture(autouse=True)
def _untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests counts."""
    import os

    for name in [name for name in os.environ if name.upper().startswith("PUDDLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(loading, "DEFAULT_FILE", tmp_path / "usual.toml")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "puddle.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    found = load()
    assert found.data == Path("/somewhere/puddle")
    assert (found.server.host, found.server.port) == ("127.0.0.1", 8081)
    assert found.database_url() == "sqlite:////somewhere/puddle/puddle.db"
    assert found.clouds.local.enabled
    assert not found.clouds.simulated.enabled


def test_the_rules_that_come_are_those_of_a_fresh_installation() -> None:
    ours, theirs = load().rules(), Rules()
    for name in Rules.__slots__:
        if name not in {"naming", "prices"}:
            assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.naming.pattern.text == theirs.naming.pattern.text


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, 'data = "/d"\n[server]\nport = 1\nhost = "127.0.0.2"\nthreads = 3\n')
    monkeypatch.setenv("PUDDLE_SERVER__PORT", "2")
    assert load(path).server.port == 2
    found = load(path, server={"port": 3})
    assert (found.server.port, found.server.host, found.server.threads, found.data) == (3, "127.0.0.2", 3, Path("/d"))


def test_the_usual_file_counts_where_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loading, "DEFAULT_FILE", written(tmp_path, "[server]\nport = 9\n"))
    assert load().server.port == 9


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUDDLE_DATA", "/elsewhere")
    assert load().data == Path("/elsewhere")


def test_what_the_client_reads_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PUDDLE_api_key_id", "PUDDLE_API_SECRET_KEY", "PUDDLE_server_address", "PUDDLE_EXAMPLES"):
        monkeypatch.setenv(name, "x")
    assert load().server.port == 8081


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[server]\nport = 99999\n", "server.port: "),
        ("[server]\nprot = 1\n", "server.prot: there is no such setting; is it server.port?"),
        ("[sevrer]\nport = 1\n", "sevrer: there is no such setting"),
        ('[server]\ntrusted_proxies = ["*"]\n', "server.trusted_proxies: '*' does not appear to be"),
        ('[server]\ncert_file = "c"\n', "server: cert_file and key_file go together"),
        ("[idle]\ndefault = 17\n", "idle: default is one of the options' minutes"),
        ("[idle]\ndefault = 0\noptions = { at-once = 0 }\n", "idle: options are 1 minute at least"),
        ('[systems]\nname_pattern = "("\n', "systems: name_pattern: "),
        ("[systems]\ndisk_min_gb = 9\ndisk_max_gb = 8\n", "systems: disk_min_gb"),
        ('[clouds.local.prices]\ndisk_gb = "0.0000001"\n', "clouds.local.prices.disk_gb: "),
        ("[[instance_types]]\nvcpus = 1\n", "instance_types.0.name: "),
        ("[server\n", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(written(tmp_path, text))
    assert told in str(refused.value)


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(written(tmp_path, "[server]\nport = -1\nthreads = 0\n"))
    assert len(str(refused.value).splitlines()) == 2


def test_a_secret_is_not_in_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(written(tmp_path, '[database]\nurl = ["postgresql://puddle:hidden@host/puddle"]\n'))
    assert "hidden" not in str(refused.value)
    found = load(written(tmp_path, '[database]\nurl = "postgresql://puddle:hidden@host/puddle"\n'))
    assert "hidden" not in repr(found)
    assert "hidden" in found.database_url()


def test_a_list_in_the_environment_that_is_no_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUDDLE_SERVER__TRUSTED_PROXIES", "10.0.0.1")
    with pytest.raises(SettingsRefused, match=r"JSON|trusted_proxies"):
        load()
    monkeypatch.setenv("PUDDLE_SERVER__TRUSTED_PROXIES", '["10.0.0.1"]')
    assert load().server.trusted_proxies == ("10.0.0.1",)


@pytest.mark.parametrize(
    "text",
    [
        '[auth]\nmaster_keys = "a2V5"\n',
        'auth.master_keys = "a2V5"\n',
        '[database]\nurl = "postgresql+psycopg://puddle:hidden@db/puddle"\n',
        'database = {url = "postgresql+psycopg://puddle:hidden@db/puddle"}\n',
    ],
)
def test_a_file_with_secrets_that_everybody_can_read_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    path.chmod(0o644)
    with pytest.raises(SettingsRefused, match="chmod o-r") as refused:
        load(path)
    assert "hidden" not in str(refused.value)
    path.chmod(0o640)
    load(path)


@pytest.mark.parametrize(
    "text", ['[auth]\nmaster_keys_file = "k"\n', '[database]\nurl = "postgresql+psycopg://puddle@db/puddle"\n']
)
def test_a_file_without_secrets_may_be_read_by_everybody(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    path.chmod(0o644)
    load(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="is not there"):
        load(tmp_path / "nothing.toml")


def test_the_url_may_be_in_a_file(tmp_path: Path) -> None:
    held = tmp_path / "url"
    held.write_text("postgresql+psycopg://u:p@h/d\n")
    found = load(written(tmp_path, f'[database]\nurl_file = "{held}"\n'))
    assert found.database_url() == "postgresql+psycopg://u:p@h/d"
    held.unlink()
    with pytest.raises(SettingsRefused, match=r"database\.url_file"):
        found.database_url()


def test_prices_and_options_become_rules(tmp_path: Path) -> None:
    text = (
        '[clouds.local.prices]\ndisk_gb = "0.0001"\nbuild = 1\n'
        '[idle]\ndefault = -1\n[idle.options]\nNever = -1\n[systems.fixed_tags]\nowner = "us"\n'
    )
    rules = load(written(tmp_path, text)).rules()
    assert rules.prices["local"].disk_gb_micros == 100
    assert rules.prices["local"].build_micros == 1_000_000
    assert rules.idle_default == NEVER
    assert rules.fixed_tags == (("owner", "us"),)


def test_every_key_is_explained() -> None:
    found = list(described())
    assert len(found) > 50
    assert all(meaning.endswith((".", "in.")) for _, _, meaning in found), [key for key, _, m in found if not m]


def test_the_page_shows_every_key_and_defaults_that_are_toml() -> None:
    page = as_markdown()
    for key, default, _ in described():
        assert f"| `{key.rpartition('.')[2]}` |" in page
        if default:
            tomllib.loads(f"x = {default}")
