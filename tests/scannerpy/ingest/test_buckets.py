"""Files in buckets become tables like any others: by URL, or by key where the database is in the same bucket."""

from __future__ import annotations

import email.utils
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scannerpy._store import bucket_file
from scannerpy._store.objects import memory, open_local
from scannerpy._store.remote import RemoteObjects
from scannerpy._store.state import State
from scannerpy._video.column import FrameColumn
from scannerpy._video.ingest import Known, ingest
from scannerpy.errors import IngestError
from scannerpy.testing import videos
from tests.clips import number_of, write_clip


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("s3://films/a/b c.mp4", ("s3", "films", "", {})),
        ("gs://films/x.mp4", ("gcs", "films", "", {})),
        ("gcs://films/x.mp4", ("gcs", "films", "", {})),
    ],
)
def test_urls_name_a_bucket_and_a_key(tmp_path, path, where):
    found = bucket_file.find(path, open_local(tmp_path))
    assert found.bucket._made_of == where
    assert found.url == path.replace("gs://", "gcs://")


def test_a_bucket_of_the_databases_kind_is_reached_as_the_database_is():
    options = {"endpoint": "http://127.0.0.1:9", "region": "x"}
    ours = RemoteObjects.bucket("s3", "db", "scanner", options)
    assert bucket_file.find("s3://films/x.mp4", ours).bucket._made_of == ("s3", "films", "", options)
    assert bucket_file.find("gs://films/x.mp4", ours).bucket._made_of == ("gcs", "films", "", {})
    assert bucket_file.find("clips/x.mp4", ours).url == "s3://db/clips/x.mp4"


@pytest.mark.parametrize("path", ["x.mp4", "/a/b.mp4", "C:odd.mp4", "http://a/b.mp4", "weird://x"])
def test_all_else_is_local(tmp_path, path):
    assert bucket_file.find(path, open_local(tmp_path)) is None
    assert bucket_file.find(str(tmp_path / "no such.mp4"), memory()) is None


@pytest.fixture
def database(tmp_path):
    objects = memory()
    objects.put("clips/good.mp4", write_clip(tmp_path / "a.mp4", 20).read_bytes())
    return objects


@pytest.mark.parametrize("inplace", [False, True])
def test_a_key_of_the_databases_own_bucket_is_copied(database, tmp_path, monkeypatch, inplace):
    staging = tmp_path / "staging"
    staging.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(staging))
    found = ingest(database, "clips/good.mp4", inplace=inplace)
    assert (found.rows, found.source.path, found.source.inplace) == (20, "memory:///clips/good.mp4", False)
    assert [number_of(frame) for frame in FrameColumn(database, found.refs).read([3, 19, 0])] == [3, 19, 0]
    assert not list(staging.iterdir())


def test_an_unchanged_file_is_not_downloaded_again(database, monkeypatch):
    known = Known(State())
    first = ingest(database, "clips/good.mp4", known=known)
    known.learn(first, now=first.source.mtime_ns / 1e9 + 3600)
    monkeypatch.setattr(RemoteObjects, "download", lambda *args: pytest.fail("downloaded again"))
    again = ingest(database, "clips/good.mp4", known=known)
    assert not again.scanned
    assert again.refs == first.refs


@pytest.mark.parametrize(
    ("key", "data", "said"),
    [
        ("none.mp4", None, r"memory:///none\.mp4 does not exist: check bucket and key"),
        ("empty.mp4", b"", r"memory:///empty\.mp4 is empty"),
        ("text.mp4", b"<Error>no</Error>\n" * 9, r"memory:///text\.mp4 is text, not a video"),
    ],
)
def test_what_is_wrong_is_said_of_the_url_not_of_a_temporary_file(database, key, data, said):
    if data is not None:
        database.put(key, data)
    with pytest.raises(IngestError, match=said):
        ingest(database, key)


def test_a_file_that_changes_meanwhile_is_refused(database, monkeypatch):
    download = RemoteObjects.download

    def slow(self, key, to):
        download(self, key, to)
        self.put(key, to.read_bytes() + b"\0" * 8)

    monkeypatch.setattr(RemoteObjects, "download", slow)
    with pytest.raises(IngestError, match="changed while it was read"):
        ingest(database, "clips/good.mp4")


class _Bucket(BaseHTTPRequestHandler):
    """A fake of S3: serves one object, and knows of no other."""

    data = b""

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        if self._answer():
            self.wfile.write(self.data)

    def _answer(self):
        found = self.path == "/films/sub/clip.mp4"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(self.data) if found else 0))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", email.utils.formatdate(1_700_000_000, usegmt=True))
        self.end_headers()
        return found

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """A fake of S3 on this machine, with one clip in it."""
    _Bucket.data = videos.make("h264-mp4", tmp_path).read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    told = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_REGION": "us-east-1"}  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_url_is_ingested_through_the_client_beside_local_files(s3, cl, tmp_path):
    local = str(write_clip(tmp_path / "local.mp4", 5))
    tables, failures = cl.ingest_videos(
        [("far", "s3://films/sub/clip.mp4"), ("near", local), ("gone", "s3://films/none.mp4")], inplace=True
    )
    assert [(table.name(), table.num_rows()) for table in tables] == [("far", 50), ("near", 5)]
    assert failures == [("s3://films/none.mp4", failures[0][1])]
    assert "s3://films/none.mp4 does not exist" in failures[0][1]
    frames = cl.table("far").column("frame").load(rows=[17])
    assert videos.read_number(next(frames)) == 17
    assert Path(local).exists()
