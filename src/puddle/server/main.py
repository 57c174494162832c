"""The composition root: settings become one process that takes calls, makes wishes come true, and stops cleanly.

    settings → store, keyring, clouds, products → backend → api → the ASGI application, on uvicorn
                                                         ↘ loops of the reconciler, each in a thread of its own

When the process is asked to stop (SIGTERM, SIGINT) it takes no more calls, lets those in hand end, lets the loops give
their leases back, and goes. Machines stay as they are: the next server finds them.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

import structlog
import uvicorn

from puddle.server import installation
from puddle.server.api import Api
from puddle.server.api.rekeying import take_into_use
from puddle.server.assembly import backend_of
from puddle.server.auth.attempts import AttemptTerms, LoginLimiter
from puddle.server.auth.tokens import TokenTerms
from puddle.server.settings import Settings, SettingsRefused
from puddle.server.transports import connect, connections, watching
from puddle.server.transports.app import Application, Terms, Turning
from puddle.server.turning import Bell, Turner

_log = structlog.get_logger(__name__)


class Server:
    """One server process, put together and not running yet. `key`: the first administrator's, on an empty database."""

    def __init__(self, settings: Settings, anew: Collection[str] = ()) -> None:
        """Open and migrate the database. `anew`: clouds that may have been lost. Raises SettingsRefused."""
        self.settings = settings
        self._bell = Bell()
        self.backend = backend_of(settings, self._bell.ring)
        self.backend.store.migrate()
        installation.settle(self.backend, anew=anew)
        take_into_use(self.backend.store, self.backend.keyring)
        if "local" in self.backend.clouds and os.geteuid() == 0:
            _log.warning("systems of the local cloud run as root, as this server does: give it a user of its own")
        self.api = Api(self.backend, limiter=_limiter(settings), tokens=_tokens(settings))
        self.key = installation.prepare(self.api, settings)
        self._turners = [Turner(self.backend, settings, number) for number in range(settings.reconciler.loops)]
        turning = Turning(age=self._age, turns=lambda: sum(turner.turns for turner in self._turners))
        self.app = Application(self.api, version=version(), turning=turning, terms=_terms(self))
        self._bell.listeners += [turner.wake for turner in self._turners]
        self._bell.listeners.append(self.app.streams.hub.wake)

    def run(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        """Serve on a socket until the process is asked to stop. `ready` is called before the first call is taken."""
        _hide_memory()
        web = uvicorn.Server(_web(self.settings, self.app))
        for turner in self._turners:
            turner.start()
        try:
            with _stopping(web):
                ready()
                web.run(sockets=[listening])
        finally:
            self.close()

    def close(self) -> None:
        """Stop the loops and let the database go."""
        for turner in self._turners:
            turner.stop()
        for turner in self._turners:
            turner.join()
        self.backend.store.close()

    def _age(self) -> float | None:
        return max((turner.age for turner in self._turners), default=None)


def _limiter(settings: Settings) -> LoginLimiter:
    terms = AttemptTerms(per_key=settings.auth.failures_per_key, per_address=settings.auth.failures_per_address)
    try:
        return LoginLimiter(terms)
    except ValueError as error:
        raise SettingsRefused(f"auth.failures_per_key, auth.failures_per_address: {error}") from None


def _tokens(settings: Settings) -> TokenTerms:
    return TokenTerms(lifetime=60 * settings.auth.token_minutes, session=3600 * settings.auth.session_hours)


def _terms(server: Server) -> Terms:
    given = server.settings.server
    at_once = server.backend.store.engine.dialect.name == "sqlite"
    calls = connect.Terms(threads=given.threads, waiting=given.waiting, most_bytes=given.most_bytes, at_once=at_once)
    return Terms(calls=calls, streams=watching.Terms(per_user=given.streams_per_user))


def _web(settings: Settings, app: Application) -> uvicorn.Config:
    given = settings.server
    return uvicorn.Config(
        app,
        http=connections.protocol(given.connections_per_address, given.trusted_proxies),
        h11_max_incomplete_event_size=connections.MOST_BYTES_OF_HEAD,
        log_config=None,
        log_level="error",  # of warnings strangers could make as many as they like
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


def _hide_memory() -> None:
    """Product's programs run as our user: they shall not find keys in our memory or environment."""
    if sys.platform == "linux":
        from puddle.server.clouds.local.processes import hide_memory

        hide_memory()


class _stopping:  # noqa: N801 -- reads as what it does
    """A signal ends the web server, also before uvicorn listens to them; the process then goes on to end its loops."""

    def __init__(self, web: uvicorn.Server) -> None:
        self._web = web
        self._before: Mapping[int, Any] = {}

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self._web.should_exit = True
