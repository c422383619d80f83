"""CSV files as readings: layouts, cells that are empty or wrong, files that are damaged."""

import gzip
import math
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.errors import ConfigError
from core.times import iso
from ingest import sheet
from ingest.sheet import Channel, Layout, Sheet

BANGKOK = ZoneInfo("Asia/Bangkok")


def layout(
    *channels: str,
    time: Sequence[str] = ("time",),
    device: str | None = "probe",
    zone: ZoneInfo | None = BANGKOK,
) -> Layout:
    return Layout(
        time=time, device=device, channels=[Channel.of(text) for text in channels], zone=zone
    )


def written(folder: Path, *lines: str) -> Path:
    file = folder / "file.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def said(found: Sheet) -> list[tuple[str, str, str, float | None]]:
    """(device, parameter, time, value), in the order of the file."""
    rows = zip(found.series.tolist(), found.measured_at.tolist(), found.value.tolist(), strict=True)
    return [
        (*found.names[series], iso(at), None if math.isnan(value) else value)
        for series, at, value in rows
    ]


WIDE = ("time,device,temp,pH", "2026-11-22 07:00,a,29.5,8.1", "2026-11-22 07:05,b,,8.2")


def test_it_reads_each_channel_in_the_catalogues_unit(tmp_path: Path) -> None:
    channels = ("temp=water_temperature:[degF]", "pH=ph@fixed")
    file = written(tmp_path, "time,temp,pH", "2026-11-22 07:00,86,8.1")
    assert said(sheet.read(file, layout(*channels))) == [
        ("probe", "water_temperature", "2026-11-22T00:00:00Z", 30.0),
        ("fixed", "ph", "2026-11-22T00:00:00Z", 8.1),
    ]


def test_the_device_may_be_a_column_and_an_empty_cell_is_missing(tmp_path: Path) -> None:
    asked = layout("temp=water_temperature", "pH=ph", device="device")
    assert said(sheet.read(written(tmp_path, *WIDE), asked)) == [
        ("a", "water_temperature", "2026-11-22T00:00:00Z", 29.5),
        ("b", "water_temperature", "2026-11-22T00:05:00Z", None),
        ("a", "ph", "2026-11-22T00:00:00Z", 8.1),
        ("b", "ph", "2026-11-22T00:05:00Z", 8.2),
    ]


@pytest.mark.parametrize("text", ["", " ", "NA", "n/a", "NaN", "nan", "null", "None", "-"])
def test_it_knows_the_words_for_a_missing_value(text: str, tmp_path: Path) -> None:
    found = sheet.read(
        written(tmp_path, "time,ph", f"2026-11-22T00:00Z,{text}"), layout("ph=ph", zone=None)
    )
    assert said(found) == [("probe", "ph", "2026-11-22T00:00:00Z", None)]


@pytest.mark.parametrize("text", ["warm", "8,1", "inf", "1e999", "1_000", "0x10"])
def test_a_cell_that_is_no_number_is_told_and_is_no_reading(text: str, tmp_path: Path) -> None:
    file = written(tmp_path, "time,ph", "2026-11-22T00:00,8", f'2026-11-22T00:05,"{text}"')
    found = sheet.read(file, layout("ph=ph"))
    assert [value for *_, value in said(found)] == [8.0]
    assert found.problems == [f"{file}:3: ph: {text} is no number"]
    assert found.unreadable == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param(",8.1", "there is no time", id="no time"),
        pytest.param("yesterday,8.1", "yesterday is no time", id="no time at all"),
        pytest.param("2026-02-30 00:00,8.1", "is no time", id="no such day"),
        pytest.param("2026-11-22 00:00", "the row is cut short", id="cut short"),
    ],
)
def test_a_row_without_a_time_or_an_end_is_told(row: str, words: str, tmp_path: Path) -> None:
    found = sheet.read(written(tmp_path, "time,ph", row, "2026-11-22 00:00,8"), layout("ph=ph"))
    assert len(found.value) == found.unreadable == 1
    assert words in found.problems[0]
    assert ":2: " in found.problems[0]


