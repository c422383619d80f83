"""Entities of the Smart Data Models, as NGSI brokers send them: key-values, normalized, or NGSI-LD.

One entity, a list of them, or a notification with a list under `data`. The device is the one of
`refDevice` if it names exactly one, and else the entity's `id`: the id of an observation may hold
its time and be another each hour.

The time is that of the attribute (`observedAt`), then `dateObserved` (of an interval its end), then
when it was received. `fillingLevel` and `relativeHumidity` are fractions of 1 in the models and
become percentages; one far above 1 was never a fraction and is refused rather than guessed at.
Units are the attribute's `unitCode`, or the default that the model's text gives.
"""

from collections.abc import Mapping

import msgspec

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import (
    MOST_ITEMS,
    Decoded,
    Incoming,
    Item,
    Refused,
    in_order,
    parse,
    too_many,
)
from ingest.dialects.times import measured_at
from ingest.dialects.values import finite

Entity = Mapping[str, object]

_FRACTIONS = {"fillingLevel", "relativeHumidity"}
_LARGEST_FRACTION = 2.0  # beyond, say 40, it is a percentage sent by mistake

# Default units by model. The gases of the air have none there: they come with a unitCode. What the
# text calls parts per thousand and formazin units are our practical salinity and NTU.
_MODELS: Mapping[str, Mapping[str, str]] = {
    "AirQualityObserved": {
        "pm1": "ug/m3",
        "pm10": "ug/m3",
        "pm25": "ug/m3",
        "temperature": "Cel",
        "windDirection": "deg",
        "windSpeed": "m/s",
    },
    "WasteContainer": {"cargoWeight": "kg", "temperature": "Cel"},
    "WaterQualityObserved": {
        "Chla": "ug/L",
        "Cl-": "mg/L",
        "NH3": "mg/L",
        "NH4": "mg/L",
        "NO3": "mg/L",
        "O2": "mg/L",
        "PC": "ug/L",
        "PE": "ug/L",
        "bod": "mg/L",
        "cod": "mg/L",
        "conductance": "S/m",
        "conductivity": "S/m",
        "orp": "mV",
        "pH": "[pH]",
        "salinity": "[psu]",
        "tds": "mg/L",
        "temperature": "Cel",
        "tss": "mg/L",
        "turbidity": "[NTU]",
    },
}

# UN/CEFACT common codes.
_UNIT_CODES = {
    "2Z": "mV",
    "59": "[ppm]",
    "61": "[ppb]",
    "A97": "hPa",
    "C62": "1",
    "CEL": "Cel",
    "CMT": "cm",
    "D10": "S/m",
    "DD": "deg",
    "FAH": "[degF]",
    "G42": "uS/cm",
    "GP": "mg/m3",
    "GQ": "ug/m3",
    "KGM": "kg",
    "M1": "mg/L",
    "MBR": "mbar",
    "MMT": "mm",
    "MTR": "m",
    "MTS": "m/s",
    "P1": "%",
    "PAL": "Pa",
    "VLT": "V",
}

_decoder = msgspec.json.Decoder(dict[str, object] | list[dict[str, object]])


def smart_data(incoming: Incoming) -> Decoded:
    """The readings of all entities; an entity or a value that cannot be taken is refused alone.

    Raises:
        msgspec.MsgspecError: the JSON is broken or no entity.
        DecodeError: it is no UTF-8, nested too deep, or has too many entities.
    """
    message = parse(_decoder, incoming.payload)
    entities = message if isinstance(message, list) else [message]
    if isinstance(message, dict) and isinstance(notified := message.get("data"), list):
        entities = [entity for entity in notified if isinstance(entity, dict)]
    if len(entities) > MOST_ITEMS:
        raise too_many()
    items: list[Item] = []
    for entity in entities:
        try:
            items += _readings(entity, incoming)
        except DecodeError as error:
            items.append(Refused(error.reason, error.detail))
    return Decoded(in_order(items))


def _readings(entity: Entity, incoming: Incoming) -> list[Item]:
    defaults = _MODELS.get(_model(entity))
    if defaults is None:
        words = f"type is none of {', '.join(_MODELS)}"
        raise DecodeError(Refusal.WRONG_SHAPE, words)
    device = _device(entity)
    observed = _observed(entity, incoming)
    found: list[Item] = []
    for key, attribute in entity.items():
        value = _value(attribute)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        try:
            quantity, unit = _quantity(key, finite(value), _unit_code(attribute))
            at = _observed_at(attribute, observed, incoming)
        except DecodeError as error:
            found.append(Refused(error.reason, f"{key:.64}: {error.detail}"))
            continue
        found.append(Reading(device, key, at, quantity, unit or defaults.get(key)))
    return found


def _quantity(key: str, value: float, unit_code: str | None) -> tuple[float, str | None]:
    if key not in _FRACTIONS or unit_code not in {None, "C62"}:
        return value, None if unit_code is None else _UNIT_CODES.get(unit_code, unit_code)
    if abs(value) > _LARGEST_FRACTION:
        raise DecodeError(Refusal.UNKNOWN_UNIT, f"{value:g} is no fraction of 1")
    return round(value * 100, 9), "%"  # 0.07 × 100 is 7.000000000000001


def _model(entity: Entity) -> str:
    kind = entity.get("type")
    return kind.replace("#", "/").rpartition("/")[2] if isinstance(kind, str) else ""


def _device(entity: Entity) -> str:
    monitors = _value(entity.get("refDevice"))
    if isinstance(monitors, list) and len(monitors) == 1:
        monitors = monitors[0]
    for name in (monitors, entity.get("id")):
        if isinstance(name, str) and name:
            return name
    raise DecodeError(Refusal.WRONG_SHAPE, "an entity needs an id")


def _observed(entity: Entity, incoming: Incoming) -> int:
    stated = _value(entity.get("dateObserved"))
    if stated is None:
        return incoming.received_at
    if not isinstance(stated, str):
        raise DecodeError(Refusal.TIME_INVALID, "dateObserved is no text")
    return measured_at(stated.rpartition("/")[2], incoming)


def _observed_at(attribute: object, otherwise: int, incoming: Incoming) -> int:
    stated = attribute.get("observedAt") if isinstance(attribute, dict) else None
    return measured_at(stated, incoming) if isinstance(stated, str) else otherwise


def _unit_code(attribute: object) -> str | None:
    """NGSI-LD has it beside the value, NGSI version 2 among the metadata."""
    if not isinstance(attribute, dict):
        return None
    metadata = attribute.get("metadata")
    inner = metadata.get("unitCode") if isinstance(metadata, dict) else None
    code = _value(attribute.get("unitCode", inner))
    return code if isinstance(code, str) else None


def _value(attribute: object) -> object:
    """What an attribute says, in whichever of the three forms."""
    while isinstance(attribute, dict):
        form = next((form for form in ("value", "object", "@value") if form in attribute), None)
        if form is None:
            break
        attribute = attribute[form]
    return attribute
