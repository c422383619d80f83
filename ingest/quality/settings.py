"""The limits of every series as arrays indexed by series, so that a test looks up all at once."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from core.catalogue import CATALOGUE
from core.model import SECOND, Flag, FloatColumn, IntColumn, Series
from core.quality import Climate, Limits
from ingest.quality.channels import NUMBER, WATERY, judged_by, relations_of
from ingest.quality.places import Places

# Each row of `QualitySettings.numbers`; NaN where a series has no such limit. Durations in µs.
_SPANS = ("sensor_span", "user_span", "rests")
_DURATIONS = ("reach", "flat_suspect", "flat_fail", "ahead", "late", "gap")
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
NAMES = tuple(f"{span}_{end}" for span in _SPANS for end in ("low", "high")) + _DURATIONS + _NUMBERS
PLACE = {name: place for place, name in enumerate(NAMES)}
EXACT = 1e-9  # a tolerance of 0: equal, but for how a number is written

# A parameter may have left the catalogue since: nothing is known against its values.
_FORGOTTEN = Limits(sensor_span=(-np.inf, np.inf))
_NOWHERE = Places({})


class ServiceWindow(NamedTuple):
    """Readings of a series measured in [start, end), µs, get this flag at least."""

    series: int
    start: int
    end: int
    flag: Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySettings:
    """What the tests go by: `numbers` by name (`PLACE`) and series · `sentinels` by series, padded
    with NaN · `climates` by number, and the number of each series, -1 for none · `beside` the
    neighbours of each series, padded with -1 · `device` a number for the device of each series,
    `channel` what it is to physics (`channels`), -1 for nothing, `relations` those that any device
    has · `zone` the
    city's clocks · `uses` the names of limits that any series has.
    """

    series: Sequence[Series]
    limits: Sequence[Limits]
    numbers: FloatColumn
    sentinels: FloatColumn
    climates: Sequence[tuple[Climate, ...]]
    climate: IntColumn
    beside: IntColumn
    device: IntColumn
    channel: IntColumn
    relations: AbstractSet[str]
    service: Sequence[ServiceWindow]
    zone: tzinfo
    uses: frozenset[str]

    @staticmethod
    def of(
        series: Sequence[Series],
        limits: Sequence[Limits] | None = None,
        *,
        places: Places = _NOWHERE,
        service: Sequence[ServiceWindow] = (),
        zone: tzinfo = UTC,
    ) -> "QualitySettings":
        """Settings of these series, by the catalogue or by these limits, one for each series."""
        chosen = [catalogue_limits(s.parameter) for s in series] if limits is None else limits
        numbers = np.array([_numbers(each) for each in chosen], np.float64)
        numbers = numbers.reshape(len(series), len(NAMES)).T.copy()
        most = max([1, *(len(each.sentinels) for each in chosen)])
        padded = [(*each.sentinels, *[np.nan] * (most - len(each.sentinels))) for each in chosen]
        climates = dict.fromkeys(each.climatology for each in chosen if each.climatology)
        number = {climate: place for place, climate in enumerate(climates)}
        devices: dict[str, int] = {}
        channel, relations = _channels(series, chosen)
        beside = places.beside(series, chosen)
        others = {
            "climatology": bool(climates),
            "neighbours": bool((beside >= 0).any()),
            "physics": bool(relations),
            "sentinels": any(each.sentinels for each in chosen),
            "service": bool(service),
        }
        used = [n for n, row in zip(NAMES, numbers, strict=True) if not np.isnan(row).all()]
        return QualitySettings(
            series=series,
            limits=chosen,
            numbers=numbers,
            sentinels=np.array(padded, np.float64).reshape(len(series), most),
            climates=list(climates),
            climate=np.array([number.get(each.climatology, -1) for each in chosen], np.int64),
            beside=beside,
            device=np.array([devices.setdefault(s.device, len(devices)) for s in series], np.int64),
            channel=channel,
            relations=relations,
            service=service,
            zone=zone,
            uses=frozenset([*used, *(name for name, is_used in others.items() if is_used)]),
        )


def _channels(
    series: Sequence[Series], limits: Sequence[Limits]
) -> tuple[IntColumn, AbstractSet[str]]:
    """What each series is to physics, and all relations that any device has."""
    have: dict[str, set[str]] = {}
    dries: dict[str, set[str]] = {}
    for s, each in zip(series, limits, strict=True):
        have.setdefault(s.device, set()).add(s.parameter)
        if each.dry is not None and s.parameter in WATERY:
            dries.setdefault(s.device, set()).add(s.parameter)
    relations = {d: relations_of(found, dries.get(d, set())) for d, found in have.items()}
    judged = {device: judged_by(found) for device, found in relations.items()}
    channel = [NUMBER[s.parameter] if s.parameter in judged[s.device] else -1 for s in series]
    return np.array(channel, np.int64), frozenset().union(*relations.values())


def catalogue_limits(parameter: str) -> Limits:
    """The catalogue's limits of a parameter."""
    known = CATALOGUE.get(parameter)
    return known.limits if known else _FORGOTTEN


@lru_cache(maxsize=4096)
def _numbers(limits: Limits) -> tuple[float, ...]:
    found: list[float | None] = []
    for name in _SPANS:
        found += getattr(limits, name) or (None, None)
    for name in _DURATIONS:
        seconds = getattr(limits, name)
        found.append(None if seconds is None else seconds * SECOND)
    found += [getattr(limits, name) for name in _NUMBERS]
    plain = [np.nan if number is None else float(number) for number in found]
    plain[PLACE["flat_tolerance"]] = max(plain[PLACE["flat_tolerance"]], EXACT)  # NaN stays
    plain[PLACE["noise_factor"]] = plain[PLACE["noise_factor"]] or np.nan
    return tuple(plain)
