"""The limits of every series as arrays indexed by series, so that a test looks up all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from core.catalogue import CATALOGUE
from core.places import beside
from core.quality import Climate, Limits
from core.readings import Flag, FloatColumn, IntColumn
from core.registry import Series
from core.times import SECOND
from ingest.quality.channels import Channels

# Each row of `QualitySettings.numbers`; NaN where a series has no such limit. Durations in µs.
_SPANS = ("sensor_span", "user_span", "rests")
_DURATIONS = ("reach", "flat_suspect", "flat_fail", "ahead", "late", "gap")
_SENTINELS = ("sentinel_low", "sentinel_high")
_NUMBERS = (
    "dry",
    "spike",
    "spike_fail",
    "rate",
    "noise_factor",
    "flat_tolerance",
    "attenuated",
    "neighbour_difference",
)
NAMES = (
    *(f"{span}_{end}" for span in _SPANS for end in ("low", "high")),
    *_DURATIONS,
    *_NUMBERS,
    *_SENTINELS,
)
PLACE = {name: place for place, name in enumerate(NAMES)}
CLOSE = 1e-6  # a sentinel that went through a float32 is still one
EXACT = 1e-9  # a tolerance of 0: equal, but for how a number is written

# A parameter may have left the catalogue since: nothing is known against its values.
_FORGOTTEN = Limits(sensor_span=(-np.inf, np.inf))


class ServiceWindow(NamedTuple):
    """Readings of a series measured in [start, end), µs, get this flag at least."""

    series: int
    start: int
    end: int
    flag: Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySettings:
    """What the tests go by: `numbers` by name (`PLACE`) and series · `sentinels` by series, padded
    with NaN · `climates` least and most by number, month and hour, and the number of each series ·
    `beside` the neighbours of each series, padded with -1 · `channels` what physics looks at ·
    `service` what the service log says, `service_times` its starts and ends · `zone` the
    city's clocks · `uses` the names of limits that any series has.
    """

    series: Sequence[Series]
    limits: Sequence[Limits]
    numbers: FloatColumn
    sentinels: FloatColumn
    climates: FloatColumn
    climate: IntColumn
    beside: IntColumn
    channels: Channels
    service: Sequence[ServiceWindow]
    service_times: tuple[IntColumn, IntColumn]
    zone: tzinfo
    uses: frozenset[str]

    @staticmethod
    def of(
        series: Sequence[Series],
        limits: Sequence[Limits] | None = None,
        *,
        service: Sequence[ServiceWindow] = (),
        zone: tzinfo = UTC,
    ) -> "QualitySettings":
        """Settings of these series, by the catalogue or by these limits, one for each series."""
        chosen = [catalogue_limits(s.parameter) for s in series] if limits is None else limits
        numbers = np.array([_numbers(each) for each in chosen], np.float64)
        numbers = numbers.reshape(len(series), len(NAMES)).T.copy()
        most = max([1, *(len(each.sentinels) for each in chosen)])
        padded = [(*each.sentinels, *[np.nan] * (most - len(each.sentinels))) for each in chosen]
        climates = list(dict.fromkeys(each.climatology for each in chosen)) or [()]
        number = {climate: place for place, climate in enumerate(climates)}
        channels = Channels.of(series, chosen)
        neighbours = beside(series, [each.neighbour_km for each in chosen])
        others = {
            "climatology": any(climates),
            "neighbours": bool((neighbours >= 0).any()),
            "physics": bool(channels.names),
            "service": bool(service),
        }
        used = [n for n, row in zip(NAMES, numbers, strict=True) if not np.isnan(row).all()]
        return QualitySettings(
            series=series,
            limits=chosen,
            numbers=numbers,
            sentinels=np.array(padded, np.float64).reshape(len(series), most),
            climates=np.stack([_bounds(each) for each in climates], axis=1),
            climate=np.array([number[each.climatology] for each in chosen], np.int64),
            beside=neighbours,
            channels=channels,
            service=service,
            service_times=(
                np.array([window.start for window in service], np.int64),
                np.array([window.end for window in service], np.int64),
            ),
            zone=zone,
            uses=frozenset([*used, *(name for name, is_used in others.items() if is_used)]),
        )


def catalogue_limits(parameter: str) -> Limits:
    """The catalogue's limits of a parameter."""
    known = CATALOGUE.get(parameter)
    return known.limits if known else _FORGOTTEN


@lru_cache(maxsize=256)
def _bounds(climates: tuple[Climate, ...]) -> FloatColumn:
    """Least and most by month and hour; NaN where nothing is said. The last that speaks counts."""
    bounds = np.full((2, 12, 24), np.nan)
    for climate in climates:
        for month in climate.months:
            for hour in climate.hours:
                bounds[:, month - 1, hour] = climate.span
    return bounds


@lru_cache(maxsize=4096)
def _numbers(limits: Limits) -> tuple[float, ...]:
    found: list[float | None] = []
    for name in _SPANS:
        found += getattr(limits, name) or (None, None)
    for name in _DURATIONS:
        seconds = getattr(limits, name)
        found.append(None if seconds is None else seconds * SECOND)
    found += [getattr(limits, name) for name in _NUMBERS]
    near = [s + sign * CLOSE * abs(s) for s in limits.sentinels for sign in (-1, 1)]
    found += [min(near), max(near)] if near else [None, None]
    plain = [np.nan if number is None else float(number) for number in found]
    plain[PLACE["flat_tolerance"]] = max(plain[PLACE["flat_tolerance"]], EXACT)  # NaN stays
    plain[PLACE["noise_factor"]] = plain[PLACE["noise_factor"]] or np.nan
    return tuple(plain)
