"""The composition root: settings become one process that takes calls, makes wishes come true, and stops cleanly.

    settings → store, keyring, clouds, products → backend → api → the ASGI application, on uvicorn
                                                         ↘ loops of the reconciler, each in a thread of its own

When the process is asked to stop (SIGTERM, SIGINT) it takes no more calls, lets those in hand end, lets the loops give
their leases back, and goes. Machines stay as they are: the next server finds them.
"""

from __future__ import annotations

import errno
import os
import secrets
import signal
import socket
import ssl
import stat
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from puddle.server import installation
from puddle.server.api import Api
from puddle.server.api.rekeying import take_into_use
from puddle.server.auth.attempts import AttemptTerms, LoginLimiter
from puddle.server.auth.secrets import Keyring, KeysRefused
from puddle.server.auth.tokens import TokenTerms
from puddle.server.backend import Backend
from puddle.server.clouds.base import Provider
from puddle.server.products.base import Product
from puddle.server.reconcile.loop import Loop
from puddle.server.settings import Settings, SettingsRefused
from puddle.server.store import Store
from puddle.server.transports import connect, connections, watching
from puddle.server.transports.app import Application, Terms, Turning

_log = structlog.get_logger(__name__)
_LOOPS_END_S = 60.0


@dataclass(slots=True)
class Bell:
    """Wakes whoever wants to know of a wish that was written here."""

    listeners: list[Callable[[], None]] = field(default_factory=list)

    def ring(self) -> None:
        """Wake them."""
        for wake in self.listeners:
            wake()


class Turner:
    """One loop in a thread of its own, and how long ago it turned."""

    def __init__(self, backend: Backend, settings: Settings, number: int) -> None:
        """The thread starts with `start`."""
        terms = settings.reconciler
        self._loop = _Counted(backend, _holder(number), workers=terms.workers, batch=terms.batch, lease_s=terms.lease_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop.run, args=(self._stop,), name=f"reconcile-{number}")
        self.wake = self._loop.wake

    def start(self) -> None:
        """Begin to turn."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop.set()
        self._loop.wake()

    def join(self) -> None:
        """Wait until it has stopped; a call that hangs is not waited for for ever."""
        if self._thread.ident is None:
            return
        self._thread.join(_LOOPS_END_S)
        if self._thread.is_alive():
            _log.warning("a loop has not ended; its leases end by themselves", seconds=_LOOPS_END_S)

    @property
    def turns(self) -> int:
        """How many turns it made."""
        return self._loop.turns

    @property
    def age(self) -> float:
        """Seconds since its last turn, or since it was made."""
        return time.monotonic() - self._loop.last


class _Counted(Loop):
    """A loop that counts its turns; those that fail do not count."""

    turns = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last = time.monotonic()

    def turn(self, now: int) -> int:
        """See Loop."""
        moved = super().turn(now)
        self.turns += 1
        self.last = time.monotonic()
        return moved


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


def backend_of(settings: Settings, wake: Callable[[], None] = lambda: None) -> Backend:
    """Return the installation that settings describe; its database is not migrated. Raises SettingsRefused."""
    os.umask(0o077)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsRefused(f"data: the folder {settings.data} cannot be made: {error.strerror}") from None
    _check_folder(settings.data)
    products: dict[str, Product] = {}
    clouds: dict[str, Provider] = {}
    _add_local(settings, clouds, products)
    _add_dai(settings, products)
    _add_simulated(settings, clouds, products)
    return Backend(
        store=_store(settings),
        clouds=clouds,
        products=products,
        keyring=_keyring(settings),
        rules=settings.rules(),
        clock=time.time,
        wake=wake,
    )


def _check_folder(data: Path) -> None:
    """Refuse a folder in which others could put a database, a link or keys of their own."""
    found = data.stat()
    if found.st_mode & stat.S_IWOTH:
        raise SettingsRefused(f"data: anybody can write into {data}; `chmod o-w {data}`, and see what lies in it")
    if found.st_uid not in {os.geteuid(), 0}:
        raise SettingsRefused(f"data: {data} belongs to another user (uid {found.st_uid}); `chown` it")


def _hide_memory() -> None:
    """Product's programs run as our user: they shall not find keys in our memory or environment."""
    if sys.platform == "linux":
        from puddle.server.clouds.local.processes import hide_memory

        hide_memory()


