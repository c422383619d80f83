"""The limits of every series as arrays indexed by series, so that a test looks up all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.catalogue import CATALOGUE
from core.model import SECOND, FloatColumn, Series
from core.quality import Limits

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

# A parameter may have left the catalogue since: nothing is known against its values.
_FORGOTTEN = Limits(sensor_span=(-np.inf, np.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySettings:
    """What the tests go by: `numbers` by name (`PLACE`) and series, `sentinels` by series, padded
    with NaN.
    """

    series: Sequence[Series]
    limits: Sequence[Limits]
    numbers: FloatColumn
    sentinels: FloatColumn

    @staticmethod
    def of(series: Sequence[Series], limits: Sequence[Limits] | None = None) -> "QualitySettings":
        """Settings of these series, by the catalogue or by these limits, one for each series."""
        chosen = [catalogue_limits(s.parameter) for s in series] if limits is None else limits
        rows = [_numbers(each) for each in chosen]
        most = max([1, *(len(each.sentinels) for each in chosen)])
        padded = [(*each.sentinels, *[np.nan] * (most - len(each.sentinels))) for each in chosen]
        return QualitySettings(
            series=series,
            limits=chosen,
            numbers=np.array(rows, np.float64).reshape(len(series), len(NAMES)).T.copy(),
            sentinels=np.array(padded, np.float64).reshape(len(series), most),
        )


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
    return tuple(np.nan if number is None else number for number in found)
