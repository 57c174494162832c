"""Many trials: ``python -m tests.puddle.crash.hammer --trials 300 [--servers 2 --url postgresql+psycopg://…]``.

Without a URL each trial has a SQLite file of its own; with one, a database of its own is made beside it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.puddle.crash.trial import Trial


@contextmanager
def database(url: str, seed: int, folder: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if not url:
        yield f"sqlite:///{folder}/puddle.db"
        return
    name = f"trial_{seed}"
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        server.dispose()


def trial(seed: int, url: str = "", servers: int = 1, **how: Any) -> Trial:
    """Live through one trial. Raises AssertionError where something does not add up."""
    with tempfile.TemporaryDirectory(prefix="puddle-trial-") as folder, database(url, seed, folder) as own:
        history = Trial(seed, own, str(Path(folder, "world.db")), servers, **how)
        history.run()
        return history


def main() -> int:
    """Hammer; return how many trials went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--url", default="")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--naps", action="store_true", help="suspend every second server instead of killing it")
    parser.add_argument("--patience", type=float, default=0.3, help="seconds that servers may work before time goes on")
    options = parser.parse_args()
    how = {"naps": options.naps, "patience_s": options.patience}
    wrong, killed = 0, Counter[str]()
    for seed in range(options.first, options.first + options.trials):
        try:
            killed += trial(seed, options.url, options.servers, **how).killed
        except AssertionError:
            wrong += 1
            print(f"seed {seed}:", file=sys.stderr)
            traceback.print_exc()
        if (seed + 1 - options.first) % 25 == 0:
            print(f"{seed + 1 - options.first} trials, {wrong} wrong so far", file=sys.stderr, flush=True)
    print(f"{options.trials} trials, servers killed or suspended {killed.total()} times, {wrong} wrong")
    print(", ".join(f"{point} {times}" for point, times in killed.most_common()))
    return min(wrong, 125)


if __name__ == "__main__":
    sys.exit(main())
