"""A report has what was used in its span, cut at its edges, and its total is the sum of its lines."""

from __future__ import annotations

from puddle.server.domain.cost import Span
from puddle.server.domain.trail import Report, ReportEntry, ReportStatus
from puddle.server.faults import Crash, Point, armed, crash_at
from puddle.server.reconcile import reporting
from tests.puddle.reconcile.places import Place


def report(place: Place, start: int, end: int, **more: bool) -> tuple[Report, list[ReportEntry]]:
    asked = place.at.api.reports.create(place.at.ann, start, end, **more)
    place.turn(2)
    return (
        place.at.api.reports.get(place.at.ann, asked.id),
        place.at.api.reports.entries(place.at.ann, asked.id, 0, 100),
    )


def test_sessions_are_cut_at_the_edges_and_open_ones_count_up_to_now(place: Place) -> None:
    one = place.started()
    began = place.system(one).session_started
    place.pass_by(600, 60)
    made, (entry,) = report(place, began + 100, place.now + 5000)
    assert (entry.start, entry.end) == (began + 100, place.now)
    assert made.status is ReportStatus.READY
    assert made.total == Span(900_000, entry.start, entry.end).amount
    assert (entry.system_name, entry.owner_name, entry.instance_type) == ("one", "ann", "small")
    assert (entry.cloud, entry.product, entry.version, entry.meter) == ("simulated", "simulated", "1", "VM")
    _, (cut,) = report(place, began, began + 50)
    assert (cut.start, cut.end) == (began, began + 50)


def test_all_meters_are_in_it_and_the_total_is_their_sum(place: Place) -> None:
    one = place.started()
    began = place.system(one).session_started
    place.at.api.images.build(place.at.ada, "simulated", "simulated", "2.0")
    place.at.api.wishes.snapshot(place.at.ann, one, "s")
    place.pass_by(600, 60)
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(600, 60)
    made, entries = report(place, began - 100, place.now + 1, everybody=True)
    assert {entry.meter for entry in entries} >= {"VM", "DISK", "SNAPSHOT"}
    assert made.total == sum(Span(it.price_micros, it.start, it.end).amount for it in entries)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))


def test_somebody_elses_systems_are_only_in_everybodys_report(place: Place) -> None:
    mine = place.started()
    place.at.create(place.at.ben)
    place.pass_by(60, 10)
    _, entries = report(place, place.now - 1000, place.now)
    assert {entry.system_id for entry in entries} == {mine}
    _, entries = report(place, place.now - 1000, place.now, everybody=True)
    assert {entry.owner_name for entry in entries} == {"ann", "ben"}


def test_a_span_in_which_nothing_ran_is_an_empty_report(place: Place) -> None:
    made, entries = report(place, place.now - 100, place.now)
    assert (made.status, made.total, entries) == (ReportStatus.READY, 0, [])


def test_a_report_is_made_whole_or_not_at_all(place: Place) -> None:
    place.started()
    asked = place.at.api.reports.create(place.at.ann, place.now - 1000, place.now)
    try:
        with armed(crash_at(Point.REPORTING)):
            place.turn(2)
    except Crash:
        place.loop = place.another_loop("two")
    assert place.at.api.reports.get(place.at.ann, asked.id).status is ReportStatus.PENDING
    place.turn(2)
    assert place.at.api.reports.get(place.at.ann, asked.id).status is ReportStatus.READY
    assert len(place.at.api.reports.entries(place.at.ann, asked.id, 0, 100)) == 1


def test_a_report_that_cannot_be_made_has_failed_and_says_so(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(reporting, "_entries", lambda *_given: 1 / 0)
    made, entries = report(place, place.now - 1000, place.now)
    assert (made.status, entries) == (ReportStatus.FAILED, [])
    assert made.detail
