"""The pure parts of the benchmarks: ratios, tables, and whether a peer's answer is ours. Nothing is measured here."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "benchmarks"))
try:
    import report
    import results
    import workloads
finally:
    sys.path.remove(str(ROOT / "benchmarks"))


def entry(*rounds, differences=None, failed=None):
    numbers = [{peer: {"seconds": s, "cpu": 2 * s} for peer, s in each.items()} for each in rounds]
    return {
        "date": "2026-01-02",
        "machine": "2 cores",
        "versions": {"av": "18"},
        "rounds": numbers,
        "differences": differences or {},
        "failed": failed or {},
    }


THREE = entry(
    {"scanner": 1.0, "hand": 0.8, "opencv": 2.0, "pyav": 3.0},
    {"scanner": 2.0, "hand": 1.0, "opencv": 2.2, "pyav": 3.0},
    {"scanner": 1.1, "hand": 1.0, "opencv": 4.4, "pyav": 1.0},
    differences={"opencv": "equal", "pyav": "0.5"},
)


def test_a_ratio_is_of_the_medians_and_its_spread_of_the_rounds():
    found = report.ratio(THREE, "opencv")
    assert (found.middle, found.least, found.greatest) == pytest.approx((2.0, 1.1, 4.0))
    assert str(found) == "2.00 (1.10–4.00)"


def test_a_ratio_takes_only_rounds_in_which_both_ran():
    found = report.ratio(entry({"scanner": 1.0, "opencv": 3.0}, {"scanner": 9.0}), "opencv")
    assert (found.middle, found.least, found.greatest) == (3.0, 3.0, 3.0)


def test_the_best_peer_is_the_fastest_of_its_group_whose_answer_is_ours():
    assert report.best(THREE, workloads.LIBRARIES) == "opencv"
    wrong = {**THREE, "differences": {"opencv": "**differs**: 3 where ours is 4", "pyav": "equal"}}
    assert report.best(wrong, workloads.LIBRARIES) == "pyav"
    assert report.best(THREE, workloads.DATAFLOW) is None


def test_the_tables_hold_seconds_cpu_ratios_and_failures():
    w5 = workloads.BY_NAME["W5"]
    numbers = {**THREE, "failed": {"daft": "none in 120 s"}}
    text = report.generated({"W5": numbers}, workloads.ALL)
    assert "W5: 2026-01-02, 2 cores, 3 rounds; av 18." in text
    assert "| W5 | 1.00 (2.00) | 1.10 (2.20) | 2.20 (4.40) | 3.00 (6.00) | none in 120 s |" in text
    assert f"| W5 | {w5.what} | 1.10 s | the best library, OpenCV | 2.20 s | 2.00 (1.10–4.00) | 2.00 | 1.5 |" in text
    assert "| yes, and the last | +10% |" in text
    assert "W6" not in text


def test_results_are_compared_even_where_nothing_was_timed():
    text = report.differences({"W5": entry(differences={"decord": "0.5"})}, [workloads.BY_NAME["W5"]])
    assert "|  | decord |" in text
    assert "| W5 | 0.5 |" in text


@pytest.mark.parametrize(
    ("peer", "reached"), [(1.4, "| 1.5 | no |"), (1.6, "| 1.5 | yes |"), (2.5, "| 1.5 | yes, and the last |")]
)
def test_a_target_is_reached_by_the_ratio_alone(peer, reached):
    w5 = workloads.BY_NAME["W5"]
    assert reached in report.targets({"W5": entry({"scanner": 1.0, "pyav": peer})}, [w5])


def test_only_what_is_between_the_markers_is_made_anew():
    page = f"# Title\n\nby hand\n\n{report.BEGIN}\nold\n{report.END}\nthe end\n"
    made = report.document(page, {"W5": THREE}, workloads.ALL)
    assert made.startswith(f"# Title\n\nby hand\n\n{report.BEGIN}\n\nW5: ")
    assert made.endswith(f"{report.END}\nthe end\n")
    assert "old" not in made
    assert report.document(made, {"W5": THREE}, workloads.ALL) == made


def test_the_page_has_the_markers():
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    assert page.index(report.BEGIN) < page.index(report.END)


def test_equal_results_are_called_equal():
    counts = np.full((4, 3, 16), 10)
    assert str(results.compare("histogram", counts, counts)) == "equal"


def test_a_histogram_is_off_by_the_share_of_pixels_in_another_bin():
    ours = np.zeros((1, 3, 16), np.int32)
    ours[..., 0] = 100
    theirs = ours.copy()
    theirs[0, 0, :2] = [97, 3]
    assert results.compare("histogram", ours, theirs).measured == pytest.approx(0.01)
    theirs[0, :, :2] = [50, 50]
    assert not results.compare("histogram", ours, theirs).within


def test_results_of_other_rows_or_another_number_of_rows_are_not_ours():
    ours = np.arange(5 * 20 * 20 * 3).reshape(5, 20, 20, 3).astype(np.uint8)
    assert results.compare("thumbnail", ours, ours + (ours < 200)).within
    assert not results.compare("thumbnail", ours, np.roll(ours, 1, axis=0)).within
    fewer = results.compare("thumbnail", ours, ours[:4])
    assert not fewer.within
    assert "[4, 20, 20, 3] where ours is [5, 20, 20, 3]" in str(fewer)


def test_the_workloads_are_those_of_the_targets():
    assert [w.name for w in workloads.ALL][:9] == [f"W{n}" for n in range(1, 10)]
    for workload in workloads.ALL:
        rows = workload.rows_of(workload.clips[0])
        assert list(rows) == sorted(set(rows))
        assert rows[-1] < workload.clips[0].frames
    assert len(workloads.BY_NAME["W3"].rows) == 100
    assert len(workloads.BY_NAME["W4"].rows) == 500
    assert sum(clip.frames for clip in workloads.BY_NAME["W8"].clips) == 5000
