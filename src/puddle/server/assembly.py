"""Building a `Backend` from settings: its folder, database and keys, and the clouds and products that are enabled."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from puddle.server.auth.secrets import Keyring, KeysRefused
from puddle.server.backend import Backend
from puddle.server.clouds.base import Provider
from puddle.server.products.base import Product
from puddle.server.settings import Settings, SettingsRefused
from puddle.server.store import Store
from puddle.server.store.clock import DatabaseClock


def backend_of(settings: Settings, wake: Callable[[], None] = lambda: None) -> Backend:
    """Return the backend that settings describe; its database is not migrated yet. Raises SettingsRefused."""
    os.umask(0o077)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsRefused(f"data: the folder {settings.data} cannot be made: {error.strerror}") from None
    _check_folder(settings.data)
    products: dict[str, Product] = {}
    clouds: dict[str, Provider] = {}
    _add_local(settings, clouds, products)
    _add_dai(settings, products)
    _add_simulated(settings, clouds, products)
    store = _store(settings)
    clock = DatabaseClock(store)
    return Backend(
        store=store,
        clouds=clouds,
        products=products,
        keyring=_keyring(settings),
        rules=settings.rules(),
        clock=clock,
        wake=wake,
        compare_clocks=clock.compare,
    )


def _check_folder(data: Path) -> None:
    """Refuse a folder in which other users could plant a database, a link or keys."""
    found = data.stat()
    if found.st_mode & stat.S_IWOTH:
        raise SettingsRefused(f"data: anybody can write into {data}; `chmod o-w {data}`, and see what lies in it")
    if found.st_uid not in {os.geteuid(), 0}:
        raise SettingsRefused(f"data: {data} belongs to another user (uid {found.st_uid}); `chown` it")


def _add_local(settings: Settings, clouds: dict[str, Provider], products: dict[str, Product]) -> None:
    if settings.products.h2o3.enabled:
        from puddle.server.products.h2o3 import H2O3

        products["h2o3"] = H2O3()
    local = settings.clouds.local
    if local.enabled:
        from puddle.server.clouds.local import LocalCloud

        ports = range(local.first_port, local.last_port + 1)
        clouds["local"] = LocalCloud(local.folder or settings.data.absolute() / "local", ports=ports)


def _add_dai(settings: Settings, products: dict[str, Product]) -> None:
    dai = settings.products.dai
    if dai.installations is None:
        return
    from puddle.server.products.dai import DriverlessAI

    if not dai.installations.is_dir():
        raise SettingsRefused(f"products.dai.installations: {dai.installations} is no folder")
    try:
        licence = dai.license_file.read_bytes() if dai.license_file else b""
    except OSError as error:
        raise SettingsRefused(
            f"products.dai.license_file: {dai.license_file} cannot be read: {error.strerror}"
        ) from None
    products["dai"] = DriverlessAI(dai.installations.absolute(), licence)


def _add_simulated(settings: Settings, clouds: dict[str, Provider], products: dict[str, Product]) -> None:
    if not settings.clouds.simulated.enabled:
        return
    from puddle.server.clouds.simulated import FileWorld, SimulatedCloud
    from puddle.server.products.simulated import SimulatedProduct

    world = FileWorld(settings.data.absolute() / "simulated.db")
    clouds["simulated"] = SimulatedCloud(world, time.time)
    products["simulated"] = SimulatedProduct(world, time.time)


def _store(settings: Settings) -> Store:
    try:
        return Store(settings.database_url())
    except Exception as error:  # noqa: BLE001 -- a driver may be missing, or an option wrong
        raise SettingsRefused(f"database.url cannot be used: {type(error).__name__}; it is left out here") from None


def _keyring(settings: Settings) -> Keyring:
    file = settings.keys_file()
    try:
        if file is None:
            return Keyring.from_text(settings.auth.master_keys.get_secret_value())
        return Keyring.load_or_create(file)
    except KeysRefused as refused:
        raise SettingsRefused(f"auth.master_keys: {refused}") from None
