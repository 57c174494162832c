"""What has ended, or was kept for as long as it is to be kept, is forgotten; money, deeds and machines never are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from puddle.server.domain.people import Token
from puddle.server.domain.trail import Alert, Report, ReportEntry, ReportStatus
from puddle.server.reconcile.forgetting import DAY, forget
from puddle.server.store import Store
from puddle.server.store.schema import REPORT_ENTRIES
from tests.puddle.reconcile.places import Place, ruled


def test_tokens_that_have_ended_and_old_answers_are_forgotten(place: Place) -> None:
    with place.at.store.writing() as tx:
        for digest, end in (("old", place.now + 10), ("young", place.now + 10**6)):
            tx.tokens.add(Token(digest=digest, user_id="u-1", key_id="k", created=0, expires=end))
        tx.idempotency_keys.add("u-1", "Create", "key", "sys-1", place.now)
    place.turn(3600)
    with place.at.store.reading() as tx:
        assert [each.digest for each in tx.tokens.all()] == ["young"]
        assert tx.idempotency_keys.object_of("u-1", "Create", "key") == "sys-1"
    place.turn(24 * 3600)
    with place.at.store.reading() as tx:
        assert tx.idempotency_keys.object_of("u-1", "Create", "key") is None


def fill(place: Place, days: int) -> None:
    """Tell and report something so many days ago."""
    at = place.now - days * DAY
    with place.at.store.writing() as tx:
        for read in (False, True):
            told = Alert(id=f"n-{days}-{read}", time=at, kind="idle", system_id="s-1", owner_id="u-1", message="m")
            tx.alerts.add(replace(told, acknowledged=read))
        for status in (ReportStatus.READY, ReportStatus.FAILED, ReportStatus.PENDING):
            report = Report(id=f"r-{days}-{status}", asked_by="u-1", owner_id="u-1", start=0, end=1, created=at)
            tx.reports.add(replace(report, status=status))
            tx.reports.fill([line(report.id, number) for number in (1, 2)])


def line(report_id: str, number: int) -> ReportEntry:
    return ReportEntry(
        report_id=report_id, number=number, system_id="s-1", system_name="one", owner_id="u-1", owner_name="ann",
        cloud="c", product="p", version="1", instance_type="small", session_id="x-1", meter="VM", start=0, end=1,
        price_micros=1,
    )  # fmt: skip


def left(place: Place) -> tuple[set[str], set[str], set[str]]:
    """Which alerts, reports and lines of reports there are."""
    with place.at.store.reading() as tx:
        lines = set(tx.connection.execute(sa.select(REPORT_ENTRIES.c.report_id)).scalars())
        return {it.id for it in tx.alerts.all()}, {it.id for it in tx.reports.all()}, lines


def test_old_alerts_and_reports_are_forgotten_and_young_ones_stay(memory: Store) -> None:
    """Read or not; a report that is still to be made stays, however old it is."""
    place = ruled(memory, keep_alerts_days=30, keep_reports_days=90)
    for days in (29, 31, 89, 91):
        fill(place, days)
    forget(place.at.backend, place.now)
    alerts, reports, lines = left(place)
    assert alerts == {"n-29-False", "n-29-True"}
    assert reports == lines == {f"r-{days}-{it}" for days in (29, 31, 89) for it in (1, 2, 3)} | {"r-91-1"}


@pytest.mark.parametrize("days", [31, 36_500])
def test_what_is_kept_for_ever_is_never_forgotten(memory: Store, days: int) -> None:
    place = ruled(memory, keep_alerts_days=0, keep_reports_days=0)
    fill(place, days)
    before = left(place)
    forget(place.at.backend, place.now)
    assert left(place) == before


def test_more_than_fits_into_one_transaction_is_forgotten_too(memory: Store) -> None:
    place = ruled(memory, keep_alerts_days=1, keep_reports_days=1)
    with memory.writing() as tx:
        for number in range(501):
            tx.alerts.add(Alert(id=f"n-{number}", time=0, kind="k", system_id="", owner_id="u-1", message="m"))
        for number in range(11):
            old = Report(id=f"r-{number}", asked_by="u-1", owner_id="", start=0, end=1, created=0)
            tx.reports.add(replace(old, status=ReportStatus.READY))
    forget(place.at.backend, place.now)
    assert left(place) == (set(), set(), set())


def test_money_deeds_and_systems_are_never_forgotten(memory: Store) -> None:
    place = ruled(memory, keep_alerts_days=1, keep_reports_days=1)
    one = place.started(idle_minutes=-1)
    place.at.api.wishes.terminate(place.at.ann, one)
    place.pass_by(20, 2)

    def kept() -> list[int]:
        with memory.reading() as tx:
            tables = (tx.systems, tx.sessions, tx.ledger, tx.events)
            return [len(each.all()) for each in tables]

    before = kept()
    forget(place.at.backend, place.now + 100 * 365 * DAY)
    assert kept() == before
    assert min(before) > 0
