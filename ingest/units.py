"""Units of devices into the catalogue's: UCUM in our files, pint does the arithmetic.

Every quantity of the catalogue is linear in every other unit of its kind, so a conversion is a
slope and an offset, found once and kept.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pint


class Linear(NamedTuple):
    """`value * slope + offset` is the value in the other unit."""

    slope: float
    offset: float

    def __call__(self, value: float) -> float:
        """Convert one value; twelve digits are more than any sensor has, and hide the binary dust.

        >>> Linear(0.001, 0.0)(52000.0)
        52.0
        """
        return float(f"{value * self.slope + self.offset:.12g}")


IDENTITY = Linear(1.0, 0.0)

# UCUM, and what devices write instead, in pint's words. What pint does not know is a dimension of
# its own, convertible into nothing else: NTU, pH and practical salinity are scales, not amounts.
_PINT: Mapping[str, str] = MappingProxyType(
    {
        "%": "percent",
        "1": "dimensionless",
        "Cel": "degC",
        "°C": "degC",
        "C": "degC",
        "degC": "degC",
        "[degF]": "degF",
        "°F": "degF",
        "K": "kelvin",
        "[NTU]": "NTU",
        "NTU": "NTU",
        "FNU": "NTU",
        "[pH]": "pH_scale",
        "pH": "pH_scale",
        "[psu]": "psu",
        "PSU": "psu",
        "ppt": "psu",
        "[ppm]": "ppm",
        "ppm": "ppm",
        "[ppb]": "ppb",
        "ppb": "ppb",
        "dB": "dB_scale",
        "dB[SPL]": "spl",
        "dBA": "spl",
        "dBm": "dBm_scale",
        "deg": "degree",
        "°": "degree",
        "rad": "radian",
        "uS/cm": "uS/cm",
        "µS/cm": "uS/cm",
        "mS/cm": "mS/cm",
        "S/m": "S/m",
        "ug/m3": "ug/m**3",
        "µg/m³": "ug/m**3",
        "µg/m3": "ug/m**3",
        "mg/m3": "mg/m**3",
        "ug/L": "ug/L",
        "mg/L": "mg/L",
        "mg/l": "mg/L",
        "g/L": "g/L",
        "hPa": "hPa",
        "Pa": "Pa",
        "kPa": "kPa",
        "bar": "bar",
        "mbar": "mbar",
        "mm[Hg]": "mmHg",
        "[in_i'Hg]": "inHg",
        "{flag}": "flag",
        "mm": "mm",
        "cm": "cm",
        "m": "m",
        "mm/h": "mm/h",
        "m/s": "m/s",
        "km/h": "km/h",
        "[kn_i]": "knot",
        "s": "s",
        "V": "V",
        "mV": "mV",
        "kg": "kg",
        "g": "g",
        "W/m2": "W/m**2",
        "lx": "lux",
    }
)
_OWN = (
    "NTU = [turbidity]",
    "pH_scale = [acidity]",
    "psu = [practical_salinity]",
    "spl = [sound_level]",
    "dB_scale = [level_ratio]",
    "dBm_scale = [level_power]",
    "flag = [yes_or_no]",
    "ppb = 1e-9",
)


# What a litre of a gas at 25 °C and 1 atm holds is 1/24.45 mol; by parameter, its mass in g/mol.
_MOLAR_LITRES = 24.45
_MOLAR_GRAMS: Mapping[str, float] = MappingProxyType(
    {
        "co": 28.010,
        "co2": 44.009,
        "h2s": 34.081,
        "methane": 16.043,
        "nh3": 17.031,
        "no2": 46.006,
        "o3": 47.998,
        "so2": 64.064,
    }
)


class UnknownUnitError(ValueError):
    """A unit that we cannot read, or that measures something else."""


@cache
def conversion(given: str, wanted: str, parameter: str = "") -> Linear:
    """How a value in `given` becomes one in `wanted`. Where `parameter` is a gas in the air, its
    mass in a volume becomes its share of it, at 25 °C and 1 atm.

    Raises:
        UnknownUnitError: one of them is unknown, or they measure different things.

    >>> conversion("[degF]", "Cel")(212.0)
    100.0
    >>> conversion("uS/cm", "mS/cm")(48500.0)
    48.5
    >>> round(conversion("ug/m3", "[ppb]", "no2")(46.0), 2)
    24.45
    """
    if given == wanted:
        return IDENTITY
    try:
        source, target = _PINT[given], _PINT[wanted]
    except KeyError as error:
        raise UnknownUnitError(f"the unit {error.args[0]} is not known") from error
    registry, failures = load()
    try:
        offset, hundred = (_in(registry, target, v, source, parameter) for v in (0.0, 100.0))
    except failures as error:
        raise UnknownUnitError(f"{given} does not convert to {wanted}") from error
    return Linear((hundred - offset) / 100, offset)


def _in(
    registry: "pint.UnitRegistry[float]", target: str, value: float, source: str, parameter: str
) -> float:
    quantity = registry.Quantity(value, source)
    if parameter in _MOLAR_GRAMS and quantity.is_compatible_with("g/L"):
        quantity = quantity * registry.Quantity(_MOLAR_LITRES / _MOLAR_GRAMS[parameter], "L/g")
    return float(quantity.to(target).magnitude)


@cache
def load() -> "tuple[pint.UnitRegistry[float], type[Exception]]":
    """Pint's units and ours, and what it raises. Called early, it spares the first message that
    needs them a quarter of a second.
    """
    import pint  # noqa: PLC0415  a start without profiles does without it

    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    for definition in _OWN:
        registry.define(definition)
    return registry, pint.PintError
