"""What one device says in one message of one moment must fit together.

Formulas: practical salinity of 1978 (UNESCO technical papers 44), oxygen capacity of Benson and
Krause (1984). Tolerances are ours, wide enough for what sensors of the field do.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from core.model import BoolColumn, FloatColumn, IntColumn
from core.quality import Verdict
from ingest.quality.channels import CHANNELS, NUMBER, RELATIONS, WATERY, WET
from ingest.quality.single import gross_range, sentinel
from ingest.quality.view import Verdicts, View

# µg/m³. Reference stations break the order itself in 4 to 6 % of hours, and this in 0.4 to 0.9 %.
_FINE_SHARE, _FINE_MORE = 1.5, 20.0
_DEW_MORE = 0.5  # °C
_SALT_SHARE, _SALT_MORE = 0.1, 2.0  # psu
_OXYGEN_SHARE, _OXYGEN_MORE = 0.1, 5.0  # points of saturation
_SALTIEST = 40.0
_STANDARD_CONDUCTIVITY = 42.914  # mS/cm at 35 psu and 15 °C
_COMPENSATED = 25.0  # °C, to which many probes relate their conductivity

Found: TypeAlias = Callable[[str], FloatColumn]  # the value of a channel, by group


def physics(view: View) -> Verdicts:
    """SUSPECT where two channels contradict each other, FAIL where the probe is out of water."""
    channel = view.settings.channel[view.columns.series]
    verdicts = np.zeros(len(channel), np.uint8)
    rows = np.flatnonzero(channel >= 0)
    if not len(rows):
        return verdicts
    part = view.take(rows)
    failed = (gross_range(part) == Verdict.FAIL) | (sentinel(part) == Verdict.FAIL)
    rows = rows[~failed & ~np.isnan(part.columns.value)]
    part, channel = view.take(rows), channel[rows]
    group = _groups(part)
    groups = int(group.max(initial=-1)) + 1
    values = np.full((len(CHANNELS), groups), np.nan)
    values[channel, group] = part.columns.value
    said = np.zeros((len(CHANNELS), groups), np.uint8)
    for name in view.settings.relations & RELATIONS.keys():
        broken = _BROKEN[name](lambda key: values[NUMBER[key]])
        known = ~np.isnan(values[_numbers(name)]).any(axis=0)
        found = np.where(known, np.where(broken, Verdict.SUSPECT, Verdict.GOOD), 0)
        for number in _numbers(name):
            said[number] = np.maximum(said[number], found)
    if "wet" in view.settings.relations:
        found = _dry(part, channel, group, groups)
        for key in WET:
            said[NUMBER[key]] = np.maximum(said[NUMBER[key]], found)
    verdicts[rows] = said[channel, group]
    return verdicts


def _groups(view: View) -> IntColumn:
    """A number for what one device said in one message of one moment."""
    columns = view.columns
    device = view.settings.device[columns.series]
    keys = (device, columns.received_at, columns.measured_at)
    order = np.lexsort(keys)
    new = np.zeros(len(order), np.bool_)
    for key in keys:
        new[1:] |= np.diff(key[order]) != 0
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new)
    return group


def _numbers(relation: str) -> list[int]:
    return sorted(NUMBER[name] for name in RELATIONS[relation])


def _dry(view: View, channel: IntColumn, group: IntColumn, groups: int) -> Verdicts:
    """FAIL for the groups whose probe is out of the water, by those that can tell."""
    dry = view["dry"]
    tells = np.isin(channel, [NUMBER[name] for name in WATERY]) & ~np.isnan(dry)
    said = np.zeros(groups, np.uint8)
    said[group[tells]] = Verdict.GOOD
    said[group[tells & (view.columns.value <= dry)]] = Verdict.FAIL
    return said


def _coarser(fine: str, coarse: str) -> Callable[[Found], BoolColumn]:
    """A larger size holds the smaller ones as well."""
    return lambda of: of(fine) > of(coarse) * _FINE_SHARE + _FINE_MORE


def _dew(of: Found) -> BoolColumn:
    return of("dew_point") > of("air_temperature") + _DEW_MORE


def _salt(of: Found) -> BoolColumn:
    """Whether the conductivity is that of the water or already related to 25 °C."""
    salinity, conductivity = of("salinity"), of("conductivity")
    off = np.minimum(
        np.abs(salinity - practical_salinity(conductivity, of("water_temperature"))),
        np.abs(salinity - practical_salinity(conductivity, np.full_like(salinity, _COMPENSATED))),
    )
    return off > _SALT_SHARE * salinity + _SALT_MORE


def _oxygen(of: Found) -> BoolColumn:
    """With any salinity that the probe may have been told: fresh water or the sea."""
    oxygen, saturation = of("dissolved_oxygen"), of("oxygen_saturation")
    temperature = of("water_temperature")
    least = 100 * oxygen / oxygen_capacity(temperature, np.zeros_like(oxygen))
    most = 100 * oxygen / oxygen_capacity(temperature, np.full_like(oxygen, _SALTIEST))
    tolerance = _OXYGEN_SHARE * saturation + _OXYGEN_MORE
    return (saturation < least - tolerance) | (saturation > most + tolerance)


_BROKEN: Mapping[str, Callable[[Found], BoolColumn]] = {
    "dew": _dew,
    "fine_in_coarse": _coarser("pm25", "pm10"),
    "finest_in_coarse": _coarser("pm1", "pm10"),
    "finest_in_fine": _coarser("pm1", "pm25"),
    "oxygen": _oxygen,
    "salt": _salt,
}


def practical_salinity(conductivity: FloatColumn, temperature: FloatColumn) -> FloatColumn:
    """Of water at the surface, from mS/cm and °C.

    >>> practical_salinity(np.array([42.914]), np.array([15.0])).round(6).tolist()
    [35.0]
    """
    expected = np.polynomial.polynomial.polyval(
        temperature, [0.6766097, 2.00564e-2, 1.104259e-4, -6.9698e-7, 1.0031e-9]
    )
    ratio = np.maximum(conductivity, 0) / (_STANDARD_CONDUCTIVITY * expected)
    root = np.sqrt(ratio)
    base = np.polynomial.polynomial.polyval(
        root, [0.0080, -0.1692, 25.3851, 14.0941, -7.0261, 2.7081]
    )
    more = np.polynomial.polynomial.polyval(
        root, [0.0005, -0.0056, -0.0066, -0.0375, 0.0636, -0.0144]
    )
    warmer = temperature - 15
    found: FloatColumn = base + warmer / (1 + 0.0162 * warmer) * more
    return found


def oxygen_capacity(temperature: FloatColumn, salinity: FloatColumn) -> FloatColumn:
    """mg/L of oxygen in saturated water (°C, psu) at the level of the sea.

    >>> oxygen_capacity(np.array([30.0, 20.0]), np.array([32.0, 0.0])).round(1).tolist()
    [6.3, 9.1]
    """
    inverse = 1 / (temperature + 273.15)
    fresh = np.polynomial.polynomial.polyval(
        inverse, [-139.34411, 1.575701e5, -6.642308e7, 1.2438e10, -8.621949e11]
    )
    salt = np.polynomial.polynomial.polyval(inverse, [0.017674, -10.754, 2140.7])
    found: FloatColumn = np.exp(fresh - salinity * salt)
    return found
