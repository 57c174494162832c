"""A product that is only thought of, for the simulated cloud: ready when a test says, used as a test says.

It speaks to its machine through the Shell, as the real ones do: credentials and configuration are files on the data
disk, and the service is served there. What it says of itself (idleness, failure, experiments) is kept in the cloud's
world, so it is the same in each process that shares the world.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from puddle.server.clouds.base import Endpoint, Recipe, Service, StepFailed
from puddle.server.clouds.simulated import SimulatedShell, World
from puddle.server.domain.facts import Idleness, ProductFacts
from puddle.server.products.base import Experiment, SetUp

CONFIG = "config.toml"
CREDENTIALS = "credentials.json"


class SimulatedRecipe:
    """See Recipe: one small file."""

    def build(self, version: str, folder: str, log: str) -> str:
        """See Recipe."""
        content = f"the simulated product, {version}\n"
        Path(log).write_text(f"building {version}\ndone\n")
        Path(folder, "product").write_text(content)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What the product of one system is to say. `last_activity` 0: since it was started.

    `hidden`: it is ready, but does not tell of its use. `silent`: it does not answer at all. `failure`: why it cannot
    come up.
    """

    last_activity: int = 0
    busy: bool = False
    hidden: bool = False
    silent: bool = False
    failure: str = ""
    experiments: tuple[Experiment, ...] = ()


@dataclass
class SimulatedProduct:
    """See Product. It is ready `ready_after` seconds after it was started on a machine that is up."""

    world: World
    clock: Callable[[], float]
    ready_after: float = 0.0
    id: str = "simulated"
    label: str = "Simulated"
    auth_type: str = "basic"
    ports: Mapping[str, int] = field(default_factory=lambda: {"http": 8080})
    restartable: bool = True
    versions: Sequence[str] = ("2.0", "1.0")
    recipe: Recipe = field(default_factory=SimulatedRecipe)

    # what tests say

    def play(self, system_id: str, **changes: object) -> None:
        """Let the product of a system say something else from now on: the fields of `Play`."""
        with self.world.open() as things:
            before = things.get("plays", system_id) or Play()
            things.put("plays", system_id, replace(before, **changes))

    def used(self, system_id: str) -> None:
        """Let somebody use it now."""
        self.play(system_id, last_activity=int(self.clock()))

    # Product

    def check_config(self, config: str) -> str:
        """See Product: it must be TOML."""
        try:
            tomllib.loads(config)
        except tomllib.TOMLDecodeError as error:
            return f"it is not TOML: {error}"
        return ""

    def set_up(self, endpoint: Endpoint, given: SetUp) -> None:
        """See Product."""
        shell = self._bring(endpoint, given)
        stands = shell.serving()
        if stands is None or not stands.running:
            shell.serve(_service(given.token))

    def restart(self, endpoint: Endpoint, given: SetUp) -> None:
        """See Product."""
        self._bring(endpoint, given).serve(_service(given.token))

    def upload_config(self, endpoint: Endpoint, config: str) -> None:
        """See Product."""
        _shell(endpoint).write(CONFIG, config.encode())

    def look(self, endpoint: Endpoint, username: str, password: str) -> ProductFacts:
        """See Product. With other credentials than it was given it is ready, but does not tell of its use."""
        shell = _shell(endpoint)
        play, stands, config = self._play(shell.system_id), shell.serving(), shell.read(CONFIG)
        if stands is None:
            return ProductFacts(ready=False)
        if not stands.running:
            return ProductFacts(
                ready=False, token=stands.token, failure=f"it ended with {stands.exit_code}", ended=True
            )
        said = ProductFacts(
            ready=shell.serving_for() >= self.ready_after and not play.silent and not play.failure,
            url=f"http://{endpoint.host}:{endpoint.ports['http']}",
            token=stands.token,
            config=None if config is None else config.decode(),
            failure=play.failure,
        )
        told = said.ready and not play.hidden and shell.read(CREDENTIALS) == _credentials(username, password)
        return replace(said, idleness=self._idleness(play, shell)) if told else said

    def experiments(self, endpoint: Endpoint, username: str, password: str) -> Sequence[Experiment]:
        """See Product. Raises StepFailed REFUSED with other credentials than it was given."""
        shell = _shell(endpoint)
        if shell.read(CREDENTIALS) != _credentials(username, password):
            raise StepFailed("REFUSED", "the product does not know this user")
        return self._play(shell.system_id).experiments

    def _bring(self, endpoint: Endpoint, given: SetUp) -> SimulatedShell:
        shell = _shell(endpoint)
        shell.write(CREDENTIALS, _credentials(given.username, given.password))
        if given.config is not None:
            shell.write(CONFIG, given.config.encode())
        return shell

    def _play(self, system_id: str) -> Play:
        with self.world.open() as things:
            return things.get("plays", system_id) or Play()

    def _idleness(self, play: Play, shell: SimulatedShell) -> Idleness:
        started = int(self.clock() - shell.serving_for())
        return Idleness(
            last_activity=play.last_activity or started, busy=play.busy, signals=(("running", str(int(play.busy))),)
        )


def _shell(endpoint: Endpoint) -> SimulatedShell:
    if not isinstance(endpoint.shell, SimulatedShell):
        raise StepFailed("REFUSED", "the simulated product runs on the simulated cloud only", for_ever=True)
    return endpoint.shell


def _service(token: str) -> Service:
    return Service(command=("{image}/product", "--data", "{disk}"), token=token)


def _credentials(username: str, password: str) -> bytes:
    return json.dumps({"username": username, "password": password}).encode()
