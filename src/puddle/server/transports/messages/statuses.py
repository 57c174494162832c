"""The texts of all statuses, as clients show them; `GetStatusCatalog` sends them to clients older than a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.server.domain.catalog import ImageStatus, TagStatus
from puddle.server.domain.records import SnapshotStatus
from puddle.server.domain.states import Config, Product, Status, Vm

_WRITTEN = {"vm": "VM", "ok": "OK"}


def _text(word: IntEnum) -> str:
    words = [_WRITTEN.get(part, part) for part in word.name.lower().split("_")]
    sentence = " ".join(words)
    return sentence[0].upper() + sentence[1:]


def _texts(words: Iterable[IntEnum]) -> Mapping[IntEnum, str]:
    return {word: _text(word) for word in words}


SYSTEM: Mapping[IntEnum, str] = {**_texts(Status), Status.RESTARTING_DAI: "Restarting Driverless AI"}
VM = _texts(Vm)
PRODUCT = _texts(Product)
CONFIG = _texts(Config)
IMAGE = _texts(ImageStatus)
TAG = _texts(TagStatus)
SNAPSHOT = _texts(SnapshotStatus)


def _listed(kind: str, texts: Mapping[IntEnum, str]) -> list[pb.StatusText]:
    return [pb.StatusText(code=int(word), name=f"{kind}_STATUS_{word.name}", text=said) for word, said in texts.items()]


CATALOG = pb.StatusCatalog(
    system=_listed("SYSTEM", SYSTEM),
    vm=_listed("VM", VM),
    product=_listed("PRODUCT", PRODUCT),
    config=_listed("CONFIG", CONFIG),
    image=_listed("IMAGE", IMAGE),
    tag=_listed("TAG", TAG),
    snapshot=_listed("SNAPSHOT", SNAPSHOT),
)
