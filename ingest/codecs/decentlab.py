"""Decentlab's LoRaWAN sensors: one frame for all of them, and a table of words for each model.

    02 | device id: 2 | flags: 2 | words of 2 bytes, big-endian

Bit n of the flags says that the words of part n follow, in order of n. Part 0 is the sensor and
part 1 the battery, so that flags of 2 mean the battery alone. Words that can be negative are
shifted by 32768.
"""

from typing import NamedTuple

from ingest.codecs.shape import FLAG, Codec, Quantities, unknown

_VERSION = 2
_HEADER = 5
_SHIFT = 32768


class Word(NamedTuple):
    """One word of a part: its value is (word - shift) / divisor."""

    key: str
    unit: str
    divisor: float = 1
    shift: int = 0

    def value(self, word: int) -> float:
        """What the word means."""
        return (word - self.shift) / self.divisor


def signed(key: str, unit: str, divisor: float = 1) -> Word:
    """A word that can be negative."""
    return Word(key, unit, divisor, _SHIFT)


_BATTERY = (Word("battery_voltage", "V", 1000),)
_STATUS = Word("status", "1")


def codec(*sensor: Word) -> Codec:
    """The codec of a model whose part 0 has these words."""
    parts = (sensor, _BATTERY)

    def decode(data: bytes, _port: int | None) -> Quantities:
        flags = _flags(data)
        words = [word for part, known in enumerate(parts) if flags >> part & 1 for word in known]
        due = _HEADER + 2 * len(words)
        if flags >> len(parts) or len(data) != due:
            raise unknown(f"{len(data)} bytes with flags {flags:#06x}: not of this model")
        stated = (int.from_bytes(data[at : at + 2], "big") for at in range(_HEADER, due, 2))
        return {
            word.key: (word.value(number), word.unit)
            for word, number in zip(words, stated, strict=True)
        }

    return decode


def _flags(data: bytes) -> int:
    if len(data) < _HEADER or data[0] != _VERSION:
        raise unknown(f"no Decentlab frame of version {_VERSION}")
    return int.from_bytes(data[3:5], "big")


dl_ctd10 = codec(
    signed("water_depth", "mm"),
    signed("temperature", "Cel", 10),
    Word("electrical_conductivity", "uS/cm"),
    Word("freezing_flag", FLAG),
)

dl_ntu = codec(
    _STATUS,
    signed("temperature", "Cel", 100),
    Word("turbidity_in_ntu", "[NTU]", 10),
    Word("turbidity_in_fnu", "FNU", 10),
    Word("turbidity_in_mg_l", "mg/L", 10),
)

dl_optod = codec(
    _STATUS,
    signed("temperature", "Cel", 100),
    signed("oxygen_saturation", "%", 100),
    signed("oxygen_concentration", "mg/L", 100),
    signed("oxygen_concentration_alt", "[ppm]", 100),
)

dl_pheht = codec(
    _STATUS,
    signed("temperature", "Cel", 100),
    signed("ph", "[pH]", 100),
    signed("redox", "mV", 10),
    signed("ph_mv", "mV", 10),
)


def dl_pr36ctd(pressure_divisor: float, conductivity_divisor: float) -> Codec:
    """The divisors, kP and kEC, belong to each sensor's range and are printed in its datasheet."""
    return codec(
        signed("pressure", "bar", pressure_divisor),
        signed("temperature_electronics", "Cel", 256),
        signed("temperature_pt1000", "Cel", 256),
        signed("electrical_conductivity", "mS/cm", conductivity_divisor),
    )
