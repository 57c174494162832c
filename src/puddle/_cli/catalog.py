"""`puddle images`, `puddle types` and `puddle tags`: what systems are made from."""

from __future__ import annotations

from typing import Annotated

import typer

from puddle._cli.login import Cloud, authorizer, cloud
from puddle._cli.showing import AsJson, show_all, show_json, show_one, when
from puddle.client import ImagesClient, InstanceTypesClient, TagsClient
from puddle.client.models import Image

images = typer.Typer(help="Images: one product in one version.", no_args_is_help=True)
types = typer.Typer(help="Instance types: how large machines can be.", no_args_is_help=True)
tags = typer.Typer(help="Tags: what creators of systems are asked.", no_args_is_help=True)


@images.command("ls")
def list_images(
    everything: Annotated[bool, typer.Option("--all", help="Not only available ones; for administrators.")] = False,
    product: Annotated[str, typer.Option(help="Of one product, by its id.")] = "",
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """List images."""
    client = ImagesClient(cloud(cloud_id), authorizer=authorizer())
    found = client.list_all(product or None) if everything else client.list_available(product or None)
    columns = {
        "PRODUCT": lambda it: it.product,
        "VERSION": lambda it: it.version,
        "STATUS": lambda it: it.status_text,
        "DETAIL": lambda it: it._image.status_detail,
        "BUILT": lambda it: when(it._image.updated),
        "ID": lambda it: it.id,
    }
    show_all(found, columns, lambda it: it._image, js=js)


@images.command()
def build(
    product: Annotated[str, typer.Argument(help="The product, by its id.")] = "h2o3",
    version: Annotated[str, typer.Argument(help="Its version; the newest where none is named.")] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is there.")] = True,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Build an image. For administrators. Exits with 5 where that fails; `puddle images log` tells why."""
    made: Image = ImagesClient(cloud(cloud_id), authorizer=authorizer()).build(product, version, wait=wait)
    show_one(made._image, {"id": made.id, "version": made.version, "status": made.status_text}, js=js)


@images.command()
def log(
    image: Annotated[str, typer.Argument(help="The image, by its id.")], cloud_id: Cloud = "local", js: AsJson = False
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
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """List instance types, the cheapest first."""
    client = InstanceTypesClient(cloud(cloud_id), authorizer=authorizer())
    found = client.list_all() if everything else client.list_available()
    columns = {
        "TYPE": lambda it: it.text,
        "PRICE/H": lambda it: it._instance_type.price_decimal,
        "CPUS": lambda it: f"{it._instance_type.vcpus:g}",
        "MEMORY": lambda it: f"{it._instance_type.memory_gb:g} GB",
        "GPUS": lambda it: f"{it.gpu_count} {it.gpu_type}" if it.gpu else "",
        "ID": lambda it: it.id,
    }
    show_all(found, columns, lambda it: it._instance_type, js=js)


@tags.command("ls")
def list_tags(cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """List tags."""
    columns = {
        "LABEL": lambda it: it.label,
        "TYPE": lambda it: it.input_type,
        "DEFAULT": lambda it: it.default_value,
        "REQUIRED": lambda it: "yes" if it.required else "",
        "ID": lambda it: it.id,
    }
    show_all(TagsClient(cloud(cloud_id), authorizer=authorizer()).list_available(), columns, lambda it: it._tag, js=js)
