"""What `andaman influx setup` makes of a real InfluxDB."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from core.errors import StartError
from simulators.servers.influxd import InfluxServer
from storage.influx import InfluxWriter
from storage.influx_address import InfluxAddress
from storage.influx_setup import Retention, hourly_bucket, hourly_flux, prepare

pytestmark = pytest.mark.network
HOUR = 3600


@pytest.fixture
def address(influx: InfluxServer) -> InfluxAddress:
    """A bucket that is not there yet, and the token that may do everything."""
    bucket = f"b-{uuid4()}"
    return InfluxAddress(url=influx.url, org=influx.org, bucket=bucket, token=influx.token)


def rows(address: InfluxAddress, flux: str) -> list[dict[str, Any]]:
    with InfluxDBClient(address.url, address.token, org=address.org) as client:
        return [row.values for table in client.query_api().query(flux) for row in table.records]


def write(address: InfluxAddress, lines: list[str]) -> int:
    writer = InfluxWriter(address)
    try:
        return writer("\n".join(lines).encode()).status
    finally:
        writer.close()


def test_it_makes_what_is_missing_and_then_leaves_it_alone(
    influx: InfluxServer, address: InfluxAddress, tmp_path: Path
) -> None:
    tokens = {tmp_path / "andaman": "write", tmp_path / "grafana": "read"}

    first = list(prepare(address, Retention(days=30), tokens))
    kept = {path: path.read_text(encoding="utf-8") for path in tokens}
    again = list(prepare(address, Retention(days=30), tokens))

    assert [line.split(": ", 1)[1] for line in first] == [
        "made, keeps 30 days",
        "made, keeps everything",
        "made",
        "made",
        "made",
    ]
    assert [line for line in again if "is there" not in line] == []
    assert {path: path.read_text(encoding="utf-8") for path in tokens} == kept
    rules = influx.call("GET", f"/api/v2/buckets?name={address.bucket}")["buckets"][0][
        "retentionRules"
    ]
    assert [rule["everySeconds"] for rule in rules] == [30 * 86_400]


def test_a_changed_retention_and_a_lost_token_are_mended(
    influx: InfluxServer, address: InfluxAddress, tmp_path: Path
) -> None:
    token = tmp_path / "andaman"
    list(prepare(address, Retention(days=30), {token: "write"}))
    token.chmod(0o600)
    token.write_text("not-a-token", encoding="utf-8")

    done = list(prepare(address, Retention(), {token: "write"}))

    assert done[0] == f"bucket {address.bucket}: changed, keeps 730 days"
    assert done[-1] == f"token {token}: made"
    held = influx.call("GET", "/api/v2/authorizations")["authorizations"]
    assert [a["description"] for a in held].count("andaman: andaman") == 1


def test_the_tokens_may_do_no_more_than_they_need(address: InfluxAddress, tmp_path: Path) -> None:
    tokens = {tmp_path / "andaman": "write", tmp_path / "grafana": "read"}
    list(prepare(address, Retention(), tokens))
    line = f"beach,device=d1,site=s1 ph=8.1 {int(time.time())}000000000"

    andaman, grafana = (replace(address, token=path.read_text()) for path in tokens)

    assert write(andaman, [line]) == 204
    assert write(grafana, [line]) == 403
    assert len(rows(grafana, f'from(bucket: "{address.bucket}") |> range(start: -1h)')) == 1
    with pytest.raises(StartError, match="may do everything"):
        list(prepare(grafana, Retention(), {}))


def test_the_hourly_task_leaves_doubtful_values_out(address: InfluxAddress) -> None:
    list(prepare(address, Retention(), {}))
    hour = int(time.time()) // HOUR * HOUR - 2 * HOUR
    lines = [
        f"beach,device=good,site=s1 ph={8.0 + minute / 100} {hour + 60 * minute}000000000"
        for minute in range(0, 60, 10)
    ]
    lines += [
        f"beach,device=mixed,site=s1 ph=99,ph_flag=4i,turbidity=3 {hour}000000000",
        f"beach,device=mixed,site=s1 ph=8,ph_flag=2i,turbidity=5 {hour + 600}000000000",
        f"beach,device=mixed,site=s1 ph=7 {hour + 1200}000000000",
        f"beach,device=broken,site=s1 ph=77,ph_flag=3i {hour}000000000",
        f'alert,rule=r,site=s1,severity=warning state="firing",value=9 {hour}000000000',
        f'andaman_site,site=s1 name_en="Patong",level=1i {hour}000000000',
        f'andaman_device,device=good site="s1",interval=300 {hour}000000000',
    ]
    assert write(address, lines) == 204

    rows(address, hourly_flux(address.org, address.bucket))

    made = rows(
        address,
        f'from(bucket: "{hourly_bucket(address.bucket)}")'
        f" |> range(start: {hour}, stop: {hour + HOUR})",
    )
    found = {(row["device"], row["_field"]): row["_value"] for row in made}
    assert {key: found[key] for key in sorted(found) if key[0] == "good"} == pytest.approx(
        {
            ("good", "ph"): 8.25,
            ("good", "ph_count"): 6,
            ("good", "ph_max"): 8.5,
            ("good", "ph_min"): 8.0,
        }
    )
    assert {k: v for k, v in found.items() if k[0] == "mixed" and k[1].startswith("ph")} == (
        pytest.approx(
            {
                ("mixed", "ph"): 7.5,
                ("mixed", "ph_count"): 2,
                ("mixed", "ph_max"): 8,
                ("mixed", "ph_min"): 7,
            }
        )
    )
    assert found["mixed", "turbidity"] == pytest.approx(4)
    assert not [key for key in found if key[0] == "broken"]
    assert {row["_measurement"] for row in made} == {"beach"}


def test_an_influxdb_that_is_away_is_said() -> None:
    away = InfluxAddress(url="http://127.0.0.1:9", org="o", bucket="b", token="t")
    with pytest.raises(StartError, match="does not answer; is InfluxDB up"):
        list(prepare(away, Retention(), {}))
