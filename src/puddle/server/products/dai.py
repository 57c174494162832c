"""Driverless AI: a driver for the vendor's product, written from its public documentation.

The vendor's product needs a customer's licence and was never run with this driver. It is tested against a fake that is
named so (`puddle.testing.fake_dai`). What follows the documentation: the health API and its words, the environment
variables `DRIVERLESS_AI_*` that win over `config.toml`, the login by an htpasswd file, the licence file, the script
`run-dai.sh` of an installation. What is not documented, and so is ours: the address of a list of experiments
(`EXPERIMENTS`); a server that does not know it lists none.

An image is an installation an administrator has unpacked: `installations` is a folder with one folder a version. It
holds the vendor's software, which Puddle neither brings nor fetches.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from puddle.server.clouds.base import Endpoint, Recipe, Service, StepFailed
from puddle.server.domain.facts import Idleness, ProductFacts
from puddle.server.products.asking import PATIENCE, Site, Unanswered, ask, inside, truth, whole
from puddle.server.products.base import Experiment, SetUp
from puddle.server.products.dai_experiments import read_experiments
from puddle.server.products.logins import htpasswd
from puddle.server.products.running import has_ended, keep_running, needs, put, read_text, runs
from puddle.server.products.running import inside as get_in

HEALTH = "/apis/health/v1"
EXPERIMENTS = "/apis/experiments/v1"
START = "run-dai.sh"

CONFIG = "config.toml"
USERS = "htpasswd"
LICENCE = "license.sig"

LONGEST_CONFIG = 256 * 1024
EXPERIMENTS_LIMIT = 8 << 20
OURS = frozenset(
    {
        "additional_authentication_methods",
        "authentication_method",
        "data_directory",
        "enable_health_api",
        "ip",
        "local_htpasswd_file",
        "port",
    }
)
"""Settings that Puddle makes itself: without them it could neither reach a system nor let its owner in."""


class DriverlessAI:
    """The product. See `puddle.server.products.base.Product`."""

    id = "dai"
    label = "Driverless AI"
    auth_type = "local"
    ports: Mapping[str, int] = {"http": 12345, "ssh": 22}
    restartable = True

    def __init__(
        self,
        installations: str | Path,
        licence: bytes = b"",
        *,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> None:
        """`licence`: the content of the vendor's `license.sig`, for every system; empty where users bring their own."""
        self.recipe: Recipe = Installation(Path(installations))
        self._installations = Path(installations)
        self._licence = licence
        self._clock = clock
        self._patience = patience

    @property
    def versions(self) -> Sequence[str]:
        """The installations that are there."""
        found = (path.parent.name for path in self._installations.glob(f"*/{START}"))
        return tuple(sorted(found, key=_by_numbers, reverse=True))

    def check_config(self, config: str) -> str:
        """Return why a `config.toml` cannot be taken, or "". What its settings mean, the product knows."""
        if len(config) > LONGEST_CONFIG:
            return f"it is longer than {LONGEST_CONFIG} characters"
        try:
            ours = sorted(OURS & tomllib.loads(config).keys())
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            return f"it is not TOML: {error}"
        return f"{', '.join(ours)}: Puddle sets that itself; leave it out" if ours else ""

    # on the machine

    def set_up(self, endpoint: Endpoint, given: SetUp) -> None:
        """Bring login, licence and configuration, and start it unless it runs with just these."""
        self._bring(endpoint, given, anew=False)

    def restart(self, endpoint: Endpoint, given: SetUp) -> None:
        """Do the same, under this very token."""
        self._bring(endpoint, given, anew=True)

    def _bring(self, endpoint: Endpoint, given: SetUp, *, anew: bool) -> None:
        shell = get_in(endpoint, self.label)
        users = htpasswd(given.username, given.password)
        if given.config is not None:
            self._refuse(given.config)
            put(shell, CONFIG, given.config.encode())
        put(shell, USERS, users)
        if self._licence:
            put(shell, LICENCE, self._licence)
        needed = needs(endpoint, shell.read(CONFIG) or b"", users, self._licence)
        keep_running(shell, self.label, self._service(endpoint, given), needed, anew=anew)

    def _service(self, endpoint: Endpoint, given: SetUp) -> Service:
        settings = {
            "config_file": f"{{disk}}/{CONFIG}",
            "authentication_method": "local",
            "local_htpasswd_file": f"{{disk}}/{USERS}",
            "data_directory": "{disk}/data",
            "enable_health_api": "true",
            "ip": endpoint.host,
            "port": str(endpoint.ports["http"]),
            **({"license_file": f"{{disk}}/{LICENCE}"} if self._licence else {}),
        }
        environment = {f"DRIVERLESS_AI_{key.upper()}": value for key, value in settings.items()}
        return Service(command=("/bin/sh", f"{{image}}/{START}"), token=given.token, environment=environment)

    def upload_config(self, endpoint: Endpoint, config: str) -> None:
        """Put a configuration there; it counts from the next start."""
        self._refuse(config)
        put(get_in(endpoint, self.label), CONFIG, config.encode())

    def _refuse(self, config: str) -> None:
        if why := self.check_config(config):
            raise StepFailed("CONFIG", f"the configuration cannot be taken: {why}", for_ever=True)

    # from outside

    def look(self, endpoint: Endpoint, username: str, password: str) -> ProductFacts:
        """Ask its health API, which needs no login."""
        del username, password
        shell = endpoint.shell
        serving = shell.serving() if shell is not None else None
        token = serving.token if serving is not None else ""
        if shell is not None and not runs(shell, serving, needs(endpoint)):
            return ProductFacts(ready=False, token=token, ended=has_ended(serving))
        site = self._site(endpoint)
        try:
            health = ask(site, HEALTH)
            truth(health, "is_idle")
        except Unanswered:
            return ProductFacts(ready=False, token=token)
        config = None if shell is None else read_text(shell, CONFIG, LONGEST_CONFIG)
        return ProductFacts(ready=True, url=site.url, token=token, idleness=self._idleness(health), config=config)

    def experiments(self, endpoint: Endpoint, username: str, password: str) -> Sequence[Experiment]:
        """Return its experiments; none where it does not know the address. Raises StepFailed where it fails."""
        try:
            answer = ask(self._site(endpoint, username, password), EXPERIMENTS, EXPERIMENTS_LIMIT)
            return read_experiments(answer)
        except Unanswered as error:
            if error.status == 404:
                return ()
            raise StepFailed("UNREACHABLE", f"its experiments cannot be listed: {error}") from None

    def _site(self, endpoint: Endpoint, username: str = "", password: str = "") -> Site:
        port = endpoint.ports["http"]
        return Site(host=endpoint.host, port=port, username=username, password=password, patience=self._patience)

    def _idleness(self, health: object) -> Idleness | None:
        """Return what it says of its use; None where it does not say enough.

        Its clock may be wrong, so the last sign of use is counted back from its own present, and from ours.
        """
        try:
            running, scheduled = whole(health, "tasks", "running"), whole(health, "tasks", "scheduled")
            idle = max(0, _seconds(health, "timestamp") - _seconds(health, "last_system_interaction"))
            busy = not truth(health, "is_idle") or running + scheduled > 0
        except Unanswered:
            return None
        signals = (
            ("idle seconds", str(idle)),
            ("tasks running", str(running)),
            ("tasks scheduled", str(scheduled)),
            *_told(health, "active_users"),
            *_told(health, "utilization", "cpu"),
            *_told(health, "utilization", "gpu"),
            *_told(health, "utilization", "memory"),
        )
        return Idleness(last_activity=max(0, int(self._clock()) - idle), busy=busy, signals=signals)


