"""Cache modes: which jobs run when outputs exist."""

from __future__ import annotations

import pytest

from scannerpy._client.caching import Status, jobs_to_run
from scannerpy.common import CacheMode
from scannerpy.errors import StreamExists

MISSING, PARTIAL, COMMITTED = Status.MISSING, Status.PARTIAL, Status.COMMITTED


def name(job: int, sink: int) -> str:
    return f"NamedStream 'out-{job}-{sink}'"


@pytest.mark.parametrize("mode", CacheMode)
def test_with_nothing_there_every_job_runs(mode) -> None:
    assert jobs_to_run(mode, [[MISSING], [MISSING]], name) == (0, 1)


@pytest.mark.parametrize("mode", CacheMode)
def test_an_uncommitted_output_counts_as_missing(mode) -> None:
    assert jobs_to_run(mode, [[PARTIAL, MISSING]], name) == (0,)


def test_error_mode_names_the_stream_and_the_way_out() -> None:
    with pytest.raises(StreamExists, match=r"NamedStream 'out-1-0'.*and 1 more.*cache_mode"):
        jobs_to_run(CacheMode.Error, [[MISSING], [COMMITTED], [COMMITTED]], name)


def test_ignore_mode_skips_what_is_committed() -> None:
    assert jobs_to_run(CacheMode.Ignore, [[COMMITTED], [PARTIAL], [MISSING]], name) == (1, 2)


def test_ignore_mode_wants_the_outputs_of_a_job_to_agree() -> None:
    with pytest.raises(StreamExists, match=r"out-0-1.*out-0-0.*Overwrite"):
        jobs_to_run(CacheMode.Ignore, [[MISSING, COMMITTED]], name)


def test_overwrite_mode_runs_all() -> None:
    assert jobs_to_run(CacheMode.Overwrite, [[COMMITTED], [MISSING]], name) == (0, 1)