def _add_local(settings: Settings, clouds: dict[str, Provider], products: dict[str, Product]) -> None:
    if settings.products.h2o3.enabled:
        from puddle.server.products.h2o3 import H2O3

        products["h2o3"] = H2O3()
    local = settings.clouds.local
    if local.enabled:
        from puddle.server.clouds.local import LocalCloud

        ports = range(local.first_port, local.last_port + 1)
        clouds["local"] = LocalCloud(local.folder or settings.data.absolute() / "local", ports=ports)


def _add_dai(settings: Settings, products: dict[str, Product]) -> None:
    dai = settings.products.dai
    if dai.installations is None:
        return
    from puddle.server.products.dai import DriverlessAI

    if not dai.installations.is_dir():
        raise SettingsRefused(f"products.dai.installations: {dai.installations} is no folder")
    try:
        licence = dai.license_file.read_bytes() if dai.license_file else b""
    except OSError as error:
        raise SettingsRefused(
            f"products.dai.license_file: {dai.license_file} cannot be read: {error.strerror}"
        ) from None
    products["dai"] = DriverlessAI(dai.installations.absolute(), licence)


def _add_simulated(settings: Settings, clouds: dict[str, Provider], products: dict[str, Product]) -> None:
    if not settings.clouds.simulated.enabled:
        return
    from puddle.server.clouds.simulated import FileWorld, SimulatedCloud
    from puddle.server.products.simulated import SimulatedProduct

    world = FileWorld(settings.data.absolute() / "simulated.db")
    clouds["simulated"] = SimulatedCloud(world, time.time)
    products["simulated"] = SimulatedProduct(world, time.time)


def _store(settings: Settings) -> Store:
    try:
        return Store(settings.database_url())
    except Exception as error:  # noqa: BLE001 -- a driver may be missing, an option wrong: it cannot be used
        raise SettingsRefused(f"database.url cannot be used: {type(error).__name__}; it is left out here") from None


def _keyring(settings: Settings) -> Keyring:
    file = settings.keys_file()
    try:
        if file is None:
            return Keyring.from_text(settings.auth.master_keys.get_secret_value())
        return Keyring.load_or_create(file)
    except KeysRefused as refused:
        raise SettingsRefused(f"auth.master_keys: {refused}") from None


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


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where settings say. Raises SettingsRefused, also where that would be unsafe."""
    host, port = settings.server.host, settings.server.port
    _check_certificate(settings)
    if settings.server.allow_plain and not _is_loopback(host) and not settings.server.cert_file:
        _log.warning("without TLS on an address that others can reach: a proxy in front has to have it", host=host)
    if not (_is_loopback(host) or settings.server.cert_file or settings.server.allow_plain):
        raise SettingsRefused(
            f"server.host: {host} can be reached by others, and there is no TLS; give server.cert_file and "
            "server.key_file, or set server.allow_plain where a proxy in front has TLS"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]
        other = "; does another server run there? --port takes another" if error.errno == errno.EADDRINUSE else ""
        raise SettingsRefused(f"server.port: {host}:{port} cannot be listened on: {why}{other}") from None


def _check_certificate(settings: Settings) -> None:
    given = settings.server
    if given.cert_file is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(given.cert_file, given.key_file)
    except OSError as error:  # also what is no certificate, or has another key
        raise SettingsRefused(
            f"server.cert_file, server.key_file: {given.cert_file} and {given.key_file} are no certificate with its "
            f"key, in PEM and readable for us: {error.strerror or error}"
        ) from None


def address(settings: Settings, listening: socket.socket) -> str:
    """Return the URL of a server."""
    host, port = listening.getsockname()[:2]
    scheme = "https" if settings.server.cert_file else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def version() -> str:
    """Return the version of this distribution."""
    try:
        return version_of("scanner-puddle")
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _holder(number: int) -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{number}:{secrets.token_hex(4)}"


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
