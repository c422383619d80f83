"""How many faults quality finds in real series, and how many good readings it flags."""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.faults import FAULTS, Episode, Track, stuck_runs, with_faults
from core.readings import BoolColumn, Flag, FloatColumn
from ingest import sheet
from ingest.sheet import Channel, Layout, Sheet
from replaying import replay

# Limits were tuned on these series and this seed; figures are of the other ones, and another seed.
TUNED_ON = ("Calumet Beach", "aotizhongxin")
TUNED_SEED, SEED = 1, 2


@dataclass(frozen=True, slots=True)
class DataSet:
    """Files with their layouts; a file's device is a column or is named by `device`."""

    title: str
    files: Mapping[str, str | None]
    time: Sequence[str]
    zone: str
    channels: Sequence[str]

    def sheets(self, folder: Path) -> Iterator[Sheet]:
        """What each file says."""
        channels = [Channel.of(text) for text in self.channels]
        for name, device in self.files.items():
            layout = Layout(
                time=self.time, device=device, channels=channels, zone=ZoneInfo(self.zone)
            )
            yield sheet.read(folder / name, layout)


DATA_SETS = (
    DataSet(
        "Beaches of Chicago",
        {"chicago_beach_sensors.csv.gz": "Beach Name"},
        ["Measurement Timestamp"],
        "America/Chicago",
        [
            "Water Temperature=water_temperature",
            "Turbidity=turbidity",
            "Transducer Depth=water_level",
            "Wave Height=wave_height",
            "Wave Period=wave_period",
            "Battery Life=battery_voltage",
        ],
    ),
    DataSet(
        "Air of Beijing",
        {f"beijing_{name}.csv.gz": name for name in ("aotizhongxin", "dongsi", "guanyuan")},
        ["year", "month", "day", "hour"],
        "Asia/Shanghai",
        [
            "PM2.5=pm25",
            "PM10=pm10",
            "SO2=so2:ug/m3",
            "NO2=no2:ug/m3",
            "CO=co:ug/m3",
            "O3=o3:ug/m3",
            "TEMP=air_temperature",
            "PRES=air_pressure",
            "DEWP=dew_point",
            "WSPM=wind_speed",
        ],
    ),
    DataSet(
        "NAB, ambient temperature",
        {"nab/ambient_temperature_system_failure.csv": "nab"},
        ["timestamp"],
        "UTC",
        ["value=air_temperature:[degF]"],
    ),
)


