"""What one device says in one message of one moment must fit together.

Formulas: practical salinity of 1978 (UNESCO technical papers 44), oxygen capacity of Benson and
Krause (1984). Tolerances are ours, wide enough for what sensors of the field do.
"""

from collections.abc import Callable, Mapping

import numpy as np

from core.readings import BoolColumn, Columns, FloatColumn, IntColumn
from ingest.quality.view import FAIL, GOOD, Verdicts, View

# µg/m³. Reference stations break the order itself in 4 to 6 % of hours, and this in 0.4 to 0.9 %.
_FINE_SHARE, _FINE_MORE = 1.5, 20.0
_DEW_MORE = 0.5  # °C
_SALT_SHARE, _SALT_MORE = 0.1, 2.0  # psu
_OXYGEN_SHARE, _OXYGEN_MORE = 0.1, 5.0  # points of saturation
_SALTIEST = 40.0
_STANDARD_CONDUCTIVITY = 42.914  # mS/cm at 35 psu and 15 °C
_COMPENSATED = 25.0  # °C, to which many probes relate their conductivity


def physics(view: View, failed: BoolColumn) -> Verdicts:
    """SUSPECT where two channels contradict each other, FAIL where the probe is out of water;
    readings that `failed` by themselves tell nothing.
    """
    columns, channels = view.columns, view.settings.channels
    verdicts = np.zeros(len(columns), np.uint8)
    place = channels.place[columns.series]
    rows = ((place >= 0) & ~failed).nonzero()[0]
    if not len(rows):
        return verdicts
    place = place[rows]
    group, groups = _groups(columns, rows, channels.device)
    values = np.full((len(channels.names), groups), np.nan)
    values[place, group] = columns.value[rows]
    said = np.zeros(values.shape, np.uint8)
    for name, places in channels.relations.items():
        compared = [values[p] for p in places]
        known = ~np.isnan(sum(compared))
        found = known + (known & _BROKEN[name](*compared)).astype(np.uint8)
        for p in places:
            np.maximum(said[p], found, out=said[p])
    if channels.wet:
        dry = view["dry"][rows]
        tells = ~np.isnan(dry)
        found = np.zeros(groups, np.uint8)
        found[group[tells]] = GOOD
        found[group[columns.value[rows] <= dry]] = FAIL
        for p in channels.wet:
            np.maximum(said[p], found, out=said[p])
    verdicts[rows] = said[place, group]
    return verdicts


def _groups(columns: Columns, rows: IntColumn, device: IntColumn) -> tuple[IntColumn, int]:
    """A number for what one device said in one message of one moment, and how many there are."""
    keys = (
        device[columns.series[rows]],
        columns.received_at[rows],
        columns.measured_at[rows],
    )
    order = np.lexsort(keys)
    new = np.zeros(len(order), np.bool_)
    for key in keys:
        ordered = key[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    group = np.empty(len(order), np.int64)
    group[order] = numbers = new.cumsum()
    return group, int(numbers[-1]) + 1


def _coarser(fine: FloatColumn, coarse: FloatColumn) -> BoolColumn:
    """A larger size holds the smaller ones as well."""
    return fine > coarse * _FINE_SHARE + _FINE_MORE


def _dew(dew_point: FloatColumn, temperature: FloatColumn) -> BoolColumn:
    return dew_point > temperature + _DEW_MORE


def _oxygen(oxygen: FloatColumn, saturation: FloatColumn, temperature: FloatColumn) -> BoolColumn:
    """With any salinity that the probe may have been told: fresh water or the sea."""
    least = 100 * oxygen / oxygen_capacity(temperature, np.zeros_like(oxygen))
    most = 100 * oxygen / oxygen_capacity(temperature, np.full_like(oxygen, _SALTIEST))
    tolerance = _OXYGEN_SHARE * saturation + _OXYGEN_MORE
    return (saturation < least - tolerance) | (saturation > most + tolerance)


def _salt(salinity: FloatColumn, conductivity: FloatColumn, temperature: FloatColumn) -> BoolColumn:
    """Whether the conductivity is that of the water or already related to 25 °C."""
    off = np.minimum(
        np.abs(salinity - practical_salinity(conductivity, temperature)),
        np.abs(salinity - practical_salinity(conductivity, np.full_like(salinity, _COMPENSATED))),
    )
    return off > _SALT_SHARE * salinity + _SALT_MORE


_BROKEN: Mapping[str, Callable[..., BoolColumn]] = {
    "dew": _dew,
    "fine_in_coarse": _coarser,
    "finest_in_coarse": _coarser,
    "finest_in_fine": _coarser,
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
