"""The listening socket, and the refusal of unsafe ones: no plain HTTP where others can reach it."""

from __future__ import annotations

import errno
import socket
import ssl

import structlog

from puddle.server.domain.addresses import is_loopback
from puddle.server.settings import Settings, SettingsRefused

_log = structlog.get_logger(__name__)


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket as configured. Raises SettingsRefused, also where that would be unsafe."""
    host, port = settings.server.host, settings.server.port
    _check_certificate(settings)
    if settings.server.allow_plain and not is_loopback(host) and not settings.server.cert_file:
        _log.warning("without TLS on an address that others can reach: a proxy in front has to have it", host=host)
    if not (is_loopback(host) or settings.server.cert_file or settings.server.allow_plain):
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


def address_of(settings: Settings, listening: socket.socket) -> str:
    """Return the URL of a server."""
    host, port = listening.getsockname()[:2]
    scheme = "https" if settings.server.cert_file else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
