"""Dingtek's waste bin sensors DF702 and DF703, over LoRaWAN.

    80 | forced: 1 | device type 01 | 01 report, 02 alarm, 03 settings | length of the whole
       | distance in mm: 2 | 00: no place
       | temperature in °C: 1 | sign of the angle: 1 | angle: 1 | alarms: 2 | counter: 2 | 00 | 81

With a place (01 instead of 00) two floats of 4 bytes, longitude and latitude, stand before the
temperature. Each alarm is half a byte: full, fire, fallen, battery. Numbers are big-endian.
Settings hold no measurement. A distance of 0 or 65535 is no echo and left out as missing.
"""

from ingest.codecs.shape import FLAG, Quantities, unknown

_HEAD, _TAIL = 0x80, 0x81
_BIN_SENSOR = 0x01
_MEASURED = {0x01, 0x02}
_SETTINGS = 0x03
_TEMPERATURE_AT = {(17, 0x00): 8, (25, 0x01): 16}  # by length, and whether there is a place
_NO_ECHO = frozenset({0, 0xFFFF})
_LARGEST_ANGLE = 180


def df70x(data: bytes, _port: int | None) -> Quantities:
    """The quantities of one report or alarm; none of a packet of settings.

    `angle` is signed, `tilt` is how far the bin leans whichever way.

    Raises:
        DecodeError: it is another device's packet, or not a whole one.
    """
    if len(data) < 17 or data[0] != _HEAD or data[-1] != _TAIL or data[4] != len(data):
        raise unknown("no Dingtek packet: 80, its length, and 81 at the end are due")
    if data[2] != _BIN_SENSOR:
        raise unknown(f"device type {data[2]:#04x}, a bin sensor's is {_BIN_SENSOR:#04x}")
    if data[3] == _SETTINGS:
        return {}
    at = _TEMPERATURE_AT.get((len(data), data[7]))
    if at is None or data[3] not in _MEASURED:
        raise unknown(f"type {data[3]:#04x} with {len(data)} bytes and place {data[7]:#04x}")
    return _measured(data, at)


def _measured(data: bytes, at: int) -> Quantities:
    temperature, negative, angle, *alarms = data[at : at + 5]
    full, fire, fallen, battery = (half for byte in alarms for half in divmod(byte, 16))
    if angle > _LARGEST_ANGLE:
        raise unknown(f"an angle of {angle} degrees")
    found: Quantities = {
        "temperature": (float(temperature), "Cel"),
        "angle": (float(-angle if negative & 0x0F else angle), "deg"),
        "tilt": (float(angle), "deg"),
        "alarm_full": (float(full > 0), FLAG),
        "alarm_fire": (float(fire > 0), FLAG),
        "alarm_fall": (float(fallen > 0), FLAG),
        "alarm_battery": (float(battery > 0), FLAG),
    }
    distance = int.from_bytes(data[5:7], "big")
    if distance not in _NO_ECHO:
        found["level"] = (float(distance), "mm")
    return found
