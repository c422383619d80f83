"""The judge's stand-in of InfluxDB takes and refuses what a real one does."""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import uuid4

import httpx
import pytest

from core.registry import Series
from core.times import SECOND
from simulators.servers.influxd import InfluxServer
from simulators.stand_ins.influx import Influx
from storage.history import Point
from storage.influx import InfluxHistory
from storage.influx_address import InfluxAddress

T0 = 1_795_305_600 * SECOND
PH = Series(index=0, device="probe-1", parameter="ph", site="patong", kind="beach", district="x")
HEAD = b"beach,device=probe-1,site=patong"


class Place(NamedTuple):
    """Where to write, and what is there then: value by time (µs)."""

    write: Callable[[bytes], httpx.Response]
    spoil: Callable[[], None]  # from now on `odd` is a field of text
    values: Callable[[], dict[int, float]]


def real(influx: InfluxServer) -> Place:
    bucket = uuid4().hex
    influx.create_bucket(bucket)
    address = InfluxAddress(url=influx.url, org=influx.org, bucket=bucket, token=influx.token)

    def write(lines: bytes) -> httpx.Response:
        place = {"org": influx.org, "bucket": bucket}
        headers = {"Authorization": f"Token {influx.token}"}
        return httpx.post(
            f"{influx.url}/api/v2/write", params=place, headers=headers, content=lines
        )

    def values() -> dict[int, float]:
        history = InfluxHistory(address)
        try:
            points: list[Point] = history.raw(PH, T0, T0 + SECOND, limit=100, flags=None)
        finally:
            history.close()
        return {point.measured_at: point.value for point in points}

    return Place(write, lambda: _good(write(b'beach odd="text" %d' % (T0 * 1000))), values)


def stand_in(influx: Influx) -> Place:
    return Place(
        lambda lines: httpx.post(f"http://127.0.0.1:{influx.port}/api/v2/write", content=lines),
        lambda: influx.conflicts.add("odd"),
        lambda: {at // 1000: f["ph"] for (_, at), f in influx.points.items() if "ph" in f},
    )


def _good(answer: httpx.Response) -> None:
    assert answer.status_code == 204, answer.text


@pytest.fixture(params=["real", "stand-in"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "real":
        yield real(request.getfixturevalue("influx"))
        return
    with Influx() as influx:
        yield stand_in(influx)


def line(n: int, field: bytes = b"ph") -> bytes:
    return HEAD + b" %s=8.%d %d" % (field, n, (T0 + n) * 1000)


@pytest.mark.network
def test_a_point_that_comes_again_overwrites_itself(place: Place) -> None:
    _good(place.write(line(1) + b"\n" + line(2)))
    _good(place.write(line(2).replace(b"8.2", b"8.5")))
    assert place.values() == {T0 + 1: 8.1, T0 + 2: 8.5}


@pytest.mark.network
def test_a_point_of_another_type_is_refused_and_the_rest_is_stored(place: Place) -> None:
    place.spoil()
    answer = place.write(b"\n".join([line(1), line(2, b"odd"), line(3)]))
    assert answer.status_code == 422
    assert "field type conflict" in answer.json()["message"]
    assert place.values() == {T0 + 1: 8.1, T0 + 3: 8.3}
