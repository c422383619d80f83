"""The simulated coast beside real air, water and bins: a table, and plots of what it compares."""

import argparse
import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.plots import Axis, Line, plot
from benchmarks.quality_recall import DATA_SETS, tracks_of
from core import configuration
from core.readings import FloatColumn, IntColumn
from core.times import DAY, HOUR, MINUTE, SECOND
from ingest.sheet import Sheet
from simulators.bins import collections_between, fill_level
from simulators.chance import Chance
from simulators.coast import Coast, coast_of
from simulators.events import Happenings

ROOT = Path(__file__).resolve().parents[1]
SEED = 83  # that of the demo
START = 1_767_200_400_000_000  # 2026-01-01 00:00 in Phuket
LEAST_HOURS = 20  # of a day that counts
FLOOR = 3.0  # µg/m³: what instruments say below it is noise
LAGS = np.arange(73)
NORMAL = 0.6745  # the median distance of normal numbers, in standard deviations

Hours: TypeAlias = FloatColumn  # one value an hour from a local midnight on, NaN where none is


class Bins(NamedTuple):
    """Hours between the collections of each bin, and % before each."""

    gaps: Sequence[FloatColumn]
    full: FloatColumn


@dataclass(frozen=True, slots=True)
class World:
    """What the real places say, or the simulated ones: dust in µg/m³, water in °C."""

    dust: Mapping[str, Hours]
    water: Mapping[str, Hours]
    bins: Bins


def real(folder: Path) -> World:
    """From the files of other cities."""
    beaches, city, *_ = DATA_SETS
    return World(
        dust=_real_hours(city.sheets(folder), "pm25", 8 * HOUR),
        water=_real_hours(beaches.sheets(folder), "water_temperature", -5 * HOUR),  # in summer
        bins=_real_bins(folder / "edinburgh_bin_collections.csv.gz"),
    )


def simulated(seed: int = SEED) -> World:
    """A year of the shipped coast on ordinary days."""
    city = configuration.load(ROOT / "config")
    coast = coast_of(city.sites, city.devices.values(), Chance(seed))
    return World(
        dust=_simulated_hours(coast, "air", "pm25"),
        water=_simulated_hours(coast, "beach", "water_temperature"),
        bins=_simulated_bins(coast),
    )


def _real_hours(sheets: Iterable[Sheet], parameter: str, offset: int) -> Mapping[str, Hours]:
    tracks = [t for sheet in sheets for t in tracks_of(sheet) if t.parameter == parameter]
    return {t.device: _hourly(t.measured_at + offset, t.value) for t in tracks}