def _by_numbers(version: str) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"\d+", version)], version


def _seconds(health: object, key: str) -> int:
    said = inside(health, key)
    try:
        moment = datetime.fromisoformat(said)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (TypeError, ValueError, OverflowError):
        raise Unanswered(f"{key} is not a time", 200) from None


def _told(health: object, *keys: str) -> tuple[tuple[str, str], ...]:
    """Return one signal, as far as it is a number: it only explains, and decides nothing."""
    try:
        whole(health, *keys)
    except Unanswered:
        return ()
    return ((" ".join(keys).replace("_", " "), f"{inside(health, *keys):g}"),)


class Installation:
    """The recipe: a copy of an installation that an administrator has unpacked."""

    def __init__(self, installations: Path) -> None:
        """`installations`: the folder with one folder a version."""
        self._installations = installations

    def build(self, version: str, folder: str, log: str) -> str:
        """Copy it into `folder`; return a checksum of all its files. Raises StepFailed."""
        source = self._installations / version
        with Path(log).open("a", encoding="utf-8") as lines:
            lines.write(f"building an image of Driverless AI {version}\n")
            if version not in {path.name for path in self._installations.iterdir()} or not (source / START).is_file():
                sentence = f"there is no installation of {version[:40]} here: unpack the vendor's, with its {START}"
                lines.write(f"failed: {sentence}\n")
                raise StepFailed("NOT_FOUND", sentence, for_ever=True)
            try:
                shutil.copytree(source, folder, dirs_exist_ok=True, symlinks=True)
            except OSError as error:  # shutil.Error, of which the text would be every single file, is one
                lines.write(f"failed: {error}\n")
                raise StepFailed(
                    "DISK_FULL", "the installation could not be copied; the build's log says why"
                ) from None
            digest = _checksum(Path(folder))
            lines.write(f"copied the installation of {version}, {digest}\n")
        return digest


def _checksum(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return f"sha256:{total.hexdigest()}"