class Found(NamedTuple):
    """Episodes, those of which at least one due reading is flagged, due readings, flagged ones."""

    episodes: int
    found: int
    due: int
    flagged: int

    def __add__(self, other: tuple[int, ...]) -> "Found":  # type: ignore[override]
        return Found(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of one series: the share of its own readings that is flagged (`clean`) and that of readings
    beside faults; its own stuck runs, and the faults by kind.
    """

    track: Track
    clean: float
    beside: float
    runs: Found
    faults: Mapping[str, Found]

    @property
    def tuned(self) -> bool:
        """Whether the limits were tuned on it."""
        return self.track.device in TUNED_ON


def tracks_of(found: Sheet) -> list[Track]:
    """The series of a file without what is missing or came twice."""
    tracks = []
    for index, (device, parameter) in enumerate(found.names):
        rows = np.flatnonzero((found.series == index) & ~np.isnan(found.value))
        _, first = np.unique(found.measured_at[rows], return_index=True)
        rows = rows[first]
        at, value = found.measured_at[rows], found.value[rows]
        tracks.append(Track(device=device, parameter=parameter, measured_at=at, value=value))
    return tracks


def flagged(tracks: Sequence[Track]) -> list[BoolColumn]:
    """Of each track which readings end suspect or failed."""
    together = Sheet(
        names=[(track.device, track.parameter) for track in tracks],
        series=np.repeat(np.arange(len(tracks)), [len(track.value) for track in tracks]),
        measured_at=np.concatenate([track.measured_at for track in tracks]),
        value=np.concatenate([track.value for track in tracks]),
        problems=(),
        unreadable=0,
    )
    columns = replay(together).columns
    bad = (columns.flag == Flag.SUSPECT) | (columns.flag == Flag.FAIL)
    order = np.argsort(columns.series, kind="stable")
    ends = np.searchsorted(columns.series[order], np.arange(1, len(tracks)))
    return np.split(bad[order], ends)


def score(track: Track, clean: BoolColumn, seed: int) -> Score:
    """Put each kind of fault into a copy of the series, and see what is found."""
    made = {kind: with_faults(track, FAULTS[kind], seed) for kind in FAULTS}
    copies = [_copy(track, kind, values) for kind, (values, _) in made.items()]
    faults, beside = {}, []
    for (kind, (_, episodes)), bad in zip(made.items(), flagged(copies), strict=True):
        touched = np.zeros(len(bad), np.bool_)
        for episode in episodes:
            touched[episode.start : episode.end] = True
        beside.append(bad[~touched].mean())
        faults[kind] = _found(episodes, bad)
    return Score(
        track=track,
        clean=float(clean.mean()),
        beside=float(np.mean(beside)),
        runs=_found(stuck_runs(track), clean),
        faults=faults,
    )


def _found(episodes: Sequence[Episode], bad: BoolColumn) -> Found:
    due = [bad[episode.due : episode.end] for episode in episodes]
    return Found(
        len(episodes), sum(bool(b.any()) for b in due), sum(map(len, due)), sum(map(np.sum, due))
    )


def _copy(track: Track, kind: str, values: FloatColumn) -> Track:
    return Track(
        device=f"{track.device}, {kind}",
        parameter=track.parameter,
        measured_at=track.measured_at,
        value=values,
    )


def scores(data: DataSet, folder: Path, seed: int, parameters: Sequence[str]) -> Iterator[Score]:
    """The score of each series of a data set; of these parameters, or else of all."""
    for found in data.sheets(folder):
        tracks = tracks_of(found)
        for track, clean in zip(tracks, flagged(tracks), strict=True):
            if not parameters or track.parameter in parameters:
                yield score(track, clean, seed)


def by_series(title: str, found: Sequence[Score]) -> Table:
    """A row for each series, in Markdown: of each kind the share of episodes that is found."""
    made = Table(title=title, box=box.MARKDOWN)
    made.add_column("series", no_wrap=True)
    for name in ("readings", "flagged", "beside", "own runs", *FAULTS, "all faults"):
        made.add_column(name, justify="right", no_wrap=True)
    for each in found:
        name = f"{each.track.device}, {each.track.parameter}"
        made.add_row(
            f"{name} *" if each.tuned else name,
            f"{len(each.track.value):,}",
            f"{each.clean:.2%}",
            f"{each.beside:.2%}",
            f"{each.runs.found} of {each.runs.episodes}" if each.runs.episodes else "",
            *(_share(fault.found, fault.episodes) for fault in each.faults.values()),
            _share(*_sum(each.faults.values())[1::-1]),
        )
    return made


def by_kind(found: Sequence[Score]) -> Table:
    """A row for each kind of fault, over the series that limits were not tuned on."""
    made = Table(box=box.MARKDOWN)
    made.add_column("fault", no_wrap=True)
    for name in ("episodes", "found", "readings due", "flagged"):
        made.add_column(name, justify="right", no_wrap=True)
    for kind in FAULTS:
        sums = _sum(each.faults[kind] for each in found if not each.tuned)
        shares = _share(sums.found, sums.episodes), _share(sums.flagged, sums.due)
        made.add_row(kind, f"{sums.episodes:,}", shares[0], f"{sums.due:,}", shares[1])
    return made


def _sum(each: Iterable[Found]) -> Found:
    return sum(each, Found(0, 0, 0, 0))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}".replace("100.0%", "100%") if whole else ""


def main() -> None:
    """Print two tables for each data set that is there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality_recall", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--parameter", action="append", default=[], help="only this one, or these")
    asked = parser.parse_args()
    console = Console(width=240)
    for data in DATA_SETS:
        found = list(scores(data, asked.folder, asked.seed, asked.parameter))
        if found:
            console.print(by_series(data.title, found))
            console.print(by_kind(found))
    console.print("* limits were tuned on this one (with another seed)")


if __name__ == "__main__":
    main()
