"""The reconcile loop: lease what is due → look → decide → write → act → write.

Several loops (threads, processes, servers) share one database; a lease keeps them from working on the same system, and
it is renewed while the work lasts. All network calls are made in `Lanes`, none within a transaction; this thread only
reads, decides and writes, whole groups at a time. What is decided is written before it is done, and every step may be
done again: so the process may end at any point, and the next one goes on from what is written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from puddle.server.backend import Backend
from puddle.server.clouds.base import StepFailed
from puddle.server.domain.catalog import Image, InstanceType
from puddle.server.domain.facts import Facts, ProductFacts
from puddle.server.domain.records import System
from puddle.server.domain.states import Status
from puddle.server.faults import Point, reach
from puddle.server.reconcile.act import ProductAction, Site, act
from puddle.server.reconcile.backoff import Backoff
from puddle.server.reconcile.chores import Chores
from puddle.server.reconcile.decide import decide
from puddle.server.reconcile.lanes import Lane, Lanes
from puddle.server.reconcile.look import ask_cloud, ask_product, needs_product
from puddle.server.reconcile.mishaps import surviving
from puddle.server.reconcile.outcomes import follow
from puddle.server.reconcile.terms import Budgets, terms_of
from puddle.server.reconcile.work import Given, Outcome, Stage, Work
from puddle.server.reconcile.writing import Writing
from puddle.server.store import Transaction
from puddle.server.store.systems import Claim

_UNEXPECTED = "something unexpected happened; administrators find it in the server's log. It is tried again"
_LINGER_S = 0.2
"""How long a turn waits for answers before it looks for new work again."""


class Loop:
    """A reconciler. `holder` names it among all that ever were: a host, a process and something random will do.

    `workers`: threads for clouds, and as many for products; 0 does everything in the caller's thread. `batch`: how
    many systems are leased at most. `lease_s`: for how long nobody else takes over what a dead loop had leased.
    `turns` counts those that did not fail; `last_turn` is when the last one ended (monotonic seconds).
    """

    def __init__(
        self,
        backend: Backend,
        holder: str,
        *,
        workers: int = 16,
        batch: int = 256,
        lease_s: int = 60,
        lanes: Lanes | None = None,
    ) -> None:
        """See the class. `lanes` in place of those that `workers` asks for."""
        self._backend = backend
        self._holder = holder
        self._batch = batch
        self._lease_s = lease_s
        self._woken = threading.Event()
        self._lanes = lanes or Lanes(workers)
        self._writing = Writing(backend.store, backend.rules)
        self._chores = Chores(backend, holder, threaded=self._lanes.threaded, lease_s=lease_s)
        self._budgets = Budgets()
        self._failures = Backoff(backend.rules.soon_s, backend.rules.look_every_s)
        self._leased: dict[str, Work] = {}
        self._renewed = 0
        self.turns, self.last_turn = 0, time.monotonic()

    # running

    def run(self, stop: threading.Event) -> None:
        """Turn until `stop` is set, asleep while nothing is due."""
        try:
            while not stop.is_set():
                self._woken.clear()
                if not self._turned():
                    self._woken.wait(self._pause())
        finally:
            self.close()

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    def close(self) -> None:
        """Take no more work, wait for calls that are being made, and release all leases."""
        self._lanes.close()
        self._chores.close()
        works, self._leased = list(self._leased.values()), {}
        with surviving("leases_not_released", holder=self._holder):  # they expire
            self._writing.release(works, self._backend.now())

    def _turned(self) -> bool:
        """Turn once; False where there was nothing to do, or the database is away."""
        with surviving("turn_failed", holder=self._holder):
            moved = self.turn(self._backend.now())
            self.turns, self.last_turn = self.turns + 1, time.monotonic()
            return moved > 0 or bool(self._leased)
        self._leased = {}  # their leases end by themselves
        return False

    def _pause(self) -> float:
        """Return for how many seconds to sleep; wishes of other servers, and their leases, are seen after `soon_s`."""
        soon = float(self._backend.rules.soon_s)
        with surviving("database_away", holder=self._holder), self._backend.store.reading() as tx:
            return min(soon, max(0.05, tx.systems.next_due() - self._backend.clock()))
        return soon

    # one turn

    def turn(self, now: int) -> int:
        """Go on with what is leased and take up what is due at `now` (unix seconds); return how much moved.

        Without threads, what is taken up is also brought to its end.
        """
        self._chores.turn(now)
        self._renew_leases(now)
        moved = self._take_up(now)
        while finished := self._lanes.finished(_LINGER_S):
            moved += len(finished)
            self._go_on(finished, max(now, self._backend.now()))  # what was seen may be younger than this turn
            if self._lanes.threaded:
                break
        return moved

    def _renew_leases(self, now: int) -> None:
        """Renew the leases held, long before they expire."""
        if 0 <= now - self._renewed < self._lease_s // 3:
            return
        self._renewed = now
        if self._leased:
            with self._backend.store.writing() as tx:
                tx.systems.renew([work.claim for work in self._leased.values()], now + self._lease_s)

    def _take_up(self, now: int) -> int:
        """Lease what is due and begin to look at it; return how many."""
        free = self._batch - len(self._leased)
        if free <= 0:
            return 0
        with self._backend.store.reading() as tx:
            if tx.systems.next_due() > now:
                return 0
        with self._backend.store.writing() as tx:
            claims = tx.systems.claim(now, self._holder, now + self._lease_s, free)
            works = self._works(tx, claims, now)
        reach(Point.LEASED)
        for work in works:
            self._leased[work.system.id] = work
            self._look(work)
        return len(works)

    def _works(self, tx: Transaction, claims: Sequence[Claim], now: int) -> list[Work]:
        """Return leased systems with what has to be known of them."""
        types = {kind.id: kind for kind in tx.instance_types.all()} if claims else {}
        images: dict[str, Image | None] = {}
        return [Work(claim, self._given(tx, claim.system, types, images, now), claim.system, now) for claim in claims]

    def _given(
        self,
        tx: Transaction,
        system: System,
        types: dict[str, InstanceType],
        images: dict[str, Image | None],
        now: int,
    ) -> Given:
        left = system.status is not Status.STARTED or self._budgets.left(tx, system.owner_id, now)
        terms = terms_of(system, types, self._backend.rules, budget_left=left)
        if system.status is not Status.INITIALIZING:
            return Given(terms=terms, types=types)
        if system.image_id not in images:
            images[system.image_id] = tx.images.get(system.image_id)
        source = tx.snapshots.get(system.source_snapshot_id) if system.source_snapshot_id else None
        return Given(terms=terms, types=types, image=images[system.image_id], source=source)

    # looking

    def _look(self, work: Work) -> None:
        cloud = self._backend.clouds.get(work.system.cloud)
        self._lanes.start(work, Lane.CLOUD, lambda: ask_cloud(cloud, work.system, work.given.source), Facts())

    def _look_inside(self, work: Work) -> bool:
        """Ask the product, too; False where there is no need."""
        machine, cloud = work.facts.machine, self._backend.clouds.get(work.system.cloud)
        if machine is None or cloud is None or not needs_product(work.system, work.facts):
            return False
        product, keyring = self._backend.products.get(work.system.product), self._backend.keyring
        work.stage = Stage.PRODUCT
        self._lanes.start(work, Lane.PRODUCT, lambda: ask_product(cloud, product, work.system, machine, keyring), None)
        return True

    # going on

    def _go_on(self, finished: Iterable[tuple[Work, object]], now: int) -> None:
        """Go on with what has come back."""
        looked: list[Work] = []
        acted: list[tuple[Work, Outcome]] = []
        for work, answer in finished:
            if self._leased.get(work.system.id) is not work:
                continue  # the lease ended meanwhile, and somebody has taken over, perhaps ourselves
            if isinstance(answer, Outcome):
                acted.append((work, answer))
            elif self._knows(work, answer):
                looked.append(work)
        self._decide(looked, now)
        self._end(acted, now)

    def _knows(self, work: Work, answer: object) -> bool:
        """Keep what was told; whether that is all there is to know."""
        if work.stage is Stage.CLOUD:
            assert isinstance(answer, Facts)  # noqa: S101 -- that is what a cloud is asked for
            work.facts = answer
            return not self._look_inside(work)
        assert answer is None or isinstance(answer, ProductFacts)  # noqa: S101 -- that is what a product is asked for
        work.facts = replace(work.facts, product=answer)
        return True

    def _decide(self, works: Sequence[Work], now: int) -> None:
        """Decide, write that, and take the steps that follow."""
        if not works:
            return
        reach(Point.LOOKED)
        decided = [work for work in works if self._decided(work, now)]
        self._writing.decisions(decided, now, Point.DECIDING)
        reach(Point.RESTED)
        for work in decided:
            if work.goes_on:
                reach(Point.DECIDED)
                self._act(work)
            else:
                self._leased.pop(work.system.id, None)

    def _decided(self, work: Work, now: int) -> bool:
        """Decide; False where that fails, which is a bug: others go on, and this one is tried again."""
        with surviving("not_decided", system_id=work.system.id, status=work.system.status.name):
            work.decision = decide(work.system, work.facts, now, work.given.terms)
            return True
        del self._leased[work.system.id]  # the lease ends by itself
        return False

    # acting

    def _act(self, work: Work) -> None:
        assert work.decision is not None  # noqa: S101 -- a step follows from a decision
        lane = Lane.PRODUCT if isinstance(work.decision.action, ProductAction) else Lane.CLOUD
        work.stage = Stage.STEP
        late = Outcome(failed=StepFailed("TIMEOUT", f"the {lane.value} has not answered in time; it is tried again"))
        self._lanes.start(work, lane, lambda: self._step(work), late)

    def _step(self, work: Work) -> Outcome:
        """Take a step. Runs beside the loop: it reads the work and changes nothing of it."""
        saved: list[bool] = []
        with surviving("step_failed", system_id=work.system.id):
            if not self._still_holds(work):
                return Outcome(overtaken=True)
            try:
                machine_id = self._taken(work, saved)
            except StepFailed as failed:
                return Outcome(failed=failed)
            reach(Point.STEP_TAKEN)
            return Outcome(machine_id=machine_id, saved=any(saved))
        return Outcome(failed=StepFailed("INTERNAL", _UNEXPECTED))

    def _still_holds(self, work: Work) -> bool:
        """Whether a step is still to be taken, by us: the process may have been suspended since it was decided."""
        with self._backend.store.reading() as tx:
            return tx.systems.holds(work.claim, work.system.revision)

    def _taken(self, work: Work, saved: list[bool]) -> str:
        assert work.decision is not None  # noqa: S101 -- see `_act`
        assert work.decision.action is not None  # noqa: S101 -- see `_act`
        system, backend = work.system, self._backend
        cloud, product = backend.clouds.get(system.cloud), backend.products.get(system.product)
        if cloud is None or product is None:
            raise StepFailed("NOT_FOUND", f"this server has no cloud {system.cloud!r} or product {system.product!r}")
        site = Site(
            system=system,
            cloud=cloud,
            product=product,
            image=work.given.image,
            types=work.given.types,
            keyring=backend.keyring,
            save=lambda machine_id: saved.append(self._writing.machine(work, machine_id, backend.now())),
        )
        return act(work.decision.action, site)

    def _end(self, acted: Sequence[tuple[Work, Outcome]], now: int) -> None:
        """Write how steps ended, and release the leases."""
        for work, _ in acted:
            del self._leased[work.system.id]
        self._writing.release([work for work, outcome in acted if outcome.overtaken], now)
        acted = [(work, outcome) for work, outcome in acted if not outcome.overtaken]
        for work, outcome in acted:
            if outcome.saved:
                work.system = replace(work.system, machine_id=outcome.machine_id, revision=work.system.revision + 1)
            work.decision = follow(work, outcome, self._failures, now)
        self._writing.decisions([work for work, _ in acted], now, Point.ENDING)
        if acted:
            reach(Point.ENDED)
