"""What a product plug-in must be able to do.

A product knows its ports, how it is set up on a machine, when it is ready, whether it is used, and where its
experiments are. It speaks to a machine through an `Endpoint`, which its cloud gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from puddle.server.clouds.base import Endpoint
from puddle.server.domain.facts import ProductFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What a product is given on a machine. Doing it twice does no harm; `token` names the step."""

    system_id: str
    token: str
    image_folder: str
    config: str
    username: str
    password: str
    memory_gb: float
    vcpus: float


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


class Recipe(Protocol):
    """How an image of a version is made: into a folder, its log written as it goes."""

    def build(self, version: str, folder: str, log: str) -> str:
        """Fill `folder`; return a checksum of what systems will run. Raises StepFailed."""


class Product(Protocol):
    """A product. Methods that speak to a machine raise StepFailed where they cannot."""

    id: str
    label: str
    auth_type: str
    ports: Mapping[str, int]
    restartable: bool
    recipe: Recipe

    def check_config(self, config: str) -> str:
        """Return why a configuration cannot be taken, or "" where it can."""

    def set_up(self, endpoint: Endpoint, given: SetUp) -> None:
        """Bring configuration and credentials to the machine, and start the product unless it runs."""

    def restart(self, endpoint: Endpoint, given: SetUp) -> None:
        """Restart the product and not its machine, once per token."""

    def look(self, endpoint: Endpoint, username: str, password: str) -> ProductFacts:
        """Ask it how it stands."""

    def experiments(self, endpoint: Endpoint, username: str, password: str) -> Sequence[Experiment]:
        """Return what is listed on it; empty where the product lists nothing."""
