"""Every real uplink beside the repository decodes to what its result file expects."""

from datetime import datetime
from typing import Any

import pytest

from core.readings import Reading
from core.times import to_micros
from ingest.codecs.table import CODECS
from ingest.dialects.chirpstack import chirpstack
from ingest.dialects.shape import Dialect
from ingest.dialects.ttn import ttn
from tests.samples import RECEIVED_AT, SAMPLES, items, needs_samples, raw, readings, sample

UPLINKS = sorted(path.stem for path in SAMPLES.glob("uplinks/*_payload*.json"))
SERVERS: dict[str, Dialect] = {"ChirpStack": chirpstack, "ThingsStackCommunity": ttn}
NAMES = {
    "distance_alarming": "distance_alarm",
    "lora_rssi": "rssi",
    "lora_snr": "snr",
    "temperature_abnormal": "temperature_alarm",
}
WORDS = {"tilt": 1.0}
UNITS = {
    "battery": "%",
    "battery_voltage": "V",
    "distance": "mm",
    "distance_alarm": "{flag}",
    "oxygen_concentration": "mg/L",
    "oxygen_concentration_alt": "[ppm]",
    "oxygen_saturation": "%",
    "ph": "[pH]",
    "ph_mv": "mV",
    "position": "{flag}",
    "redox": "mV",
    "rssi": "dBm",
    "snr": "dB",
    "status": "1",
    "temperature": "Cel",
    "temperature_alarm": "{flag}",
    "turbidity_in_fnu": "FNU",
    "turbidity_in_mg_l": "mg/L",
    "turbidity_in_ntu": "[NTU]",
}
# What the network says of the transmission and is no reading here.
TRANSMISSION = {
    "lora_frame_counter",
    "lora_frame_port",
    "lora_frequency",
    "lora_spreading_factor",
}


@needs_samples
def test_there_are_twenty_two_of_them() -> None:
    assert len(UPLINKS) == 22


@needs_samples
@pytest.mark.parametrize("name", UPLINKS)
def test_it_decodes_to_its_expected_values_and_units(name: str) -> None:
    maker, model, server, _ = name.split("_", 3)
    found = items(SERVERS[server], sample(f"uplinks/{name}"))
    payload = raw(found)
    decoded = CODECS[f"{maker}-{model}".lower()](payload.data, payload.port)
    if maker == "Decentlab":  # its results tell of the radio as well
        radio = readings([i for i in found if isinstance(i, Reading) and i.unit in {"dBm", "dB"}])
        decoded |= {key: (value, unit or "") for key, (value, unit) in radio.items()}

    result = sample(f"uplinks/{name.replace('_payload', '_result')}")
    (telemetry,) = result["telemetry"]
    assert decoded == expected(telemetry["values"])
    attributes = result["attributes"]
    assert payload.device == (attributes.get("lora_dev_eui") or attributes["eui"]).lower()
    port = telemetry["values"].get("lora_frame_port", attributes.get("fPort"))
    assert payload.port == port


def expected(values: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """The result's values under our names, with units."""
    named = {NAMES.get(key, key): value for key, value in values.items() if key not in TRANSMISSION}
    return {key: (float(WORDS.get(value, value)), UNITS[key]) for key, value in named.items()}


@needs_samples
@pytest.mark.parametrize("name", UPLINKS)
def test_it_is_placed_at_the_expected_time(name: str) -> None:
    maker, _, server, _ = name.split("_", 3)
    (telemetry,) = sample(f"uplinks/{name.replace('_payload', '_result')}")["telemetry"]
    at = raw(items(SERVERS[server], sample(f"uplinks/{name}"))).measured_at
    stated = telemetry.get("ts")
    if stated is None:  # version 3, whose result leaves the time out: a gateway states one
        assert at == to_micros(datetime.fromisoformat("2019-11-08T13:59:25.048445Z"))
    elif isinstance(stated, str):
        assert at == to_micros(datetime.fromisoformat(stated))
    elif (maker, server) == ("Decentlab", "ThingsStackCommunity"):
        # Its result takes the Application Server's clock; ours is the Network Server's, before it.
        assert 0 < stated * 1000 - at < 1_000_000
    else:
        assert at // 1000 == stated
    assert at != RECEIVED_AT
