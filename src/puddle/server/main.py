"""The composition root: settings become one process that serves the API, runs the reconciler, and stops cleanly.

    settings → store, keyring, clouds, products → backend → api → the ASGI application, on uvicorn
                                                         ↘ loops of the reconciler, each in a thread of its own

On SIGTERM or SIGINT it accepts no more calls, finishes those in progress, releases the reconciler's leases, and exits.
Machines stay as they are: the next server finds them.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import structlog
import uvicorn

from puddle.server import installation
from puddle.server.api import Api
from puddle.server.api.rekeying import take_into_use
from puddle.server.assembly import backend_of
from puddle.server.auth.attempts import AttemptLimits, LoginLimiter
from puddle.server.auth.memory import hide_memory
from puddle.server.auth.tokens import TokenLifetimes
from puddle.server.settings import Settings, SettingsRefused
from puddle.server.transports import connections
from puddle.server.transports.app import Application, Limits, ReconcilerStats
from puddle.server.transports.connect import CallLimits
from puddle.server.transports.watching import StreamLimits
from puddle.server.turning import LoopThread, Notifier

_log = structlog.get_logger(__name__)


class Server:
    """One server process, not running yet. `key`: the first administrator's, where the database was empty."""

    def __init__(self, settings: Settings, anew: Collection[str] = ()) -> None:
        """Open and migrate the database. `anew`: clouds whose machines may be lost. Raises SettingsRefused."""
        self.settings = settings
        self._wishes = Notifier()
        self.backend = backend_of(settings, self._wishes.notify)
        try:
            self._open_database(anew)
            self.api = Api(self.backend, limiter=_limiter(settings), tokens=_tokens(settings))
            self.key = installation.prepare(self.api, settings)
        except BaseException:
            self.backend.store.close()
            raise
        if "local" in self.backend.clouds and os.geteuid() == 0:
            _log.warning("systems of the local cloud run as root, as this server does: give it a user of its own")
        self._loops = [LoopThread(self.backend, settings, number) for number in range(settings.reconciler.loops)]
        stats = ReconcilerStats(age=self._age, turns=lambda: sum(loop.turns for loop in self._loops))
        self.app = Application(self.api, version=version(), reconciler=stats, limits=_limits(self))
        self._wishes.listeners += [loop.wake for loop in self._loops]
        self._wishes.listeners.append(self.app.streams.hub.wake)

    def run(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        """Serve on a socket until the process is asked to stop. `ready` is called before the first call is taken."""
        hide_memory()
        web = uvicorn.Server(web_config(self.settings, self.app))
        for loop in self._loops:
            loop.start()
        try:
            with _stopping_on_signals(web):
                ready()
                web.run(sockets=[listening])
        finally:
            self.close()

    def close(self) -> None:
        """Stop the loops and close the database."""
        for loop in self._loops:
            loop.stop()
        for loop in self._loops:
            loop.join()
        self.backend.store.close()

    def _open_database(self, anew: Collection[str]) -> None:
        self.backend.store.migrate()
        self.backend.compare_clocks()
        installation.settle(self.backend, anew=anew)
        take_into_use(self.backend.store, self.backend.keyring)

    def _age(self) -> float | None:
        return max((loop.age for loop in self._loops), default=None)


def _limiter(settings: Settings) -> LoginLimiter:
    limits = AttemptLimits(per_key=settings.auth.failures_per_key, per_address=settings.auth.failures_per_address)
    try:
        return LoginLimiter(limits)
    except ValueError as error:
        raise SettingsRefused(f"auth.failures_per_key, auth.failures_per_address: {error}") from None


def _tokens(settings: Settings) -> TokenLifetimes:
    return TokenLifetimes(lifetime=60 * settings.auth.token_minutes, session=3600 * settings.auth.session_hours)


def _limits(server: Server) -> Limits:
    given = server.settings.server
    calls = CallLimits(
        threads=given.threads,
        queued=given.waiting,
        max_bytes=given.most_bytes,
        inline_reads=server.backend.store.engine.dialect.name == "sqlite",
    )
    return Limits(calls=calls, streams=StreamLimits(per_user=given.streams_per_user))


def web_config(settings: Settings, app: Application) -> uvicorn.Config:
    """Return how uvicorn serves the application."""
    given = settings.server
    return uvicorn.Config(
        app,
        http=connections.protocol(given.connections_per_address, given.trusted_proxies),
        h11_max_incomplete_event_size=connections.MAX_HEAD_BYTES,
        log_config=None,
        log_level="error",  # clients could cause any number of warnings
        access_log=False,
        server_header=False,
        proxy_headers=bool(given.trusted_proxies),
        forwarded_allow_ips=list(given.trusted_proxies),
        limit_concurrency=given.connections,
        timeout_graceful_shutdown=given.drain_s,
        ssl_certfile=given.cert_file,
        ssl_keyfile=given.key_file,
        ws="none",
    )


def version() -> str:
    """Return the version of this distribution."""
    try:
        return version_of("scanner-puddle")
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"


@contextmanager
def _stopping_on_signals(web: uvicorn.Server) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop the web server, also before uvicorn installs its own handlers."""

    def stop(*_: object) -> None:
        web.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