def _hourly(local: IntColumn, value: FloatColumn) -> Hours:
    first = local.min() // DAY * DAY
    hours = np.full(-(-(local.max() + 1 - first) // DAY) * 24, np.nan)
    hours[(local - first) // HOUR] = value
    return hours


def _simulated_hours(coast: Coast, kind: str, parameter: str) -> Mapping[str, Hours]:
    times = np.arange(START, START + 365 * DAY, 5 * MINUTE)
    devices = [d for d in coast.devices if coast.sites[d.site].kind == kind]
    return {d.id: coast.columns(d, times)[parameter].reshape(-1, 12).mean(1) for d in devices}


def _real_bins(path: Path) -> Bins:
    collected: dict[str, list[float]] = defaultdict(list)
    full = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["collected_at_local"]).replace(tzinfo=UTC)
            collected[row["site"]].append(at.timestamp() * SECOND / HOUR)
            full.append(float(row["fill_before_pct"]))
    gaps = [np.diff(np.sort(hours)) for hours in collected.values() if len(hours) > 1]
    return Bins(gaps, np.array(full))


def _simulated_bins(coast: Coast) -> Bins:
    gaps, full = [], []
    calm = Happenings((), coast.sites)
    for site in (site for site in coast.sites.values() if site.kind == "bin"):
        collected = collections_between(START, START + 365 * DAY, site, coast.chance)
        gaps.append(np.diff(collected) / HOUR)
        full.append(fill_level(site, collected - MINUTE, coast.chance, calm))
    return Bins(gaps, np.concatenate(full))


def swing(hours: Hours) -> FloatColumn:
    """The mean of each hour of the day as a part of its day's mean."""
    days = _days(hours)
    swing: FloatColumn = np.nanmean(days / np.nanmean(days, axis=1, keepdims=True), axis=0)
    return swing


def warming(hours: Hours) -> FloatColumn:
    """The mean of each hour of the day, less that of its day."""
    days = _days(hours)
    warming: FloatColumn = np.nanmean(days - np.nanmean(days, axis=1, keepdims=True), axis=0)
    return warming


def _days(hours: Hours) -> FloatColumn:
    days = hours.reshape(-1, 24)
    whole: FloatColumn = days[np.isfinite(days).sum(axis=1) >= LEAST_HOURS]
    return whole


def step(hours: Hours) -> float:
    """How far the middle change from hour to hour goes, as a standard deviation."""
    return float(np.nanmedian(np.abs(np.diff(hours))) / NORMAL)


def noise(hours: Hours) -> float:
    """How far an hour lies from the middle of its neighbours, as a standard deviation."""
    off = hours[1:-1] - (hours[:-2] + hours[2:]) / 2
    return float(np.nanmedian(np.abs(off)) / NORMAL / np.sqrt(1.5))


def memory(hours: Hours, lags: IntColumn) -> FloatColumn:
    """The correlation with itself, so many hours later."""
    return np.array([likeness(hours[lag:], hours[: len(hours) - lag]) for lag in lags])


def likeness(one: Hours, other: Hours) -> float:
    """The correlation of two places."""
    both = np.isfinite(one) & np.isfinite(other)
    return float(np.corrcoef(one[both], other[both])[0, 1])


def logarithm(dust: Hours) -> Hours:
    """Of dust, whose swings grow with its level."""
    return np.log(np.maximum(dust, FLOOR))


def neighbours(dust: Iterable[Hours]) -> Iterator[float]:
    """The likeness of each two stations."""
    for one, other in combinations(map(logarithm, dust), 2):
        yield likeness(one, other)


def table(there: World, here: World) -> Table:
    """A row for each quantity, from the least to the greatest of the places."""
    made = Table(box=box.MARKDOWN)
    made.add_column("quantity", no_wrap=True)
    for name in ("real", "simulated"):
        made.add_column(name, justify="right", no_wrap=True)
    for title, digits, of in ROWS:
        made.add_row(title, *(_span([*of(world)], digits) for world in (there, here)))
    return made


def _span(values: Sequence[float], digits: int) -> str:
    low, high = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _of_logs(of: Callable[[Hours], float]) -> Callable[[World], Iterator[float]]:
    return lambda world: (of(logarithm(dust)) for dust in world.dust.values())


def _of_water(of: Callable[[Hours], float]) -> Callable[[World], Iterator[float]]:
    return lambda world: (of(water) for water in world.water.values())


def _of_gaps(percent: float) -> Callable[[World], Iterator[float]]:
    return lambda world: iter([float(np.percentile(np.concatenate(world.bins.gaps), percent))])


def _lag(hours: int) -> Callable[[Hours], float]:
    return lambda dust: float(memory(dust, np.array([hours]))[0])


def _spread(world: World) -> Iterator[float]:
    logs = [np.log(np.maximum(gaps, 1)) for gaps in world.bins.gaps if len(gaps) > 8]
    yield float(np.median([log.std() for log in logs]))


ROWS: Sequence[tuple[str, int, Callable[[World], Iterator[float]]]] = (
    ("PM2.5: mean, µg/m³", 0, lambda w: (float(np.nanmean(d)) for d in w.dust.values())),
    ("PM2.5: standard deviation of its logarithm", 2, _of_logs(lambda d: float(np.nanstd(d)))),
    ("PM2.5: lowest hour, part of the day", 2, lambda w: (min(swing(d)) for d in w.dust.values())),
    ("PM2.5: highest hour, part of the day", 2, lambda w: (max(swing(d)) for d in w.dust.values())),
    ("PM2.5: step from hour to hour, logarithm", 3, _of_logs(step)),
    ("PM2.5: noise of an hour, logarithm", 3, _of_logs(noise)),
    ("PM2.5: memory of 1 hour", 2, _of_logs(_lag(1))),
    ("PM2.5: memory of 6 hours", 2, _of_logs(_lag(6))),
    ("PM2.5: memory of 24 hours", 2, _of_logs(_lag(24))),
    ("PM2.5: likeness of two stations", 2, lambda w: neighbours(w.dust.values())),
    ("water: coldest hour, °C off the day", 2, _of_water(lambda w: float(min(warming(w))))),
    ("water: warmest hour, °C off the day", 2, _of_water(lambda w: float(max(warming(w))))),
    ("water: hour of the coldest", 0, _of_water(lambda w: float(np.argmin(warming(w))))),
    ("water: hour of the warmest", 0, _of_water(lambda w: float(np.argmax(warming(w))))),
    ("water: step from hour to hour, °C", 2, _of_water(step)),
    ("water: noise of an hour, °C", 2, _of_water(noise)),
    *(
        (f"bins: hours between collections, {name}", 0, _of_gaps(percent))
        for name, percent in (
            ("5 %", 5),
            ("25 %", 25),
            ("median", 50),
            ("75 %", 75),
            ("95 %", 95),
        )
    ),
    ("bins: spread of one bin's hours, logarithm", 2, _spread),
    ("bins: median fill when emptied, %", 0, lambda w: iter([float(np.median(w.bins.full))])),
)


def pictures(there: World, here: World) -> Iterator[tuple[str, str]]:
    """File name → SVG."""
    worlds = {"real": there, "simulated": here}
    day, hours = Axis("hour of the day", 0, 24, range(0, 25, 3)), np.arange(0.5, 24)
    yield (
        "dust-day.svg",
        plot(
            day,
            Axis("PM2.5, part of the day's mean", 0.7, 1.4, (0.8, 1, 1.2, 1.4)),
            [Line(k, hours, swing(d)) for k, w in worlds.items() for d in w.dust.values()],
        ),
    )
    yield (
        "dust-memory.svg",
        plot(
            Axis("hours later", 0, 72, range(0, 73, 12)),
            Axis("correlation of log PM2.5", -0.2, 1, (0, 0.25, 0.5, 0.75, 1)),
            [
                Line(k, LAGS.astype(float), memory(logarithm(d), LAGS))
                for k, w in worlds.items()
                for d in w.dust.values()
            ],
        ),
    )
    yield (
        "water-day.svg",
        plot(
            day,
            Axis("water, °C off the day's mean", -0.8, 0.8, (-0.8, -0.4, 0, 0.4, 0.8)),
            [Line(k, hours, warming(t)) for k, w in worlds.items() for t in w.water.values()],
        ),
    )
    part = np.arange(0.0, 101)
    yield (
        "bin-rounds.svg",
        plot(
            Axis("hours between two collections", 0, 168, range(0, 169, 24)),
            Axis("% of the collections", 0, 100, range(0, 101, 25)),
            [
                Line(k, np.minimum(168, np.percentile(np.concatenate(w.bins.gaps), part)), part)
                for k, w in worlds.items()
            ],
        ),
    )


def main() -> None:
    """Print the table; write the plots where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the real data is")
    parser.add_argument("--plots", type=Path, help="folder to write SVG files into")
    asked = parser.parse_args()
    there, here = real(asked.folder), simulated()
    Console(width=120).print(table(there, here))
    if asked.plots:
        asked.plots.mkdir(parents=True, exist_ok=True)
        for name, svg in pictures(there, here):
            (asked.plots / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
