"""Images of H2O-3: one file, `h2o.jar`, as the Python package `h2o` of the same version carries it.

Nothing of the package is run, not even its set-up: the jar is copied from the package that is installed beside the
server, or taken out of the archive that the package index offers. The index is the one pip is configured for; pip is
asked which, and does no more, since it would run the set-up of a source archive to "download" it.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import importlib.metadata
import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx

from puddle.server.clouds.base import StepFailed

KNOWN: Mapping[str, str] = {
    "3.46.0.12": "63fc2fd736eb46636828ad5da52267599c3b76a1a8a7078afc1f6bd478625e96",
    "3.46.0.11": "727bab12d915b8b42dcbdb3b59595311e61382a0f8f66d25b546ad5a4497914e",
}
"""SHA-256 of `h2o.jar` by version, as they were on 2026-11-25. Others are built too, and what is found is recorded."""

JAR = "h2o/backend/bin/h2o.jar"
LARGEST = 2 << 30
PATIENCE = 60.0
CERTIFIED_JAVA = 17
"""The newest Java that H2O-3 3.46 is certified for."""
Say = Callable[[str], None]


def buildable() -> Sequence[str]:
    """Return the versions we know, and the one that is installed here, newest first."""
    versions = {*KNOWN, *filter(None, [_installed()])}
    return tuple(sorted(versions, key=lambda version: [int(part) for part in version.split(".")], reverse=True))


class H2O3Image:
    """The recipe. `index`: the address of a package index, where it is not to be pip's."""

    def __init__(self, index: str = "", *, use_installed: bool = True) -> None:
        """`use_installed`: take the jar of the package installed here where it has the very version."""
        self._index = index
        self._use_installed = use_installed

    def build(self, version: str, folder: str, log: str) -> str:
        """Put `h2o.jar` into `folder`; return its checksum. Raises StepFailed."""
        with Path(log).open("a", encoding="utf-8") as lines:

            def say(line: str) -> None:
                lines.write(line + "\n")
                lines.flush()

            try:
                return self._build(version, Path(folder), say)
            except StepFailed as failure:
                say(f"failed: {failure.sentence}")
                raise
            except OSError as error:
                say(f"failed: {error.strerror or error}")
                raise StepFailed("DISK_FULL", f"the image cannot be written: {error.strerror or error}") from None

    def _build(self, version: str, folder: Path, say: Say) -> str:
        say(f"building an image of H2O-3 {version}")
        if not re.fullmatch(r"\d{1,4}(\.\d{1,4}){2,4}", version):
            raise StepFailed("NOT_FOUND", f"{version[:40]!r} is not a version of H2O-3, as 3.46.0.12 is", for_ever=True)
        _check_java(say)
        jar = folder / "h2o.jar"
        if self._use_installed and _installed() == version:
            _copy_installed(jar, say)
        else:
            self._fetch(version, jar, say)
        return _checked(jar, version, say)

    def _fetch(self, version: str, jar: Path, say: Say) -> None:
        index, trusted = (self._index, "") if self._index else (pip_index(), _pips("cert"))
        archive = jar.with_name("download")
        try:
            with index_client(trusted, tls=index.startswith("https:")) as client:
                name, url, digest = _find(client, index, version)
                say(f"fetching {name} from {urlsplit(url).hostname}")
                found = _download(client, url, archive)
            say(f"fetched {archive.stat().st_size} bytes, sha256:{found}")
            if digest and digest != found:
                raise StepFailed("CHECKSUM", f"{name} is not what the package index says it is; build it again")
            _unpack(name, archive, jar, say)
        except httpx.HTTPError as error:
            raise StepFailed("UNREACHABLE", f"the package index cannot be reached ({type(error).__name__})") from None
        finally:
            archive.unlink(missing_ok=True)


def _check_java(say: Say) -> None:
    java = shutil.which("java")
    if java is None:
        raise StepFailed("NO_JAVA", "H2O-3 needs Java, and there is none here: install Java 11 or newer", for_ever=True)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    first = said.strip().partition("\n")[0]
    say(f"Java: {first}")
    major = re.search(r'version "(?:1\.)?(\d+)', first)
    if major and int(major[1]) < 9:
        raise StepFailed("NO_JAVA", f"H2O-3 needs Java 11 or newer, and here is {first}", for_ever=True)
    if major and int(major[1]) > CERTIFIED_JAVA:
        say(f"its makers certify H2O-3 for Java up to {CERTIFIED_JAVA}; it is run on this one all the same")


# from the package installed here


def _installed() -> str:
    """Return the version of the package `h2o` installed here, if it has a jar; else an empty one."""
    try:
        distribution = importlib.metadata.distribution("h2o")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return distribution.version if Path(str(distribution.locate_file(JAR))).is_file() else ""


def _copy_installed(jar: Path, say: Say) -> None:
    source = str(importlib.metadata.distribution("h2o").locate_file(JAR))
    say("taking the jar of the Python package h2o that is installed here, which has this version")
    shutil.copyfile(source, jar)


