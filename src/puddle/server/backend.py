"""What both halves of the server stand on: the API that takes wishes, and the reconciler that fulfils them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from puddle.server.auth.secrets import Keyring
from puddle.server.clouds.base import Provider
from puddle.server.domain.rules import Rules
from puddle.server.products.base import Product
from puddle.server.store import Store


def _nobody() -> None:
    """Wake nobody: the reconciler will see it at its next look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """An installation. `clock` gives unix seconds; `wake` lets the reconciler of this process look at once."""

    store: Store
    clouds: Mapping[str, Provider]
    products: Mapping[str, Product]
    keyring: Keyring
    rules: Rules
    clock: Callable[[], float]
    wake: Callable[[], None] = field(default=_nobody)

    def now(self) -> int:
        """Return the time in whole unix seconds."""
        return int(self.clock())
