"""The configuration file: found, created, checked, overridden."""

from __future__ import annotations

import io
import logging
import pickle
import sys
import tomllib
from pathlib import Path

import pytest

from scannerpy.config import Config, mkdir_p, read_line
from scannerpy.errors import ConfigError, ScannerException


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_missing_file_is_created_with_the_defaults_and_nobody_is_asked(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # reading from it would raise EOFError
    path = tmp_path / "deep" / "config.toml"
    with caplog.at_level("WARNING", logger="scanner"):
        monkeypatch.setattr(logging.getLogger("scanner"), "propagate", True)
        config = Config(str(path))
    assert f"{path} did not exist" in caplog.text  # a mistyped path should not go unnoticed
    assert tomllib.loads(path.read_text()) == Config.default_config()
    assert config.db_path == str(tmp_path / "home" / ".scanner" / "db")
    assert (config.master_address, config.master_port, config.worker_port) == ("localhost", "5001", "5002")


def test_without_arguments_the_file_is_in_the_home_folder(tmp_path: Path) -> None:
    assert Config().config_path == str(tmp_path / "home" / ".scanner" / "config.toml") == Config.default_config_path()


def test_db_path_given_in_code_wins(tmp_path: Path) -> None:
    config = Config(db_path=str(tmp_path / "elsewhere"))
    assert config.db_path == config.storage_config["db_path"] == str(tmp_path / "elsewhere")


def test_ports_may_be_numbers(tmp_path: Path) -> None:
    text = '[storage]\ntype="posix"\ndb_path="/x"\n[network]\nmaster_port = 7001\n'
    assert Config(write(tmp_path / "c.toml", text)).master_port == "7001"


def test_the_network_table_is_optional(tmp_path: Path) -> None:
    assert Config(write(tmp_path / "c.toml", '[storage]\ntype="posix"\ndb_path="/x"\n')).worker_port == "5002"


def test_how_long_a_file_may_be_silent_can_be_set(tmp_path: Path) -> None:
    text = '[storage]\ntype="posix"\ndb_path="/x"\n'
    assert Config(write(tmp_path / "a.toml", text)).file_timeout == 60.0
    assert Config(write(tmp_path / "b.toml", text + "[ingest]\nfile_timeout = 5\n")).file_timeout == 5.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[storage]\ntype="posix"\ndb_path="/x"\n[ingest]\nfile_timeout = "soon"',
            "file_timeout is 'soon': give seconds",
        ),
        ("", r"no \[storage\]"),
        ('[storage]\ntype="posix"\n', "needs db_path"),
        ('[storage]\ntype="tape"\ndb_path="/x"\n', "'tape'"),
        ('[storage]\ntype="gcs"\ndb_path="/x"\n', "needs bucket"),
        ('[storage]\ntype="s3"\ndb_path="/x"\nbucket="b"\n', "region, endpoint"),
        ("not toml", "cannot read the configuration"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_its_path(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path / "c.toml", text)
    with pytest.raises(ConfigError, match=says) as caught:
        Config(path)
    assert path in str(caught.value)
    assert isinstance(caught.value, ScannerException)


def test_a_config_travels_to_other_processes(tmp_path: Path) -> None:
    config = Config(db_path=str(tmp_path))
    assert vars(pickle.loads(pickle.dumps(config))) == vars(config)


def test_read_line_and_mkdir_p(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert read_line("go on? ") == "yes"
    mkdir_p(str(tmp_path / "a" / "b"))
    mkdir_p(str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()
