"""The only place that speaks to InfluxDB 2: one write, and history by Flux."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.flux_csv_parser import FluxQueryException
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError

from core.errors import StorageError
from core.readings import Flag
from core.registry import ID_PATTERN, Series
from core.times import iso, to_micros
from storage.forwarder import Answer
from storage.history import Bucket, Point
from storage.influx_address import InfluxAddress

TIMEOUT_SECONDS = 10.0
_END_OF_TIME = 9_000_000_000_000_000  # µs; in the year 2255


class InfluxWriter:
    """Writes line protocol, one request for each call, and reports what came back."""

    def __init__(self, address: InfluxAddress, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._address = address
        self._client: Any = _client(address, timeout_seconds)
        self._service: Any = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]

    def __call__(self, lines: bytes) -> Answer:
        """Send `lines` (ns timestamps). Raises nothing that the network or the server causes."""
        try:
            _, status, headers = self._service.post_write_with_http_info(
                self._address.org, self._address.bucket, lines, precision="ns"
            )
        except ApiException as error:
            body = error.body or error.reason or ""
            return Answer(error.status or 0, error.headers or {}, str(body))
        except (InfluxDBError, HTTPError, OSError) as error:
            return Answer(0, {}, f"{type(error).__name__}: {error}")
        return Answer(status, headers, "")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class InfluxHistory:
    """`storage.history.History` from InfluxDB.

    A device keeps its history when it moves to another site: device and parameter select it.
    """

    def __init__(self, address: InfluxAddress) -> None:
        self._bucket = address.bucket
        self._client: Any = _client(address)
        self._queries = self._client.query_api()

    def raw(
        self, series: Series, start: int, end: int, *, limit: int, flags: AbstractSet[int] | None
    ) -> list[Point]:
        """See `History`."""
        if start >= end:
            return []
        flux = f'{self._joined(series, start, end, flags)} |> sort(columns: ["_time"])'
        return [
            Point(to_micros(row["_time"]), row["value"], int(row.get("flag") or Flag.GOOD))
            for row in self._ask(f"{flux} |> limit(n: {int(limit)})")
        ]

    def aggregates(
        self, series: Series, start: int, end: int, every: int, *, flags: AbstractSet[int] | None
    ) -> list[Bucket]:
        """See `History`."""
        if start >= end:
            return []
        if flags is None:
            source, column = self._selected(series, start, end, _is_field(series, "")), "_value"
        else:
            source, column = self._joined(series, start, end, flags), "value"
        # The source is written out four times: a Flux variable that is used twice is read into
        # memory, while this way the storage engine aggregates by itself.
        flux = "\n".join(_windowed(source, column, int(every), how) for how in _COMBINE)
        return _buckets(self._ask(flux), column, every)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _selected(self, series: Series, start: int, end: int, fields: str) -> str:
        return f"""from(bucket: "{self._bucket}")
            |> range(start: {_moment(start)}, stop: {_moment(end)})
            |> filter(fn: (r) => r.device == "{_safe(series.device)}" and ({fields}))"""

    def _joined(self, series: Series, start: int, end: int, flags: AbstractSet[int] | None) -> str:
        """Flux for rows of `_time`, `value` and, in ranges that have one, `flag`."""
        value, flag = _is_field(series, ""), _is_field(series, "_flag")
        return f"""{self._selected(series, start, end, f"{value} or {flag}")}
            |> map(fn: (r) => ({{
                _time: r._time,
                _field: if {value} then "value" else "flag",
                _value: float(v: r._value),
            }}))
            |> group()
            |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
            |> filter(fn: (r) => {_has_flag(flags)})"""

    def _ask(self, flux: str) -> list[dict[str, Any]]:
        """The rows of all tables. Raises: StorageError."""
        try:
            return [row.values for row in self._queries.query_stream(flux)]
        except (InfluxDBError, FluxQueryException, HTTPError, OSError) as error:
            raise StorageError(f"InfluxDB does not answer: {_brief(error)}") from error


_COMBINE: Mapping[str, Callable[[float, float], float]] = {
    "count": operator.add,
    "sum": operator.add,
    "min": min,
    "max": max,
}


def _windowed(source: str, column: str, every: int, how: str) -> str:
    return f"""{source}
        |> aggregateWindow(every: {every}us, fn: {how}, column: "{column}",
            createEmpty: false, timeSrc: "_start")
        |> keep(columns: ["_time", "{column}"])
        |> yield(name: "{how}")"""


def _buckets(rows: Iterable[Mapping[str, Any]], column: str, every: int) -> list[Bucket]:
    """One bucket for each window, also where a device's points lie in two tables (it moved)."""
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        start = to_micros(row["_time"]) // every * every  # a partial window starts late
        window, how, part = found.setdefault(start, {}), row["result"], row[column]
        window[how] = _COMBINE[how](window[how], part) if how in window else part
    return [
        Bucket(start, w["count"], w["sum"] / w["count"], w["min"], w["max"])
        for start, w in sorted(found.items())
    ]


def _is_field(series: Series, suffix: str) -> str:
    return f'r._field == "{_safe(series.parameter)}{suffix}"'


def _has_flag(flags: AbstractSet[int] | None) -> str:
    if flags is None:
        return "true"
    wanted = [f"r.flag == {int(flag)}.0" for flag in sorted(flags)]
    if Flag.GOOD in flags:
        wanted.insert(0, "not exists r.flag")
    return " or ".join(wanted) or "false"


def _moment(micros: int) -> str:
    """A Flux time; InfluxDB knows none before 1678 or after 2261."""
    return iso(min(max(micros, 0), _END_OF_TIME))


def _safe(name: str) -> str:
    """An id as it may stand in Flux, which has no parameters. Raises: ValueError."""
    if not re.fullmatch(ID_PATTERN, name):
        raise ValueError(f"{name!r} is no id")
    return name


def _brief(error: Exception) -> str:
    return str(error.message) if isinstance(error, InfluxDBError) else str(error)


def _client(address: InfluxAddress, timeout_seconds: float = TIMEOUT_SECONDS) -> InfluxDBClient:
    """A client without retries of its own; nothing is sent yet."""
    milliseconds = round(timeout_seconds * 1000)
    return InfluxDBClient(
        url=address.url, token=address.token, org=address.org, timeout=milliseconds
    )
