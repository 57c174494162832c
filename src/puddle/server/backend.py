"""What the API and the reconciler share: the store, clouds, products, keys, rules and clock of one installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from puddle.server.auth.secrets import Keyring
from puddle.server.clouds.base import Provider
from puddle.server.domain.rules import Rules
from puddle.server.products.base import Product
from puddle.server.store import Store


def _nobody() -> None:
    """Wake nobody: a reconciler sees it when it polls next."""


def _nothing() -> None:
    """Compare no clocks: there is only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One installation. `clock` returns unix seconds; `wake` makes the reconciler of this process look at once."""

    store: Store
    clouds: Mapping[str, Provider]
    products: Mapping[str, Product]
    keyring: Keyring
    rules: Rules
    clock: Callable[[], float]
    wake: Callable[[], None] = field(default=_nobody)
    compare_clocks: Callable[[], None] = field(default=_nothing)

    def now(self) -> int:
        """Return the time in whole unix seconds."""
        return int(self.clock())
