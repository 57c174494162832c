"""What a product plug-in must be able to do.

A product knows its ports, how it is set up on a machine, when it is ready, whether it is used, and where its
experiments are. It speaks to a machine through the `Endpoint` its cloud gives, and knows no cloud.

`puddle.testing.products` has the conformance suite that every product passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from puddle.server.clouds.base import Endpoint, Recipe
from puddle.server.domain.facts import ProductFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What a product is given on a machine. Doing it twice does no harm; `token` names the step.

    `config` is None where what lies on the machine is to stay. `name` is the system's.
    """

    system_id: str
    name: str
    token: str
    config: str | None
    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A model or experiment, as `DriverlessAIModel` shows it."""

    id: str
    description: str = ""
    dataset: str = ""
    target: str = ""
    scorer: str = ""
    accuracy: int = 0
    time: int = 0
    interpretability: int = 0
    score: float = 0.0
    test_score: float = 0.0
    progress: float = 0.0
    training_duration: float = 0.0
    status: int = 0
    created: int = 0
    updated: int = 0


class Product(Protocol):
    """A product. Methods that speak to a machine raise StepFailed where they cannot.

    `restartable`: it can be restarted without its machine. `auth_type`: how people log in to it ("basic", "local",
    "none").
    """

    id: str
    label: str
    auth_type: str
    ports: Mapping[str, int]
    restartable: bool
    recipe: Recipe

    @property
    def versions(self) -> Sequence[str]:
        """What can be built now, newest first."""

    def check_config(self, config: str) -> str:
        """Return why a configuration cannot be taken, or "" where it can."""

    def set_up(self, endpoint: Endpoint, given: SetUp) -> None:
        """Bring credentials and, if given, the configuration to the machine, and start the product unless it runs."""

    def restart(self, endpoint: Endpoint, given: SetUp) -> None:
        """Do as `set_up` and restart the product (not its machine), once per token."""

    def upload_config(self, endpoint: Endpoint, config: str) -> None:
        """Put a configuration on the machine; it counts from the next start of the product."""

    def look(self, endpoint: Endpoint, username: str, password: str) -> ProductFacts:
        """Ask it how it stands. What does not answer is "not ready", not an error; times are the product's own."""

    def experiments(self, endpoint: Endpoint, username: str, password: str) -> Sequence[Experiment]:
        """Return what is listed on it; empty where the product lists nothing."""
