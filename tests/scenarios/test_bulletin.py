"""A running system tells InfluxDB of its places, devices and rules, and of itself."""

from pathlib import Path
from typing import Any

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from simulators.processes import andaman, wait_until
from simulators.servers.influxd import InfluxServer

pytestmark = pytest.mark.network


def test_influxdb_knows_the_names_and_the_state_of_what_runs(
    influx: InfluxServer, tmp_path: Path
) -> None:
    client: Any = InfluxDBClient(url=influx.url, token=influx.token, org=influx.org)

    def rows(measurement: str) -> list[dict[str, Any]]:
        found = client.query_api().query(f"""
            from(bucket: "bulletin") |> range(start: -1h)
            |> filter(fn: (r) => r._measurement == "{measurement}")
            |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")""")
        return [record.values for table in found for record in table.records]

    influx.create_bucket("bulletin")
    settings = {"influx_url": influx.url, "influx_token": influx.token, "influx_bucket": "bulletin"}
    with andaman(tmp_path, **settings) as system:
        system.start()
        system.wait_ready()
        wait_until(lambda: rows("andaman_rule"))
        sites = {row["site"]: row for row in rows("andaman_site")}
        assert sites["patong-beach"]["name_th"] == "หาดป่าตอง"
        assert sites["patong-beach"]["level"] == 0  # nothing was heard yet
        devices = {row["device"]: row for row in rows("andaman_device")}
        assert devices["patong-probe-1"]["interval"] == 300
        rules = {row["rule"]: row for row in rows("andaman_rule")}
        assert rules["air-haze"]["name_en"] == "Haze"
        assert any(row.get("kind") == "stored" for row in rows("andaman"))
    client.close()
