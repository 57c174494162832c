"""SRT captions as windows of time."""

import json

import pytest

import scannerpy as sp
from scannerpy import errors
from scannerpy.backends.captions import CaptionStream, parse_srt
from scannerpy.testing.backends import InputContract

SRT = """\ufeff1
00:00:00,500 --> 00:00:01,500
Good evening,
everyone.

2
00:00:02,000 --> 00:00:03.250 X1:40 Y1:20
<i>“Hm?”</i>

3
01:00:00,000 --> 01:00:01,000


"""


def caption(index, start, end, line):
    return {"index": index, "start": start, "end": end, "line": line}


FIRST, SECOND = caption(1, 0.5, 1.5, "Good evening, everyone."), caption(2, 2.0, 3.25, "<i>“Hm?”</i>")


def written(folder, text=SRT, encoding="utf-8", newline="\n"):
    path = folder / "film.srt"
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    return str(path)


class TestCaptions(InputContract):
    def stream(self, folder):
        return CaptionStream(written(folder), window_size=1, max_time=4.5)

    def elements(self):
        windows = [[FIRST], [FIRST], [SECOND], [SECOND]]  # a window is half open: 2.0 is not in the second
        return [json.dumps(window, ensure_ascii=False).encode() for window in windows]

    def missing(self, folder):
        return CaptionStream(str(folder / "none.srt"), 1, 4)


def test_windows_are_cut_exactly(tmp_path):
    """0.1 is no binary fraction; three of them are 0.3 all the same."""
    assert len(CaptionStream(written(tmp_path), 0.1, 0.3)) == 3
    assert len(CaptionStream(written(tmp_path), 1, 3601)) == 3601


@pytest.mark.parametrize(("encoding", "newline"), [("utf-8", "\r\n"), ("utf-16", "\n"), ("utf-8", "\r")])
def test_other_editors_files_read_the_same(tmp_path, encoding, newline):
    text = SRT.lstrip("\ufeff") if encoding == "utf-16" else SRT
    captions = parse_srt(written(tmp_path, text, encoding, newline))
    assert captions == [FIRST, SECOND, caption(3, 3600.0, 3601.0, "")]


def test_a_leading_client_is_accepted(sc, tmp_path):
    assert CaptionStream(sc, path=written(tmp_path), window_size=2, max_time=4).len() == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("WEBVTT\n\n1\n00:01.000 --> 00:02.000\nx\n", "line 1 should be a caption's number, and is 'WEBVTT'"),
        ("1\nhello\n", "line 2 should be times like .*, and is 'hello'"),
        ("1\n00:00:01 -> 00:00:02\nx\n", "line 2 should be times"),
        ("\n\n1\n", "line 4 should be times .* and is missing"),
    ],
)
def test_what_is_no_srt_is_told_with_its_line(sc, tmp_path, text, says):
    stream = CaptionStream(written(tmp_path, text), 1, 4)
    with pytest.raises(errors.IngestError, match=f"film.srt is no SRT file: {says}"):
        sc.run(sc.io.Output(sc.io.Input([stream]), [sp.NamedStream(sc, "out")]))
    with pytest.raises(errors.IngestError, match=says):
        next(stream.load())


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "x.srt").write_bytes(b"1\n\xff\xff\xfe")
    with pytest.raises(errors.IngestError, match="not UTF-8"):
        CaptionStream(str(tmp_path / "x.srt"), 1, 4).len()


@pytest.mark.parametrize(("window", "most"), [(0, 4), (-1, 4), (1, -1)])
def test_impossible_windows_are_refused(tmp_path, window, most):
    with pytest.raises(sp.ScannerException, match="window_size must be positive"):
        CaptionStream(written(tmp_path), window, most).len()
