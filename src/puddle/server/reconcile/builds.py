"""Building images: one builder per image holds its lease, which beats while the provider works, an hour perhaps.

A build that ends well makes the image available, any other end makes it failed with a sentence; whoever asked for it
may ask again. When the time limit has passed the image has failed, whatever becomes of the call that still runs: the
row is not the builder's any more. After a crash the next builder takes over when the lease ends, and a provider that
has made the image already gives the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from puddle.server.backend import Backend
from puddle.server.clouds.base import Built, StepFailed
from puddle.server.domain.catalog import Image, ImageStatus
from puddle.server.domain.records import Meter, Session
from puddle.server.faults import Point, reach
from puddle.server.reconcile.accounting import close_meter, record
from puddle.server.reconcile.mishaps import surviving
from puddle.server.store import Transaction

BUILDERS = 4
"""How many images one process builds at once."""


@dataclass(slots=True)
class _Build:
    image: Image
    began: int
    ended: Future[Built | StepFailed]


class Builds:
    """The builds of one loop."""

    def __init__(self, backend: Backend, holder: str, *, threaded: bool, lease_s: int) -> None:
        """Without threads a build is done within `round`."""
        self._backend = backend
        self._holder = holder
        self._lease_s = lease_s
        self._pool = ThreadPoolExecutor(BUILDERS, "puddle-build") if threaded else None
        self._builds: dict[str, _Build] = {}

    def round(self, now: int) -> None:
        """Write what has ended, keep the leases of what has not, and begin what is asked for."""
        self._begin(now)
        for build in list(self._builds.values()):
            if build.ended.done():
                self._end(build, now)
            elif now >= build.began + self._backend.rules.build_patience_s:
                minutes = self._backend.rules.build_patience_s // 60
                self._write(_failed(build.image, f"it was not built within {minutes} minutes", now), now)
            elif not self._renew(build.image, now):
                del self._builds[build.image.id]

    def close(self) -> None:
        """Begin nothing more, and wait for the builds that run."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, now: int) -> None:
        free = BUILDERS - len(self._builds)
        with self._backend.store.reading() as tx:
            wanted = [image for image in tx.images.to_build(now) if image.id not in self._builds]
        for image in wanted[: max(0, free)]:
            build = self._leased(image, now)
            if build is not None:
                self._builds[image.id] = build

    def _leased(self, image: Image, now: int) -> _Build | None:
        with self._backend.store.writing() as tx:
            leased = tx.images.claim(image, self._holder, now, now + self._lease_s)
            if leased is None:
                return None
            began = self._metered(tx, leased, now)
        reach(Point.BUILD_BEGUN)
        return _Build(leased, began, self._started(lambda: self._built(leased)))

    def _metered(self, tx: Transaction, image: Image, now: int) -> int:
        """Let the build cost from now on; return since when it does, perhaps under an earlier builder."""
        running = tx.sessions.running(image.id, Meter.IMAGE_BUILD)
        if running is not None:
            return running.start
        prices = self._backend.rules.prices.get(image.cloud)
        session = Session(
            id=f"{image.id}.build.{image.updated}",
            meter=Meter.IMAGE_BUILD,
            subject_id=image.id,
            system_id="",
            owner_id="",
            text=f"{image.product} {image.version}",
            price_micros=prices.build_micros if prices else 0,
            start=now,
            booked=now,
        )
        tx.sessions.open(session)
        return now

    def _started(self, do: Callable[[], Built | StepFailed]) -> Future[Built | StepFailed]:
        if self._pool is not None:
            return self._pool.submit(do)
        ended: Future[Built | StepFailed] = Future()
        ended.set_result(do())
        return ended

    def _built(self, image: Image) -> Built | StepFailed:
        """Build; return the image, or why there is none."""
        cloud, product = self._backend.clouds.get(image.cloud), self._backend.products.get(image.product)
        if cloud is None or product is None:
            missing = f"the cloud {image.cloud!r}" if cloud is None else f"the product {image.product!r}"
            return StepFailed("NOT_FOUND", f"this server does not have {missing}")
        with surviving("build_failed", image_id=image.id):
            try:
                built = cloud.build_image(image.id, product.recipe, image.version)
            except StepFailed as failed:
                return failed
            reach(Point.IMAGE_BUILT)
            return built
        return StepFailed("INTERNAL", "something unexpected happened; administrators find it in the server's log")

    def _end(self, build: _Build, now: int) -> None:
        built = build.ended.result()
        if isinstance(built, StepFailed):
            return self._write(_failed(build.image, built.sentence, now), now)
        return self._write(
            replace(
                build.image,
                status=ImageStatus.AVAILABLE,
                cloud_image_id=built.cloud_image_id,
                checksum=built.checksum,
                detail="",
                updated=now,
                build_until=0,
            ),
            now,
        )

    def _write(self, image: Image, now: int) -> None:
        with self._backend.store.writing() as tx:
            if tx.images.built(image):
                close_meter(tx, image.id, Meter.IMAGE_BUILD, now)
                record(tx, f"image.{image.status.name.lower()}", (image.id,), now, message=image.detail)
        del self._builds[image.id]

    def _renew(self, image: Image, now: int) -> bool:
        with self._backend.store.writing() as tx:
            return tx.images.renew(image, now + self._lease_s)


def _failed(image: Image, sentence: str, now: int) -> Image:
    return replace(image, status=ImageStatus.FAILED, detail=sentence, updated=now, build_until=0)
