"""`scanner ingest`: which files are taken, what they are called, and what is said of those that fail."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from scannerpy import cli
from scannerpy.errors import ScannerException

run = CliRunner().invoke


@pytest.fixture
def films(tmp_path, clip):
    """A folder of two films and a text, and one film more below."""
    folder = tmp_path / "films"
    (folder / "more").mkdir(parents=True)
    for name in ("one.mp4", "two.mp4", "more/three.mp4"):
        shutil.copy(clip(30), folder / name)
    (folder / "notes.txt").write_text("not a film")
    return folder


def ingest(tmp_path, *arguments):
    return run(cli.app, ["ingest", *map(str, arguments), "--db", str(tmp_path / "db"), "--json"])


def names(result):
    return [table["name"] for table in json.loads(result.stdout)["tables"]]


def test_a_folder_means_all_videos_below(tmp_path, films):
    result = ingest(tmp_path, films)
    assert result.exit_code == 0
    assert sorted(names(result)) == ["one", "three", "two"]


def test_a_pattern_means_what_it_matches(tmp_path, films):
    assert names(ingest(tmp_path, f"{films}/t*.mp4")) == ["two"]
    assert sorted(names(ingest(tmp_path, f"{films}/**/*.mp4", "--force"))) == ["one", "three", "two"]


@pytest.mark.parametrize(("way", "name"), [("stem", "one"), ("name", "one.mp4"), ("path", "{folder}/one.mp4")])
def test_names(tmp_path, films, way, name):
    assert names(ingest(tmp_path, films / "one.mp4", "--name-from", way)) == [name.format(folder=films)]


def test_two_files_of_one_name_are_refused_with_the_way_out(tmp_path, films, clip):
    shutil.copy(clip(30), films / "more" / "one.mp4")
    assert "--name-from path" in str(ingest(tmp_path, films).exception)
    assert ingest(tmp_path, films, "--name-from", "path").exit_code == 0


def test_files_that_fail_have_a_sentence_each_and_the_status_says_so(tmp_path, films):
    (films / "broken.mp4").write_bytes(b"no video at all")
    result = ingest(tmp_path, films)
    assert result.exit_code == 1
    [failure] = json.loads(result.stdout)["failures"]
    assert failure["path"].endswith("broken.mp4")
    assert "is text, not a video" in failure["reason"]
    assert len(names(result)) == 3


def test_when_all_fail_the_status_is_2(tmp_path, films):
    (films / "broken.mp4").write_bytes(b"no video at all")
    assert ingest(tmp_path, films / "broken.mp4").exit_code == 2


def test_a_name_that_is_taken_is_refused_unless_forced(tmp_path, films):
    ingest(tmp_path, films / "one.mp4")
    assert "--force" in str(ingest(tmp_path, films / "one.mp4").exception)
    assert ingest(tmp_path, films / "one.mp4", "--force").exit_code == 0


def test_in_place(tmp_path, films):
    [table] = json.loads(ingest(tmp_path, films / "one.mp4", "--inplace").stdout)["tables"]
    assert table["in_place"]


def test_what_people_read(tmp_path, films):
    (films / "broken.mp4").write_bytes(b"no video at all")
    result = run(cli.app, ["ingest", str(films), "--db", str(tmp_path / "db")])
    assert "3 of 4 videos ingested, 1 could not be read" in result.stdout
    assert "64×48" in result.stdout
    assert "broken.mp4" in result.stderr


def test_nothing_to_ingest_is_a_sentence(tmp_path):
    result = ingest(tmp_path, tmp_path / "*.mp4")
    assert isinstance(result.exception, ScannerException)
    assert "matches nothing" in str(result.exception)
