"""`puddle images`, `puddle types` and `puddle tags`: what systems are made from."""

from __future__ import annotations

from typing import Annotated

import typer

from puddle._cli import naming
from puddle._cli.login import Anywhere, Cloud, authorizer, cloud
from puddle._cli.showing import AsJson, clouds, price, show_all, show_json, show_one, when, where
from puddle._cli.systems import Yes, goes_on, sure
from puddle.client import ImagesClient, InstanceTypesClient, TagsClient
from puddle.client.models import Image, InstanceType
from puddle.client.proto.v2 import instance_type_service_pb2 as pb

images = typer.Typer(help="Images: one product in one version.", no_args_is_help=True)
types = typer.Typer(help="Instance types: how large machines can be.", no_args_is_help=True)
tags = typer.Typer(help="Tags: what creators of systems are asked.", no_args_is_help=True)


@images.command("ls")
def list_images(
    everything: Annotated[bool, typer.Option("--all", help="Not only available ones; for administrators.")] = False,
    product: Annotated[str, typer.Option(help="Of one product, by its id.")] = "",
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """List images."""
    client = ImagesClient(cloud(cloud_id), authorizer=authorizer())
    found = client.list_all(product or None) if everything else client.list_available(product or None)
    columns = {
        **clouds(found, lambda it: it._image.cloud),
        "PRODUCT": lambda it: it.product,
        "VERSION": lambda it: it.version,
        "STATUS": lambda it: it.status_text,
        "ID": lambda it: it.id,
        "CHANGED": lambda it: when(it._image.updated),
        "DETAIL": lambda it: it._image.status_detail,
    }
    none = f"There are no images{where(cloud_id)}; --all shows administrators those being built, too."
    show_all(found, columns, lambda it: it._image, js=js, none=none)


@images.command()
def build(
    product: Annotated[str, typer.Argument(help="The product, by its id.")] = "h2o3",
    version: Annotated[str, typer.Argument(help="Its version; the newest where none is named.")] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is there.")] = True,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Build an image. For administrators. Exits with 5 where that fails; `puddle images log` tells why."""
    client = ImagesClient(cloud(cloud_id), authorizer=authorizer())
    with goes_on("images ls --all"):
        made = client.build(product, version, wait=wait)
    _shown(made, js=js)


@images.command()
def rebuild(
    image: Annotated[str, typer.Argument(help="An image that failed, by its id.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is there.")] = True,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Build an image again that failed. For administrators. Exits with 5 where that fails again."""
    client = ImagesClient(cloud(cloud_id), authorizer=authorizer())
    with goes_on("images ls --all"):
        made = client.rebuild(image, wait=wait)
    _shown(made, js=js)


@images.command("delete")
def delete_image(
    image: Annotated[str, typer.Argument(help="The image, by its id.")],
    yes: Yes = False,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Delete an image that no system stands on. For administrators."""
    sure(f"Delete the image {image}?", yes=yes)
    _shown(ImagesClient(cloud(cloud_id), authorizer=authorizer()).delete(image), js=js)


def _shown(image: Image, *, js: bool) -> None:
    lines = {"id": image.id, "version": image.version, "status": image.status_text, "": image._image.status_detail}
    show_one(image._image, lines, js=js)


@images.command()
def log(
    image: Annotated[str, typer.Argument(help="The image, by its id.")], cloud_id: Anywhere = "", js: AsJson = False
) -> None:
    """Show what building an image has printed. For administrators."""
    text = ImagesClient(cloud(cloud_id), authorizer=authorizer()).build_log(image)
    if js:
        show_json({"text": text})
    else:
        typer.echo(text)


@types.command("ls")
def list_types(
    everything: Annotated[bool, typer.Option("--all", help="Not only those you may use; for administrators.")] = False,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """List instance types, the cheapest first."""
    client = InstanceTypesClient(cloud(cloud_id), authorizer=authorizer())
    found = client.list_all() if everything else client.list_available()
    columns = {
        "TYPE": lambda it: it.text,
        **clouds(found, lambda it: it._instance_type.cloud),
        "PRICE/H": lambda it: price(it._instance_type.price_decimal or "0"),
        "CPUS": lambda it: f"{it._instance_type.vcpus:g}",
        "MEMORY": lambda it: f"{it._instance_type.memory_gb:g} GB",
        "GPUS": lambda it: f"{it.gpu_count} {it.gpu_type}" if it.gpu else "",
        "CU": lambda it: it._instance_type.cu,
        "": lambda it: "" if it._instance_type.enabled else "disabled",
        "GROUPS": lambda it: ", ".join(it._instance_type.allowed_groups) or "all",
        "ID": lambda it: it.id,
    }
    none = f"There are no instance types for you{where(cloud_id)}."
    show_all(found, columns, lambda it: it._instance_type, js=js, none=none)


@types.command("create")
def create_type(
    name: Annotated[str, typer.Argument(help="The cloud's own word for it; on the local cloud any.")],
    price: Annotated[str, typer.Option(help="Per hour while started, as 0.20.")],
    cpus: Annotated[float, typer.Option(help="Processors.")],
    memory: Annotated[float, typer.Option(help="Memory in GB.")],
    text: Annotated[str, typer.Option(help="What people read; the name where it is not said.")] = "",
    cu: Annotated[int, typer.Option(help="Compute units it holds while started.")] = 1,
    gpus: Annotated[int, typer.Option(help="GPUs.")] = 0,
    gpu_type: Annotated[str, typer.Option(help="What GPUs they are.")] = "",
    group: Annotated[list[str] | None, typer.Option(help="Only for this group; may be given several times.")] = None,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Offer another size. For administrators."""
    offered = pb.InstanceType(
        text=text or name,
        cloud_name=name,
        price_decimal=price,
        vcpus=cpus,
        memory_gb=memory,
        cu=cu,
        gpu=gpus > 0,
        gpu_count=gpus,
        gpu_type=gpu_type,
        enabled=True,
        allowed_groups=group or (),
    )
    _type_shown(InstanceTypesClient(cloud(cloud_id), authorizer=authorizer()).create(offered), js=js)


@types.command("update")
def update_type(
    name: Annotated[str, typer.Argument(help="The size, by its text or id.")],
    text: Annotated[str | None, typer.Option(help="What people read from now on.")] = None,
    price: Annotated[str | None, typer.Option(help="Another price; open sessions keep theirs.")] = None,
    cu: Annotated[int | None, typer.Option(help="Compute units it holds from the next start on.")] = None,
    offered: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether systems may be made of it.")
    ] = None,
    group: Annotated[list[str] | None, typer.Option(help='Only for these groups; "" for all.')] = None,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Change what a size costs, and whom it is offered. For administrators. What is not given stays as it is."""
    client = InstanceTypesClient(cloud(cloud_id), authorizer=authorizer())
    groups = None if group is None else [each for each in group if each]
    found = naming.instance_type(client, name)
    changed = client.update(found, text=text, price=price, cu=cu, enabled=offered, allowed_groups=groups)
    _type_shown(changed, js=js)


@types.command("delete")
def delete_type(
    name: Annotated[str, typer.Argument(help="The size, by its text or id.")],
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Offer a size no more, and forget it, where no system has it. For administrators."""
    client = InstanceTypesClient(cloud(cloud_id), authorizer=authorizer())
    found = naming.instance_type(client, name)
    client.delete(found)
    _type_shown(found, js=js, now="deleted")


def _type_shown(size: InstanceType, *, js: bool, now: str = "") -> None:
    it = size._instance_type
    lines = {
        "id": it.id,
        "type": it.text,
        "price": f"{price(it.price_decimal or '0')} an hour",
        "size": f"{it.vcpus:g} CPUs, {it.memory_gb:g} GB, {it.cu} CU",
        "for": ", ".join(it.allowed_groups) or "all",
        "status": now or ("offered" if it.enabled else "disabled"),
    }
    show_one(it, lines, js=js)


@tags.command("ls")
def list_tags(cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """List tags."""
    columns = {
        "LABEL": lambda it: it.label,
        "TYPE": lambda it: it.input_type,
        "DEFAULT": lambda it: it.default_value,
        "REQUIRED": lambda it: "yes" if it.required else "",
        "ID": lambda it: it.id,
    }
    found = TagsClient(cloud(cloud_id), authorizer=authorizer()).list_available()
    show_all(
        found, columns, lambda it: it._tag, js=js, none="There are no tags; creators of systems are asked nothing."
    )


@tags.command("create")
def create_tag(
    label: Annotated[str, typer.Argument(help="What is asked for, such as cost-center.")],
    input_type: Annotated[str, typer.Option("--type", help="text or number.")] = "text",
    default: Annotated[str, typer.Option(help="What is taken where nothing is filled in.")] = "",
    required: Annotated[bool, typer.Option("--required", help="No system without it.")] = False,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Ask creators of systems for something. For administrators."""
    made = TagsClient(cloud(cloud_id), authorizer=authorizer()).create(label, input_type, default, required)
    lines = {"id": made.id, "label": made.label, "default": made.default_value, "required": "yes" if required else "no"}
    show_one(made._tag, lines, js=js)


@tags.command("delete")
def delete_tag(
    tag: Annotated[str, typer.Argument(help="The tag, by its label or id.")],
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Ask for it no more; what was filled in stays. For administrators."""
    client = TagsClient(cloud(cloud_id), authorizer=authorizer())
    found = naming.tag(client, tag)
    client.delete(found)
    show_one(found._tag, {"id": found.id, "label": found.label, "status": "deleted"}, js=js)
