"""Images of H2O-3: the jar is taken out of an archive of a package index, and nothing of it is run."""

import hashlib
import io
import socket
import tarfile
import zipfile
from contextlib import contextmanager

import httpx
import pytest

from puddle.server.clouds.base import StepFailed
from puddle.server.products import h2o3_image
from puddle.server.products.h2o3_image import H2O3Image
from puddle.testing.products import serve

JAR = b"this stands for a jar\n" * 100
SUM = hashlib.sha256(JAR).hexdigest()
INSIDE = "h2o/backend/bin/h2o.jar"


@pytest.fixture(autouse=True)
def java(tmp_path, monkeypatch):
    """A program that says it is Java, alone on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "java"
    program.write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\" 2021-10-19' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return program


def wheel(name=INSIDE):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, JAR)
    return packed.getvalue()


def source(name=f"h2o-1.2.3/{INSIDE}"):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for member, content in ((name, JAR), ("h2o-1.2.3/setup.py", b"raise SystemExit('it was run')")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@contextmanager
def index(files, digests=None):
    """A package index with one package."""

    def answer(path):
        name = path.rpartition("/")[2]
        if path == "/simple/h2o/":
            links = (f'<a href="../../f/{file}{_fragment(file)}">{file}</a>' for file in files)
            return 200, [f"<html><body>{' '.join(links)}</body></html>".encode()]
        return (200, [files[name]]) if name in files else (404, [b""])

    def _fragment(file):
        digest = (digests or {}).get(file, hashlib.sha256(files[file]).hexdigest())
        return f"#sha256={digest}" if digest else ""

    with serve(answer) as port:
        yield f"http://user:not-to-be-shown@127.0.0.1:{port}/simple"


def build(address, tmp_path, version="1.2.3"):
    folder = tmp_path / "image"
    folder.mkdir(exist_ok=True)
    try:
        return H2O3Image(address, use_installed=False).build(version, str(folder), str(tmp_path / "log"))
    finally:
        assert not (folder / "download").exists()
        assert "not-to-be-shown" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("name", "archive"),
    [("h2o-1.2.3-py2.py3-none-any.whl", wheel()), ("h2o-1.2.3.tar.gz", source())],
    ids=["wheel", "source"],
)
def test_the_jar_is_taken_out_of_either_kind_of_archive(name, archive, tmp_path):
    """The log tells each step, and the checksum is that of the jar."""
    with index(
        {name: archive, "h2o-1.2.30.tar.gz": b"another version", "h2o-1.2.3.tar.gz.asc": b"no archive"}
    ) as address:
        assert build(address, tmp_path) == f"sha256:{SUM}"
    assert (tmp_path / "image" / "h2o.jar").read_bytes() == JAR
    log = (tmp_path / "log").read_text()
    for words in ("building an image of H2O-3 1.2.3", "Java: openjdk version", f"fetching {name} from 127.0.0.1", SUM):
        assert words in log


def test_an_archive_that_is_not_what_the_index_says_is_refused(tmp_path):
    """It is not taken out of its archive at all."""
    name = "h2o-1.2.3.tar.gz"
    with index({name: source()}, {name: "0" * 64}) as address, pytest.raises(StepFailed, match="not what the package"):
        build(address, tmp_path)
    assert not (tmp_path / "image" / "h2o.jar").exists()


def test_a_jar_that_is_not_the_one_we_know_is_refused(tmp_path, monkeypatch):
    """Though the index says it is right; one that we know is taken without a checksum of the index."""
    files, untold = {"h2o-1.2.3.tar.gz": source()}, {"h2o-1.2.3.tar.gz": ""}
    monkeypatch.setattr(h2o3_image, "KNOWN", {"1.2.3": "0" * 64})
    with index(files) as address, pytest.raises(StepFailed, match="that we know") as failed:
        build(address, tmp_path)
    assert failed.value.for_ever
    assert not (tmp_path / "image" / "h2o.jar").exists()
    monkeypatch.setattr(h2o3_image, "KNOWN", {"1.2.3": SUM})
    with index(files, untold) as address:
        assert build(address, tmp_path) == f"sha256:{SUM}"
    assert "as expected" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "archive", [source("h2o-1.2.3/other"), b"no archive", source()[:60]], ids=["another file", "no archive", "cut off"]
)
def test_an_archive_without_a_jar_is_refused(archive, tmp_path):
    """Another file, no archive at all, or one that was cut off."""
    with index({"h2o-1.2.3.tar.gz": archive}) as address, pytest.raises(StepFailed, match=r"has no h2o\.jar in it"):
        build(address, tmp_path)


def test_a_version_nobody_has_is_refused(tmp_path):
    """By the index, or before it is asked."""
    with index({"h2o-1.2.3.tar.gz": b""}) as address:
        for version, why in (
            ("1.2.4", "has no H2O-3 1.2.4"),
            ("../1", "is not a version"),
            ("1.2.3\n", "is not a version"),
        ):
            with pytest.raises(StepFailed, match=why) as failed:
                build(address, tmp_path, version)
            assert failed.value.for_ever
    assert "failed: the package index has no H2O-3 1.2.4" in (tmp_path / "log").read_text()


def test_an_index_that_cannot_be_reached_may_be_tried_again(tmp_path):
    """Nobody listens; or it knows nothing of H2O-3."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # so that nobody else listens there
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        with pytest.raises(StepFailed, match="cannot be reached") as failed:
            build(address, tmp_path)
    assert not failed.value.for_ever
    with index({}) as address, pytest.raises(StepFailed, match="answers for h2o with status 404"):
        build(address.replace("/simple", "/nothing"), tmp_path)


