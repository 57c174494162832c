"""What the tests of the public API share: a database of their own, a client, small clips that carry their frame
numbers.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.clips import write_clip

# A busy machine takes its time, and what one run finds the next one must find too. Other examples are drawn with
# `pytest --hypothesis-profile default`.
settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start background jobs; programs under test inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_config(folder: Path) -> Path:
    """Write a configuration whose database lies in `folder`, as a user would at ``~/.scanner/config.toml``."""
    path = folder / ".scanner" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    ports = f'master_port = "{free_port()}"\nworker_port = "{free_port()}"'
    path.write_text(f'[storage]\ntype = "posix"\ndb_path = "{folder}/db"\n[network]\nmaster = "localhost"\n{ports}\n')
    return path


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder of the tests' own: nothing is read from or written to that of whoever runs them."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        yield folder


@pytest.fixture
def config(tmp_path: Path) -> Any:
    """A configuration with an empty database."""
    import scannerpy as sp

    return sp.Config(config_path=str(write_config(tmp_path)))


@pytest.fixture
def cl(config: Any) -> Iterator[Any]:
    """A client that runs everything in this process."""
    import scannerpy as sp

    with sp.Client(config=config, debug=True) as client:
        yield client


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that makes a numbered clip (once per session and arguments) and gives its path."""
    folder = tmp_path_factory.mktemp("clips")
    made: dict[tuple[Any, ...], str] = {}

    def make(frames: int = 30, **options: Any) -> str:
        key = (frames, *sorted(options.items()))
        if key not in made:
            made[key] = str(write_clip(folder / f"clip{len(made)}.mp4", frames, **options))
        return made[key]

    return make
