"""A kernel that cannot close takes nothing with it: results are stored by then. The same in both bodies."""

import sys
from multiprocessing import forkserver
from typing import Any

import pytest

import scannerpy as sp


@sp.register_python_op()
class Clingy(sp.Kernel):
    def execute(self, frame: sp.FrameType) -> Any:
        return 1

    def close(self):
        raise ValueError("I will not go")


@sp.register_python_op()
class Tidy(sp.Kernel):
    def execute(self, value: Any) -> Any:
        return value

    def close(self):
        sys.stderr.write("closed all the same\n")


@pytest.fixture
def heard(capfd):
    """What is written to stderr, also by workers: the server that forks them has the stderr it was started with."""
    forkserver._forkserver._stop()  # there is no public way
    yield capfd
    forkserver._forkserver._stop()


@pytest.mark.parametrize("debug", [True, False], ids=["inline", "processes"])
def test_a_kernel_that_raises_in_close_only_gets_a_warning(config, clip, heard, debug):
    with sp.Client(config=config, debug=debug, workers=None if debug else ["localhost:5002"]) as cl:
        film = sp.NamedVideoStream(cl, "film", path=clip(30))
        out = sp.NamedStream(cl, "out")
        made = cl.ops.Tidy(value=cl.ops.Clingy(frame=cl.io.Input([film])))
        job = cl.run(cl.io.Output(made, [out]), show_progress=False)
        assert cl.job_status(job).result.success
        assert list(out.load()) == [1] * 30
    err = heard.readouterr().err
    assert "Clingy" in err
    assert "failed in close: ValueError: I will not go" in err
    assert "closed all the same" in err
