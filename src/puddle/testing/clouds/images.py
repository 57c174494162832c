"""What a cloud promises about images."""

from __future__ import annotations

from pathlib import Path

from puddle.server.clouds.base import Provider
from puddle.server.domain.facts import Power
from puddle.testing.clouds.suite import CloudSuite, TinyRecipe, refused


class ImageTests(CloudSuite):
    """Images are built from a recipe, once, and deleted."""

    def test_an_image_is_built_once(self, cloud: Provider, tmp_path: Path) -> None:
        """Asked again, by whomever, it is the same; its log can be read."""
        recipe = TinyRecipe()
        built = cloud.build_image("img-9", recipe, "9.0")
        assert built.checksum == "checksum of 9.0"
        assert cloud.build_image("img-9", recipe, "9.0") == built
        assert self.open(tmp_path).build_image("img-9", recipe, "9.0") == built
        assert recipe.built == 1
        assert "building 9.0" in cloud.build_log("img-9")

    def test_a_building_that_failed_says_so_and_can_be_tried_again(self, cloud: Provider) -> None:
        """The recipe's words come through; what it has printed is kept."""
        recipe = TinyRecipe()
        recipe.refusal = "no such version"
        assert refused(lambda: cloud.build_image("img-9", recipe, "9.0")).sentence == "no such version"
        assert "building 9.0" in cloud.build_log("img-9")
        recipe.refusal = ""
        assert cloud.build_image("img-9", recipe, "9.0").checksum == "checksum of 9.0"

    def test_a_log_is_read_while_it_is_being_written(self, cloud: Provider) -> None:
        """What was printed so far."""
        seen: list[str] = []

        class Watched(TinyRecipe):
            def build(self, version: str, folder: str, log: str) -> str:
                done = super().build(version, folder, log)
                seen.append(cloud.build_log("img-9"))
                return done

        cloud.build_image("img-9", Watched(), "9.0")
        assert "building 9.0" in seen[0]

    def test_a_deleted_image_is_gone(self, cloud: Provider) -> None:
        """Told once or twice; machines made from it before stay, new ones are refused, and it can be built anew."""
        machine_id = self.up(cloud)
        order = self.order(cloud, "sys-2")
        cloud.delete_image("img-1")
        cloud.delete_image("img-1")
        assert refused(lambda: cloud.create(order)).for_ever
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        cloud.start(machine_id)
        self.become(cloud, Power.RUNNING)
        assert cloud.build_image("img-1", TinyRecipe(), "1.0").cloud_image_id == order.cloud_image_id
        cloud.create(order)
