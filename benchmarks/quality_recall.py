"""How many faults quality finds in real series, and how many good readings it flags."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.faults import FAULTS, Episode, Track, with_faults
from core.model import BoolColumn, Flag, FloatColumn
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
            "RAIN=rain",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of one series: `clean` is the share of its own readings that is flagged, `beside` that of
    readings beside the faults; by kind the episodes, those found, and the share of due readings
    that is flagged.
    """

    track: Track
    clean: float
    beside: float
    episodes: Mapping[str, int]
    found: Mapping[str, int]
    readings: Mapping[str, float]


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
    made = {kind: with_faults(track, kind, seed) for kind in FAULTS}
    copies = [_copy(track, kind, values) for kind, (values, _) in made.items()]
    found, readings, beside = {}, {}, []
    for (kind, (_, episodes)), bad in zip(made.items(), flagged(copies), strict=True):
        touched = np.zeros(len(bad), np.bool_)
        for episode in episodes:
            touched[episode.start : episode.end] = True
        beside.append(bad[~touched].mean())
        found[kind] = sum(bool(bad[_due(episode)].any()) for episode in episodes)
        due = np.concatenate([np.empty(0, np.bool_), *(bad[_due(e)] for e in episodes)])
        readings[kind] = float(due.mean()) if len(due) else np.nan
    return Score(
        track=track,
        clean=float(clean.mean()),
        beside=float(np.mean(beside)),
        episodes={kind: len(episodes) for kind, (_, episodes) in made.items()},
        found=found,
        readings=readings,
    )


def _copy(track: Track, kind: str, values: FloatColumn) -> Track:
    return Track(
        device=f"{track.device}, {kind}",
        parameter=track.parameter,
        measured_at=track.measured_at,
        value=values,
    )


def _due(episode: Episode) -> slice:
    return slice(episode.due, episode.end)


def scores(data: DataSet, folder: Path, seed: int, parameters: Sequence[str]) -> Iterator[Score]:
    """The score of each series of a data set; of these parameters, or else of all."""
    for found in data.sheets(folder):
        tracks = tracks_of(found)
        for track, clean in zip(tracks, flagged(tracks), strict=True):
            if not parameters or track.parameter in parameters:
                yield score(track, clean, seed)


def table(title: str, found: Sequence[Score]) -> Table:
    """A row for each series, in Markdown."""
    made = Table(title=title, box=box.MARKDOWN)
    made.add_column("series", no_wrap=True)
    for name in ("readings", "flagged", "beside", *FAULTS, "all"):
        made.add_column(name, justify="right", no_wrap=True)
    for each in found:
        name = f"{each.track.device}, {each.track.parameter}"
        made.add_row(
            f"{name} (tuned)" if each.track.device in TUNED_ON else name,
            f"{len(each.track.value):,}",
            f"{each.clean:.2%}",
            f"{each.beside:.2%}",
            *(_of(each.found[kind], each.episodes[kind]) for kind in FAULTS),
            _of(sum(each.found.values()), sum(each.episodes.values())),
        )
    return made


def _of(found: int, episodes: int) -> str:
    return f"{found / episodes:.0%}" if episodes else "–"


def main() -> None:
    """Print a table for each data set that is there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality_recall", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--parameter", action="append", default=[], help="only this one, or these")
    asked = parser.parse_args()
    console = Console(width=200)
    for data in DATA_SETS:
        found = list(scores(data, asked.folder, asked.seed, asked.parameter))
        if found:
            console.print(table(data.title, found))


if __name__ == "__main__":
    main()
