"""Rate limits on failed logins, per API key and per client address.

Nobody guesses secrets of 256 bits; the limits keep the load of trying down. Only failures count. The limit
of a key is loose, since others can fail in its owner's name and lock them out; the limit of an address is what slows an
attacker down. A success resets the key's failures but never the address's, or one valid key would pay for any number of
attempts at others.

Nobody who has logged in to this process before is locked out by others, who fail in their name or from an address they
share (behind one proxy, on one computer): a secret that was valid is verified again whatever the limits say.

The notation of limits ("30 per 5 minutes") is that of the `limits` library. Its in-memory storage is not used: it reads
the clock by itself, runs a thread, and forgets no subject that ever failed, of which strangers can make up as many as
they like. Here `now` is given, and memory is bounded. Each server process counts for itself.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock

from limits import RateLimitItem, parse

from puddle.server.errors import TooMany

_SUBJECT = 128  # characters that are told apart: ids and addresses are shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """How many logins may fail, and of how many keys and addresses (each) that is remembered."""

    per_key: str = "30 per 5 minutes"
    per_address: str = "60 per 5 minutes"
    remembered: int = 10_000


class LoginLimiter:
    """Refuses logins after too many failures. Safe to use from several threads.

    `check` comes before a secret is verified, then `failed` or `succeeded`. Attempts that are being verified at the
    same moment are not counted yet, so as many as a server verifies at once may get past a limit.
    """

    def __init__(self, limits: AttemptLimits | None = None) -> None:
        """Raises ValueError where a limit cannot be parsed."""
        limits = limits or AttemptLimits()
        self._keys = _Windows(parse(limits.per_key), limits.remembered)
        self._addresses = _Windows(parse(limits.per_address), limits.remembered)
        self._good = _Good(limits.remembered)
        self._lock = Lock()

    def check(self, key_id: str, secret: str, address: str, now: int) -> None:
        """Raise TooMany where this key or this client has failed too often; it says how long to wait."""
        with self._lock:
            if self._good.has(key_id, secret):
                return
            wait = max(self._keys.wait(key_id[:_SUBJECT], now), self._addresses.wait(_client(address), now))
        if wait:
            raise TooMany(f"too many failed logins; try again in {wait} seconds", wait)

    def failed(self, key_id: str, secret: str, address: str, now: int) -> None:
        """Count a failure."""
        with self._lock:
            self._good.forget(key_id, secret)  # a key that was revoked, say
            self._keys.add(key_id[:_SUBJECT], now)
            self._addresses.add(_client(address), now)

    def succeeded(self, key_id: str, secret: str) -> None:
        """Forgive a key its failures."""
        with self._lock:
            self._keys.clear(key_id[:_SUBJECT])
            self._good.add(key_id, secret)


class _Good:
    """Secrets that were good, as digests that mean nothing to any other process; the oldest are forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._salt = secrets.token_bytes(32)
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def has(self, key_id: str, secret: str) -> bool:
        return self._digest(key_id, secret) in self._digests

    def add(self, key_id: str, secret: str) -> None:
        digest = self._digest(key_id, secret)
        self._digests[digest] = None
        self._digests.move_to_end(digest)
        while len(self._digests) > self._most:
            self._digests.popitem(last=False)

    def forget(self, key_id: str, secret: str) -> None:
        self._digests.pop(self._digest(key_id, secret), None)

    def _digest(self, key_id: str, secret: str) -> bytes:
        return hashlib.blake2b(f"{key_id}\0{secret}".encode(errors="surrogatepass"), key=self._salt).digest()


class _Windows:
    """When each subject failed, the one that failed last at the end; the others are forgotten first."""

    def __init__(self, item: RateLimitItem, most: int) -> None:
        self._amount, self._seconds, self._most = item.amount, item.get_expiry(), max(1, most)
        self._times: OrderedDict[str, deque[int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._times)

    def wait(self, subject: str, now: int) -> int:
        """Return after how many seconds it may try again; 0 is now."""
        times = self._times.get(subject)
        if times is None or len(times) < self._amount:
            return 0
        left = times[0] + self._seconds - now
        return left if 0 < left <= self._seconds else 0  # or else the clock was put back, and we would wait for it

    def add(self, subject: str, now: int) -> None:
        """Count one more; of more than the limit the newest are kept."""
        times = self._times.setdefault(subject, deque(maxlen=self._amount))
        times.append(now)
        self._times.move_to_end(subject)
        self._forget(now)

    def clear(self, subject: str) -> None:
        self._times.pop(subject, None)

    def _forget(self, now: int) -> None:
        while len(self._times) > self._most or self._last_of_oldest() <= now - self._seconds:
            self._times.popitem(last=False)

    def _last_of_oldest(self) -> int:
        return next(iter(self._times.values()))[-1]


def _client(address: str) -> str:
    """Return who is behind an address: of IPv6 its /64, since whoever has one address there has them all."""
    try:
        parsed = ip_address(address)
    except ValueError:  # no IP address: a socket's path, say
        return address[:_SUBJECT]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(IPv6Network((int(parsed), 64), strict=False))
