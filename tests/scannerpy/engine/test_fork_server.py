"""The server that workers are forked by may be killed at any moment: the next worker comes from another one."""

import os
import socket
import tempfile
from multiprocessing import forkserver
from pathlib import Path

import pytest

from scannerpy._engine.pool import Pool


@pytest.fixture
def ending():
    """A fork server (a fake) that was just killed: its socket is closed, and in a third of a second it is gone."""
    server = forkserver._forkserver  # there is no public way
    server._stop()
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path: the paths of sockets must be short
        server._forkserver_address = str(Path(folder) / "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(server._forkserver_address)
        server._forkserver_authkey = b"k" * 32  # of Python 3.14
        server._forkserver_alive_fd = os.open(os.devnull, os.O_RDONLY)
        server._forkserver_pid = os.posix_spawnp("sleep", ["sleep", "0.33"], os.environ)
        yield server._forkserver_pid
    server._stop()


def test_a_server_that_is_just_ending_is_replaced(ending):
    pool = Pool()
    worker = pool.acquire()
    assert worker.alive
    assert forkserver._forkserver._forkserver_pid != ending
    pool.release(worker)
    pool.close()
