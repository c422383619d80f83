"""Servers that several tests share."""

from collections.abc import Iterator

import pytest

from simulators.servers.influxd import InfluxServer, find_influxd, running_influxd


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A real InfluxDB on loopback, set up and empty."""
    if find_influxd() is None:
        pytest.skip("influxd (InfluxDB 2) is not on PATH")
    with running_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server