def test_a_row_that_holds_nothing_is_no_problem(tmp_path: Path) -> None:
    file = written(tmp_path, "time,device,ph", ",a,", "", "2026-11-22T00:00Z,a,8")
    found = sheet.read(file, layout("ph=ph", device="device"))
    assert (len(found.value), found.unreadable) == (1, 0)


def test_it_tells_the_first_problems_and_counts_them_all(tmp_path: Path) -> None:
    rows = [f"2026-11-22T00:{n:02}Z,bad" for n in range(50)]
    found = sheet.read(written(tmp_path, "time,ph", *rows), layout("ph=ph"))
    assert (len(found.problems), found.unreadable) == (sheet.SHOWN_PROBLEMS, 50)


def test_lines_are_those_of_the_file_even_after_a_cell_of_several(tmp_path: Path) -> None:
    file = written(tmp_path, "time,note,ph", '2026-11-22T00:00Z,"two\nlines",8', "x,,7")
    assert sheet.read(file, layout("ph=ph")).problems == [f"{file}:4: x is no time"]


def test_a_packed_file_and_a_mark_at_its_beginning_change_nothing(tmp_path: Path) -> None:
    packed = tmp_path / "file"
    packed.write_bytes(gzip.compress("\ufeff".encode() + "\r\n".join(WIDE).encode()))
    asked = layout("temp=water_temperature", "pH=ph", device="device")
    plain = sheet.read(written(tmp_path, *WIDE), asked)
    assert said(sheet.read(packed, asked)) == said(plain)


def test_it_reads_a_file_of_several_blocks_and_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "BLOCK", 3)
    file = written(tmp_path, "time,ph", *(f"2026-11-22T00:{n:02}Z,{n}" for n in range(10)))
    told: list[int] = []
    found = sheet.read(file, layout("ph=ph"), told.append)
    assert found.value.tolist() == list(np.arange(10.0))
    assert told[-1] == file.stat().st_size
    assert len(told) == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "has no columns time", id="empty"),
        pytest.param(b"time;ph\n", "it has time;ph", id="another separator"),
        pytest.param(b"time,ph,ph\n", "has 2 columns ph", id="twice"),
        pytest.param(b"time,ph\n\xff\xfe,1\n", "is not UTF-8", id="not UTF-8"),
        pytest.param(b'time,ph\n2026-11-22T00:00Z,"8\n', "is no CSV", id="an open quote"),
        pytest.param(gzip.compress(b"time,ph\n" * 99)[:20], "damaged", id="packed and cut off"),
        pytest.param(b"time,ph\n2026-11-22 00:00,8\n", "say with --tz", id="no zone"),
        pytest.param(b"time,ph\n11/22/2026,8\n", "say with --tz", id="no zone, slashes"),
    ],
)
def test_a_file_that_cannot_be_taken_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        sheet.read(file, layout("ph=ph", zone=None))
    assert caught.value.problems[0].startswith(str(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.csv: cannot be read: No such file"):
        sheet.read(tmp_path / "nowhere.csv", layout("ph=ph"))


def test_each_channel_needs_a_device(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="say with --device whose pH is"):
        sheet.read(written(tmp_path, *WIDE), layout("temp=tilt@a", "pH=ph", device=None))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("pm25", "write COLUMN=parameter", id="no column"),
        pytest.param("=pm25", "write COLUMN=parameter", id="an empty column"),
        pytest.param("a=pm26", "parameter pm26 is not in the catalogue", id="no parameter"),
        pytest.param("a=pm25:stones", "the unit stones is not known", id="no unit"),
        pytest.param("a=pm25:Cel", "Cel does not convert to ug/m3", id="another kind of unit"),
    ],
)
def test_a_channel_that_means_nothing_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Channel.of(text)


def test_a_column_may_have_any_name() -> None:
    assert Channel.of("a=b:c @ d=pm25:mg/m3@st:1") == Channel("a=b:c @ d", "pm25", "mg/m3", "st:1")
