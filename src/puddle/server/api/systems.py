"""Reading systems, and what they consume."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from puddle.server.api.base import UseCases, found
from puddle.server.api.cache import SystemCache
from puddle.server.api.limits import holders
from puddle.server.api.views import SystemView, password, snapshots_of, viewed
from puddle.server.backend import Backend
from puddle.server.clouds.base import StepFailed
from puddle.server.domain import permissions, printed, validation
from puddle.server.domain.people import Caller
from puddle.server.domain.quota import Holder
from puddle.server.domain.records import Snapshot, System
from puddle.server.domain.states import Status
from puddle.server.errors import Precondition
from puddle.server.products.base import Experiment
from puddle.server.store.stamps import Stamp, Wanted

PATIENCE_S = 15.0
"""How long one call may ask products for their experiments."""


@dataclass(frozen=True, slots=True)
class Consumption:
    """Compute units: left (None: there is no limit), used by everybody, and the caller's systems that use some.

    `allowances`: whose limits count for the caller, and what they have of them.
    """

    available: int | None
    consumed: int
    mine: tuple[System, ...]
    allowances: tuple[Holder, ...]


class Systems(UseCases):
    """Reading systems."""

    def __init__(self, backend: Backend) -> None:
        """See the class."""
        super().__init__(backend)
        self._cache = SystemCache()

    def get(self, caller: Caller, system_id: str) -> SystemView:
        """Return a system."""
        stamp = found(self._store.stamp(system_id), "system", system_id)
        (view,) = self._views(caller, [stamp])
        permissions.authorize_object("SystemService/GetSystem", caller, view.system.owner_id, "system", system_id)
        return view

    def page(self, caller: Caller, wanted: Wanted) -> list[SystemView]:
        """Return a page of systems. Whose they may be has been checked by the method's rule."""
        return self._views(caller, self._there(self._store.stamps(wanted), wanted.cloud))

    def _views(self, caller: Caller, stamps: Sequence[Stamp]) -> list[SystemView]:
        seen = self._cache.get(self._store, stamps)
        with_some = [stamp.id for stamp in stamps if stamp.has_snapshots]
        snapshots: Mapping[str, tuple[Snapshot, ...]] = {}
        if with_some:
            with self._store.reading() as tx:
                snapshots = snapshots_of(tx, with_some)
        return viewed(self._backend, caller, seen, snapshots)

    def experiments(self, seen: Sequence[SystemView]) -> dict[str, Sequence[Experiment]]:
        """Return the experiments of several systems; none of what is not up, or does not answer.

        Machines are their users', who may let us wait: whatever is not asked before `PATIENCE_S` is over is not asked.
        """
        until = time.monotonic() + PATIENCE_S
        return {view.system.id: self._experiments(view.system) if time.monotonic() < until else () for view in seen}

    def _experiments(self, system: System) -> Sequence[Experiment]:
        cloud, product = self._backend.clouds.get(system.cloud), self._backend.products.get(system.product)
        if system.status is not Status.STARTED or cloud is None or product is None:
            return ()
        try:
            endpoint = cloud.endpoint(system.machine_id)
            return product.experiments(endpoint, system.username, password(self._backend, system))
        except (StepFailed, Precondition):
            return ()

    def credentials(self, caller: Caller, system_id: str) -> tuple[str, str]:
        """Return user name and password of the product, to its owner alone. Refused where they cannot be read."""
        system = self._visible("SystemService/GetCredentials", caller, system_id)
        return system.username, password(self._backend, system)

    def ssh_key(self, caller: Caller, system_id: str) -> str:
        """Return the private key of the machine's owner. Refused where the cloud's machines have no SSH."""
        system = self._visible("SystemService/GetSshKey", caller, system_id)
        raise Precondition(f"machines of the cloud {system.cloud!r} are not reached by SSH", "no_ssh")

    def console(self, caller: Caller, system_id: str, lines: int = 0) -> str:
        """Return the last lines (0: as many as are usual) of what the machine has printed, fit for a terminal."""
        system = self._visible("SystemService/GetConsole", caller, system_id)
        most = validation.whole("lines", lines, 0, printed.MAX_LINES) or printed.USUAL_LINES
        cloud = self._backend.clouds.get(system.cloud)
        if cloud is None or not system.machine_id:
            return ""
        try:
            return printed.last_lines(printed.readable(cloud.console(system.machine_id, most)), most)
        except StepFailed as failed:
            raise Precondition(failed.sentence, "unreachable") from failed

    def _visible(self, method: str, caller: Caller, system_id: str) -> System:
        """Return a system, if the caller may see it by the rule of `method`."""
        with self._store.reading() as tx:
            system = found(tx.systems.get(system_id), "system", system_id)
        permissions.authorize_object(method, caller, system.owner_id, "system", system_id)
        return system

    def consumption(self, caller: Caller) -> Consumption:
        """Return who uses how many compute units, and what the caller may still have."""
        with self._store.reading() as tx:
            consumed = tx.systems.consumed()
            mine = tuple(tx.systems.consuming(caller.user.id))
            allowances = tuple(holders(tx, caller.user, self._now()))
        pool = self._rules.cu_pool
        return Consumption(max(0, pool - consumed) if pool else None, consumed, mine, allowances)
