"""What administrators offer: images, instance types and tags."""

from __future__ import annotations

from dataclasses import asdict, replace

from puddle.server.api.base import UseCases, found, new_id, record
from puddle.server.api.creating import may_use
from puddle.server.clouds.base import StepFailed
from puddle.server.domain import tagging, validation
from puddle.server.domain.catalog import Image, ImageStatus, InstanceType, Tag, TagStatus
from puddle.server.domain.people import Caller
from puddle.server.domain.printed import readable
from puddle.server.domain.wording import counted
from puddle.server.errors import Invalid, Precondition
from puddle.server.store import Transaction


class Images(UseCases):
    """Images."""

    def available(self, cloud: str = "", product: str = "") -> list[Image]:
        """Return what systems can be made from."""
        return [image for image in self.all(cloud, product) if image.status is ImageStatus.AVAILABLE]

    def all(self, cloud: str = "", product: str = "") -> list[Image]:
        """Return all images, whatever their status, except deleted ones."""
        with self._store.reading() as tx:
            listed = self._there(tx.images.of(cloud, product), cloud)
        if product and not listed:
            self._product(product)
        return listed

    def get(self, image_id: str) -> Image:
        """Return an image."""
        with self._store.reading() as tx:
            return found(tx.images.get(image_id), "image", image_id)

    def build(self, caller: Caller, cloud: str, product: str, version: str) -> Image:
        """Build an image of a version; the one that is there already, or is being built, where there is one."""
        self._offered(cloud)
        plugin = self._product(product)
        wanted = validation.identifier("version", version or (plugin.versions[0] if plugin.versions else ""))
        now = self._now()
        with self._store.writing() as tx:
            tx.lock("images")
            same = [image for image in tx.images.of(cloud, product) if image.version == wanted]
            if same:
                return self._again(tx, caller, same[0], now)
            image = Image(id=new_id("img"), cloud=cloud, product=product, version=wanted, created=now, updated=now)
            tx.images.add(image)
            built = self._again(tx, caller, image, now)
        self._backend.wake()
        return built

    def rebuild(self, caller: Caller, image_id: str) -> Image:
        """Build an image that failed, or was never built."""
        with self._store.writing() as tx:
            tx.lock("images")
            built = self._again(tx, caller, found(tx.images.get(image_id), "image", image_id), self._now())
        self._backend.wake()
        return built

    @staticmethod
    def _again(tx: Transaction, caller: Caller, image: Image, now: int) -> Image:
        if image.status in {ImageStatus.BUILDING, ImageStatus.AVAILABLE}:
            return image
        if image.status not in {ImageStatus.NOT_YET_BUILT, ImageStatus.FAILED}:
            gone = "was deleted" if image.status is ImageStatus.DELETED else "is being deleted"
            raise Precondition(f"the image {gone}", "image_gone")
        building = replace(image, status=ImageStatus.BUILDING, updated=now, detail="", builder="", build_until=0)
        tx.images.put(building)
        about = {"cloud": image.cloud, "product": image.product, "version": image.version}
        record(tx, caller, now, "image.build", image.id, after=about)
        return building

    def delete(self, caller: Caller, image_id: str) -> Image:
        """Delete an image. Refused while systems use it, or it is being built."""
        now = self._now()
        with self._store.writing() as tx:
            tx.lock("images")
            image = found(tx.images.get(image_id), "image", image_id)
            if image.status in {ImageStatus.DELETING, ImageStatus.DELETED}:
                return image
            if image.status is ImageStatus.BUILDING:
                raise Precondition("the image is being built", "image_in_use")
            if count := tx.systems.made_from(image_id):
                used = counted(count, "system")
                raise Precondition(f"{used} made from the image must be terminated first", "image_in_use")
            going = replace(image, status=ImageStatus.DELETING, updated=now)
            tx.images.put(going)
            record(tx, caller, now, "image.delete", image.id, before={"status": image.status.name})
        self._backend.wake()
        return going

    def log(self, image_id: str) -> str:
        """Return what building an image has printed, fit for a terminal, and at its end why it failed, if it did."""
        image = self.get(image_id)
        cloud = self._backend.clouds.get(image.cloud)
        try:
            printed = readable(cloud.build_log(image.id)) if cloud else ""
        except StepFailed as failed:
            raise Precondition(failed.sentence, "unreachable") from failed
        told = image.detail in printed
        return printed if told else "\n".join([*printed.splitlines(), image.detail, ""])


