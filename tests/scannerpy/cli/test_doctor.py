"""`scanner doctor`: a page of facts, and the mend beside what is not as it should be."""

import json

import pytest
from typer.testing import CliRunner

from scannerpy import _doctor, cli

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def fresh_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SCANNER_DB_PATH", raising=False)
    monkeypatch.setattr(_doctor, "LEAST_FREE", 0)
    monkeypatch.setattr(_doctor, "LEAST_MEMORY", 0)


def wrong(tmp_path):
    return {finding.what: finding for finding in _doctor.examine(tmp_path / "db") if not finding.ok}


def test_this_machine_is_well_and_nothing_was_made(tmp_path):
    result = run(cli.app, ["doctor", "--db", str(tmp_path / "db")])
    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.stdout
    assert "decodes h264" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_for_machines(tmp_path):
    findings = json.loads(run(cli.app, ["doctor", "--json", "--db", str(tmp_path / "db")]).stdout)
    assert {"python", "codecs", "cores", "memory", "configuration", "database", "disk"} <= {f["what"] for f in findings}
    assert all(finding["ok"] for finding in findings)


def test_what_is_missing_has_its_mend(monkeypatch, tmp_path):
    monkeypatch.setattr(_doctor, "DECODERS", ("no_such_codec",))
    monkeypatch.setattr(_doctor, "LIBRARIES", {"no_such_module": "some-package"})
    monkeypatch.setattr(_doctor, "LEAST_FREE", 1 << 70)
    monkeypatch.setattr(_doctor, "LEAST_MEMORY", 1 << 70)
    found = wrong(tmp_path)
    assert set(found) == {"no_such_module", "codecs", "memory", "disk"}
    assert "no_such_codec" in found["codecs"].detail
    assert found["no_such_module"].mend == "pip install some-package"
    result = run(cli.app, ["doctor", "--db", str(tmp_path / "db")])
    assert result.exit_code == 1
    assert result.stdout.count("→") == 4


def test_a_broken_configuration_is_found(tmp_path):
    (tmp_path / "home" / ".scanner").mkdir(parents=True)
    (tmp_path / "home" / ".scanner" / "config.toml").write_text("[storage]\ntype = 'floppy'\n")
    assert "floppy" in wrong(tmp_path)["configuration"].detail


def test_a_database_is_counted_and_a_damaged_one_told(cl, tmp_path):
    cl.new_table("t", ["column"], [[b"a"]])
    [database] = [finding for finding in _doctor.examine(tmp_path / "db") if finding.what == "database"]
    assert "1 tables and 0 jobs" in database.detail
    (tmp_path / "db" / "scanner.json").write_text("nonsense")
    assert "damaged" in wrong(tmp_path)["database"].detail


def test_a_database_of_the_original_is_told(tmp_path):
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "db_metadata.bin").touch()
    assert "original" in wrong(tmp_path)["database"].detail


def test_a_key_that_others_can_read_is_told(tmp_path):
    key = tmp_path / "home" / ".scanner" / "signing.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"0" * 32)
    key.chmod(0o644)
    assert wrong(tmp_path)["signing key"].mend == f"chmod 600 {key}"
