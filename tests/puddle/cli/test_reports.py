"""Sums of a report: exact, the dearest first, by what an administrator pays for."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import typer

from puddle._cli import reports
from puddle.client.proto.v2 import report_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import TagData

CENT = 36_000_000
"""In millionths × seconds."""
ENTRIES = [
    pb.ReportEntry(owner_name="ann", system_name="one", kind="VM", amount=CENT, tags=[TagData(label="for", value="x")]),
    pb.ReportEntry(owner_name="ben", system_name="one", kind="VM", amount=300 * CENT),
    pb.ReportEntry(owner_name="ann", system_name="two", kind="DISK", amount=CENT // 3),
    pb.ReportEntry(kind="IMAGE_BUILD", amount=1),
]


@pytest.mark.parametrize(
    ("by", "sums"),
    [
        ("owner", [("ben", 300 * CENT), ("ann", CENT + CENT // 3), ("nobody", 1)]),
        ("system", [("ben/one", 300 * CENT), ("ann/one", CENT), ("ann/two", CENT // 3), ("none", 1)]),
        ("kind", [("VM", 301 * CENT), ("DISK", CENT // 3), ("IMAGE_BUILD", 1)]),
        ("for", [("none", 300 * CENT + CENT // 3 + 1), ("x", CENT)]),
    ],
)
def test_what_was_used_is_summed_up(by: str, sums: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    reports._print_sums(ENTRIES, by, js=True)
    told = json.loads(capsys.readouterr().out)
    assert [(each[by], each["amount"]) for each in told] == sums
    assert Decimal(told[0]["cost_decimal"]).quantize(Decimal("0.01")) == Decimal(sums[0][1] // CENT) / 100


def test_a_table_shows_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    reports._print_sums(ENTRIES, "owner", js=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["OWNER", "COST"],
        ["ben", "3.00"],
        ["ann", "0.01"],
        ["nobody", "<0.01"],
    ]


def test_what_cannot_be_summed_up_is_told_with_what_can(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.BadParameter, match="owner, system, kind, product, cloud, for; not by 'fro'"):
        reports._print_sums(ENTRIES, "fro", js=False)
    reports._print_sums([], "fro", js=False)
    assert "Nothing was used" in capsys.readouterr().err