class InstanceTypes(UseCases):
    """Instance types."""

    def available(self, caller: Caller, cloud: str = "") -> list[InstanceType]:
        """Return what the caller may take, the cheapest first."""
        return [size for size in self.all(cloud) if size.enabled and may_use(caller.user, size)]

    def all(self, cloud: str = "") -> list[InstanceType]:
        """Return all instance types, the cheapest first."""
        with self._store.reading() as tx:
            return self._there(tx.instance_types.of_cloud(cloud), cloud)

    def create(self, caller: Caller, given: InstanceType) -> InstanceType:
        """Add an instance type; its id is made here."""
        size = replace(validation.instance_type(given, self._backend.clouds), id=new_id("type"))
        with self._store.writing() as tx:
            tx.lock("limits")
            _new_text(tx, size)
            tx.instance_types.add(size)
            record(tx, caller, self._now(), "instance_type.create", size.id, after=asdict(size))
        return size

    def update(self, caller: Caller, given: InstanceType) -> InstanceType:
        """Change an instance type. Open sessions keep the price they began with.

        `cloud_name` cannot change while systems use it: machines would be resized on the way.
        """
        size = validation.instance_type(given, self._backend.clouds)
        with self._store.writing() as tx:
            tx.lock("limits")
            before = found(tx.instance_types.get(size.id), "instance type", size.id)
            if size.cloud != before.cloud:
                raise Invalid("cloud", "stays as it is; create another instance type instead")
            if size.cloud_name != before.cloud_name and (count := tx.systems.of_type(size.id)):
                told = f"it is the type of {counted(count, 'system')}, so its cloud_name stays {before.cloud_name}"
                raise Precondition(f"{told}; create another instance type instead", "type_in_use")
            if size.text != before.text:
                _new_text(tx, size)
            tx.instance_types.put(size)
            changes = asdict(before), asdict(size)
            record(tx, caller, self._now(), "instance_type.update", size.id, before=changes[0], after=changes[1])
        return size

    def delete(self, caller: Caller, type_id: str) -> None:
        """Delete an unused instance type. To stop offering one that is in use, disable it."""
        with self._store.writing() as tx:
            tx.lock("limits")
            size = found(tx.instance_types.get(type_id), "instance type", type_id)
            if count := tx.systems.of_type(type_id):
                raise Precondition(f"it is the type of {counted(count, 'system')}; disable it instead", "type_in_use")
            tx.instance_types.remove(type_id)
            record(tx, caller, self._now(), "instance_type.delete", type_id, before=asdict(size))


class Tags(UseCases):
    """What creators of systems are asked."""

    def all(self) -> list[Tag]:
        """Return the tags creators fill in."""
        with self._store.reading() as tx:
            return tx.tags.offered()

    def create(self, caller: Caller, given: Tag) -> Tag:
        """Define a tag that creators are asked for."""
        now = self._now()
        tag = replace(tagging.definition(given), id=new_id("tag"), created=now, updated=now, status=TagStatus.OK)
        with self._store.writing() as tx:
            tx.lock("tags")
            _new_label(tx, tag)
            tx.tags.add(tag)
            record(tx, caller, now, "tag.create", tag.id, after=asdict(tag))
        return tag

    def update(self, caller: Caller, given: Tag) -> Tag:
        """Change what is asked. Systems that are there keep their tags."""
        now = self._now()
        with self._store.writing() as tx:
            tx.lock("tags")
            before = found(tx.tags.get(given.id), "tag", given.id)
            if before.status is TagStatus.DELETED:
                raise Precondition("the tag was deleted", "tag_gone")
            tag = replace(tagging.definition(given), created=before.created, updated=now, status=TagStatus.OK)
            _new_label(tx, tag)
            tx.tags.put(tag)
            record(tx, caller, now, "tag.update", tag.id, before=asdict(before), after=asdict(tag))
        return tag

    def delete(self, caller: Caller, tag_id: str) -> None:
        """Delete a tag; systems keep what was filled in."""
        now = self._now()
        with self._store.writing() as tx:
            tag = found(tx.tags.get(tag_id), "tag", tag_id)
            if tag.status is not TagStatus.DELETED:
                tx.tags.put(replace(tag, status=TagStatus.DELETED, updated=now))
                record(tx, caller, now, "tag.delete", tag_id, before=asdict(tag))


def _new_text(tx: Transaction, size: InstanceType) -> None:
    """People name sizes by what they read: two of one name might not have one price."""
    if any(other.text == size.text and other.id != size.id for other in tx.instance_types.of_cloud(size.cloud)):
        raise Precondition(f"there is an instance type {size.text!r} on {size.cloud} already", "name_taken")


def _new_label(tx: Transaction, tag: Tag) -> None:
    if any(other.label == tag.label and other.id != tag.id for other in tx.tags.offered()):
        raise Precondition(f"there is a tag {tag.label!r} already", "label_taken")