def test_without_java_nothing_is_fetched(tmp_path, java):
    """None, or one that is too old."""
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_292\"' >&2\n")
    with pytest.raises(StepFailed, match="needs Java 11 or newer"):
        build("http://127.0.0.1:1", tmp_path)
    java.unlink()
    with pytest.raises(StepFailed, match="there is none here") as failed:
        build("http://127.0.0.1:1", tmp_path)
    assert (failed.value.reason, failed.value.for_ever) == ("NO_JAVA", True)


@pytest.mark.parametrize(("version", "told"), [("17.0.15", False), ("25.0.5", True)])
def test_a_java_that_is_newer_than_h2o_3_knows_is_used_and_told(tmp_path, java, version, told):
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    with index({"h2o-1.2.3.tar.gz": source()}) as address:
        build(address, tmp_path)
    assert ("up to 17; it is run on this one all the same" in (tmp_path / "log").read_text()) is told


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """As on a full disk."""
    with index({"h2o-1.2.3.tar.gz": source()}) as address, pytest.raises(StepFailed) as failed:
        H2O3Image(address, use_installed=False).build("1.2.3", str(tmp_path / "none"), str(tmp_path / "log"))
    assert failed.value.reason == "DISK_FULL"
    assert "failed: No such file" in (tmp_path / "log").read_text()


def test_the_index_is_pips(monkeypatch):
    """Wherever that was set: pip is asked."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/mirror/simple")
    assert h2o3_image.pip_index() == "http://127.0.0.1:1/mirror/simple"


def test_versions_are_newest_first(monkeypatch):
    """By their numbers; the one that is installed is among them."""
    monkeypatch.setattr(h2o3_image, "KNOWN", {"3.46.0.9": "", "3.46.0.10": "", "3.44.0.3": ""})
    monkeypatch.setattr(h2o3_image, "_installed", lambda: "3.46.0.12")
    assert h2o3_image.buildable() == ("3.46.0.12", "3.46.0.10", "3.46.0.9", "3.44.0.3")


def test_an_index_with_tls_leads_nowhere_without_it():
    """What has no checksum of ours could be changed on the way."""
    with h2o3_image.index_client("", tls=True) as client, pytest.raises(StepFailed, match="without TLS"):
        client.get("http://127.0.0.1:9/h2o.whl")
    with h2o3_image.index_client("", tls=False) as client, pytest.raises(httpx.ConnectError):
        client.get("http://127.0.0.1:9/h2o.whl")
