"""The dialects that a source can name."""

from collections.abc import Mapping

from ingest.dialects.airgradient import airgradient
from ingest.dialects.chirpstack import chirpstack
from ingest.dialects.influx_line import influx_line
from ingest.dialects.milesight_nbiot import milesight_nbiot
from ingest.dialects.native import native
from ingest.dialects.senml import senml
from ingest.dialects.sensor_community import sensor_community
from ingest.dialects.shape import Dialect
from ingest.dialects.smart_data import smart_data
from ingest.dialects.tasmota import tasmota
from ingest.dialects.thingsboard import thingsboard
from ingest.dialects.ttn import ttn
from ingest.dialects.zigbee2mqtt import zigbee2mqtt

DIALECTS: Mapping[str, Dialect] = {
    "airgradient": airgradient,
    "chirpstack": chirpstack,
    "influx-line": influx_line,
    "milesight-nbiot": milesight_nbiot,
    "native": native,
    "senml": senml,
    "sensor-community": sensor_community,
    "smart-data": smart_data,
    "tasmota": tasmota,
    "thingsboard": thingsboard,
    "ttn": ttn,
    "zigbee2mqtt": zigbee2mqtt,
}
