"""Images of this cloud: a folder each, filled by a product's recipe.

It is built beside its place and put there whole. One that is deleted while machines run from it goes with the last one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from puddle.server.clouds.base import Built, Recipe
from puddle.server.clouds.local.files import locked, read_json, tail, write_json
from puddle.server.clouds.local.trees import throw_away
from puddle.server.clouds.names import checked_id, not_found

_METADATA, _LOG = "image.json", "build.log"


class Images:
    """The images below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "images"

    def build(self, image_id: str, recipe: Recipe, version: str) -> Built:
        """See `Provider.build_image`. Where somebody builds it already, wait for that."""
        with locked(self._folder / f"{checked_id(image_id)}.lock"):
            there = self._built(image_id)
            return self._build(image_id, recipe, version) if there is None else there

    def _built(self, image_id: str) -> Built | None:
        metadata = read_json(self._folder / image_id / _METADATA)
        if metadata is None:
            return None
        if metadata["deleted"]:  # and still in use: it is what was asked for
            write_json(self._folder / image_id / _METADATA, {**metadata, "deleted": False})
        return Built(cloud_image_id=image_id, checksum=metadata["checksum"])

    def _build(self, image_id: str, recipe: Recipe, version: str) -> Built:
        part = self._part(image_id)
        throw_away(part, self._root / "trash")  # of a building that was cut short
        part.mkdir(mode=0o700)
        (part / "files").mkdir(mode=0o700)
        checksum = recipe.build(version, str(part / "files"), str(part / _LOG))
        write_json(part / _METADATA, {"version": version, "checksum": checksum, "deleted": False})
        part.rename(self._folder / image_id)
        return Built(cloud_image_id=image_id, checksum=checksum)

    def log(self, image_id: str) -> str:
        """See `Provider.build_log`: the last 10,000 lines; that of a failed building stays until the next one."""
        name = checked_id(image_id)
        return tail(self._part(name) / _LOG, 10_000) or tail(self._folder / name / _LOG, 10_000)

    def check(self, image_id: str) -> None:
        """Raise StepFailed where there is no such image."""
        metadata = read_json(self._folder / checked_id(image_id) / _METADATA)
        if metadata is None or metadata["deleted"]:
            raise not_found("image", image_id, for_ever=True)

    def delete(self, image_id: str, used: Iterable[str]) -> None:
        """See `Provider.delete_image`. `used`: the images machines run from."""
        throw_away(self._part(checked_id(image_id)), self._root / "trash")
        metadata = read_json(self._folder / image_id / _METADATA)
        if metadata is not None:
            write_json(self._folder / image_id / _METADATA, {**metadata, "deleted": True})
        self.clean(used)

    def clean(self, used: Iterable[str]) -> None:
        """Remove the images that are deleted and that no machine runs from any more."""
        kept = set(used)
        for path in self._folder.iterdir():
            metadata = read_json(path / _METADATA)
            if metadata is not None and metadata["deleted"] and path.name not in kept:
                throw_away(path, self._root / "trash")

    def _part(self, image_id: str) -> Path:
        return self._folder / f"{image_id}.part"