# from the package index


def pip_index() -> str:
    """Return the index pip is configured for. It may hold a login: never to be shown."""
    told = _pips("index-url") or _pips_own_index()
    if not told:
        sentence = "pip does not say which package index it uses; install the package h2o beside the server instead"
        raise StepFailed("UNREACHABLE", sentence, for_ever=True)
    return told


def _pips(setting: str) -> str:
    """Return a setting of pip, from its files and its environment as pip reads them; empty where there is none."""
    lines = dict(line.partition("=")[::2] for line in _pip("config", "list").splitlines())
    found = (lines.get(f"{section}.{setting}") for section in (":env:", "download", "global"))
    return next((str(ast.literal_eval(value)) for value in found if value), "")


def _pips_own_index() -> str:
    """Return the index pip uses where nothing is set, which its help tells."""
    found = re.search(r"--index-url\b.*?\(default\s+(\S+?)\)", _pip("download", "--help"), re.DOTALL)
    return found[1] if found else ""


def _pip(*words: str) -> str:
    wide = {**os.environ, "COLUMNS": "4000"}
    command = [sys.executable, "-m", "pip", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=wide).stdout


def index_client(trusted: str, *, tls: bool) -> httpx.Client:
    """Return a client that trusts the authorities in the file `trusted`, or the usual ones where it is empty.

    With `tls` neither a link nor a redirection leads it to where there is none.
    """
    context = ssl.create_default_context(cafile=trusted or None)
    hooks = {"request": [_refuse_plain]} if tls else {}
    return httpx.Client(timeout=PATIENCE, follow_redirects=True, verify=context, event_hooks=hooks)


def _refuse_plain(request: httpx.Request) -> None:
    if request.url.scheme != "https":
        raise StepFailed("REFUSED", "the package index leads to an address without TLS", for_ever=True)


class _Links(HTMLParser):
    """The links of a page of a package index (PEP 503)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _find(client: httpx.Client, index: str, version: str) -> tuple[str, str, str]:
    """Return name, address and SHA-256 (if told) of the archive of a version."""
    page = client.get(index.rstrip("/") + "/h2o/", headers={"Accept": "text/html"})
    if page.status_code >= 400:
        raise StepFailed("UNREACHABLE", f"the package index answers for h2o with status {page.status_code}")
    links = _Links()
    links.feed(page.text)
    for url in sorted((urljoin(str(page.url), link) for link in links.found), key=_wheels_first):
        address, fragment = urldefrag(url)
        name = unquote(urlsplit(address).path.rpartition("/")[2])
        if re.fullmatch(rf"h2o-{re.escape(version)}(\.tar\.gz|-[\w.]+-none-any\.whl)", name):
            return name, address, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
    raise StepFailed("NOT_FOUND", f"the package index has no H2O-3 {version}", for_ever=True)


def _wheels_first(url: str) -> bool:
    return ".whl" not in url


def _download(client: httpx.Client, url: str, to: Path) -> str:
    digest, size = hashlib.sha256(), 0
    with client.stream("GET", url) as response, to.open("wb") as file:
        response.raise_for_status()
        for chunk in response.iter_bytes(1 << 20):
            size += len(chunk)
            if size > LARGEST:
                raise StepFailed("REFUSED", f"the archive is larger than {LARGEST} bytes", for_ever=True)
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _unpack(name: str, archive: Path, jar: Path, say: Say) -> None:
    """Take the one file out; nothing else of the archive is unpacked or run."""
    say("taking h2o.jar out of it")
    try:
        if name.endswith(".whl"):
            with zipfile.ZipFile(archive) as wheel, wheel.open(JAR) as source:
                _copy(source, jar)
        else:
            _unpack_source(archive, jar)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError):
        raise StepFailed("NOT_FOUND", f"{name} has no h2o.jar in it", for_ever=True) from None


def _unpack_source(archive: Path, jar: Path) -> None:
    with tarfile.open(archive, "r:gz") as packed:
        for member in packed:
            source = packed.extractfile(member) if member.isfile() and member.name.endswith("/" + JAR) else None
            if source is not None:
                return _copy(source, jar)
    raise KeyError(JAR)


def _copy(source: IO[bytes], to: Path) -> None:
    left = LARGEST
    with to.open("wb") as file:
        while chunk := source.read(1 << 20):
            left -= len(chunk)
            if left < 0:
                raise StepFailed("REFUSED", f"h2o.jar is larger than {LARGEST} bytes", for_ever=True)
            file.write(chunk)


def _checked(jar: Path, version: str, say: Say) -> str:
    with jar.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    expected = KNOWN.get(version)
    if expected not in {None, digest}:
        jar.unlink()
        raise StepFailed(
            "CHECKSUM", f"this is not the h2o.jar of {version} that we know: sha256:{digest}", for_ever=True
        )
    say(f"h2o.jar: {jar.stat().st_size} bytes, sha256:{digest}, {'as expected' if expected else 'not known to us yet'}")
    return f"sha256:{digest}"
