"""Images, instance types and tags."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from puddle.server.domain.catalog import Image, ImageStatus, InstanceType, Tag, TagStatus
from puddle.server.store.rows import Rows
from puddle.server.store.schema import IMAGES, INSTANCE_TYPES, TAGS


class Images(Rows[Image]):
    """The images within a transaction."""

    kept = IMAGES

    def of(self, cloud: str = "", product: str = "") -> list[Image]:
        """Return what is there, the newest first; deleted ones are left out."""
        where = [IMAGES.c.status != int(ImageStatus.DELETED)]
        where += [IMAGES.c.cloud == cloud] if cloud else []
        where += [IMAGES.c.product == product] if product else []
        return self._many(*where, order=(IMAGES.c.created.desc(), IMAGES.c.id))

    def to_build(self, now: int) -> list[Image]:
        """Return images that are to be built and nobody builds now."""
        free = IMAGES.c.build_until <= now
        return self._many(IMAGES.c.status == int(ImageStatus.BUILDING), free, order=(IMAGES.c.updated,))

    def to_delete(self) -> list[Image]:
        """Return images somebody wants to be gone."""
        return self._many(IMAGES.c.status == int(ImageStatus.DELETING), order=(IMAGES.c.updated,))

    def claim(self, image: Image, holder: str, now: int, until: int) -> Image | None:
        """Lease the building of an image; None where somebody else was faster."""
        claimed = replace(image, builder=holder, build_until=until)
        change = (
            sa.update(IMAGES.table)
            .where(IMAGES.c.id == image.id, IMAGES.c.status == int(ImageStatus.BUILDING), IMAGES.c.build_until <= now)
            .values(builder=holder, build_until=until)
        )
        return claimed if self._connection.execute(change).rowcount == 1 else None

    def renew(self, image: Image, until: int) -> bool:
        """Extend a builder's lease; False where it is not theirs any more, or nothing is to be built."""
        change = sa.update(IMAGES.table).where(*_building(image)).values(build_until=until)
        return self._connection.execute(change).rowcount == 1

    def built(self, image: Image) -> bool:
        """Write how a builder's work has ended; False where it is not theirs any more."""
        change = sa.update(IMAGES.table).where(*_building(image)).values(IMAGES.values(image))
        return self._connection.execute(change).rowcount == 1


def _building(image: Image) -> tuple[sa.ColumnElement[bool], ...]:
    c = IMAGES.c
    return c.id == image.id, c.status == int(ImageStatus.BUILDING), c.builder == image.builder


class InstanceTypes(Rows[InstanceType]):
    """The instance types within a transaction."""

    kept = INSTANCE_TYPES

    def of_cloud(self, cloud: str) -> list[InstanceType]:
        """Return those of a cloud, the cheapest first; all where `cloud` is empty."""
        where = [INSTANCE_TYPES.c.cloud == cloud] if cloud else []
        return self._many(*where, order=(INSTANCE_TYPES.c.price_micros, INSTANCE_TYPES.c.id))

    def remove(self, type_id: str) -> None:
        """Remove an instance type."""
        self._connection.execute(sa.delete(INSTANCE_TYPES.table).where(INSTANCE_TYPES.c.id == type_id))


class Tags(Rows[Tag]):
    """The tags within a transaction."""

    kept = TAGS

    def offered(self) -> list[Tag]:
        """Return the tags creators fill in, the oldest first."""
        return self._many(TAGS.c.status == int(TagStatus.OK), order=(TAGS.c.created, TAGS.c.id))
