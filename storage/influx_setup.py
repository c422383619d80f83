"""Prepares an InfluxDB 2 for Andaman: buckets and how long they keep, the hourly task, tokens.

It needs a token that may do everything, which Andaman itself never has while it runs. What is
already as it should be is left alone, so it can be asked for again at any time.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from core.errors import ConfigError, StartError
from storage.influx_address import InfluxAddress

TASK = "andaman-hourly"
DAY_SECONDS = 86_400
_TIMEOUT = 30.0  # s
_MODE = 0o444  # a token's file: several users of one stack read it; its folder says who may

# Aggregates of the hours that ended last, six of them, since readings may come late. What QARTOD
# calls suspect, fail or missing counts for nothing. Devices without such a reading are aggregated
# in one go; only for the others are values and flags brought together.
_HOURLY = """import "date"
import "join"
import "strings"

option task = {{name: "{task}", every: 1h, offset: 10m}}

stop = date.truncate(t: now(), unit: 1h)
measured = () => from(bucket: "{bucket}")
    |> range(start: date.sub(d: 6h, from: stop), stop: stop)
    |> filter(fn: (r) => r._measurement !~ /^(alert|andaman.*)$/)
values = measured() |> filter(fn: (r) => r._field !~ /_flag$/)
refused = measured()
    |> filter(fn: (r) => r._field =~ /_flag$/)
    |> filter(fn: (r) => r._value == 3 or r._value == 4 or r._value == 9)
doubtful = refused
    |> keep(columns: ["device"])
    |> group()
    |> unique(column: "device")
    |> findColumn(fn: (key) => true, column: "device")
series = ["_measurement", "site", "device", "_field"]
bad = refused
    |> map(fn: (r) => ({{r with
        _field: strings.trimSuffix(v: r._field, suffix: "_flag"), flag: r._value}}))
    |> group(columns: series)
mixed = values
    |> filter(fn: (r) => contains(value: r.device, set: doubtful))
    |> group(columns: series)
kept = join.left(left: mixed, right: bad,
    on: (l, r) => l._time == r._time, as: (l, r) => ({{l with flag: r.flag}}))
    |> filter(fn: (r) => not exists r.flag)
    |> drop(columns: ["flag"])
clean = values |> filter(fn: (r) => not contains(value: r.device, set: doubtful))
hourly = (fn, suffix) => union(tables: [
    clean |> aggregateWindow(every: 1h, fn: fn, timeSrc: "_start", createEmpty: false),
    kept |> aggregateWindow(every: 1h, fn: fn, timeSrc: "_start", createEmpty: false)])
    |> keep(columns: ["_time", "_value", "_measurement", "site", "device", "_field"])
    |> toFloat()
    |> map(fn: (r) => ({{r with _field: r._field + suffix}}))
    |> to(bucket: "{hourly}", org: "{org}")

hourly(fn: mean, suffix: "") |> yield(name: "mean")
hourly(fn: min, suffix: "_min") |> yield(name: "min")
hourly(fn: max, suffix: "_max") |> yield(name: "max")
hourly(fn: count, suffix: "_count") |> yield(name: "count")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How many days the readings and their hourly aggregates are kept; 0 is for ever."""

    days: int = 730
    hourly_days: int = 0


def hourly_bucket(bucket: str) -> str:
    """Where the aggregates of a bucket lie."""
    return f"{bucket}_hourly"


def hourly_flux(org: str, bucket: str) -> str:
    """The task that aggregates: `<parameter>` is the mean of the hour, beside it `_min`, `_max` and
    `_count`.
    """
    return _HOURLY.format(task=TASK, org=org, bucket=bucket, hourly=hourly_bucket(bucket))


def prepare(
    address: InfluxAddress, retention: Retention, tokens: Mapping[Path, str]
) -> Iterator[str]:
    """Bring InfluxDB to what Andaman needs; one line for each thing, as it is done.

    `address` carries the token that may do everything. `tokens` maps files to what their token may
    do: `"write"` the readings and read them, or `"read"` them alone.

    Raises:
        StartError: InfluxDB is away, knows no such organisation, or forbids it; a file cannot be
            written.
    """
    headers = {"Authorization": f"Token {address.token}"}
    with httpx.Client(base_url=address.url, headers=headers, timeout=_TIMEOUT) as client:
        admin = _Admin(client, address.org)
        ours = {
            address.bucket: retention.days,
            hourly_bucket(address.bucket): retention.hourly_days,
        }
        buckets = []
        for name, days in ours.items():
            bucket, done = admin.bucket(name, days)
            buckets.append(bucket)
            yield f"bucket {name}: {done}, keeps {f'{days} days' if days else 'everything'}"
        yield f"task {TASK}: {admin.task(hourly_flux(address.org, address.bucket))}"
        for path, right in tokens.items():
            if _opens(address, path):  # a token's text is told once: one that works is kept
                yield f"token {path}: is there"
                continue
            _write(path, admin.token(f"andaman: {path.name}", buckets, right))
            yield f"token {path}: made"


class _Admin:
    """InfluxDB's management API, for one organisation."""

    def __init__(self, client: httpx.Client, org: str) -> None:
        self._client = client
        found = self._ask("GET", "orgs", params={"org": org}, missing={"orgs": []})["orgs"]
        if not found:
            raise StartError(
                f"InfluxDB shows no organisation {org}; correct ANDAMAN_INFLUX_ORG, or give the "
                "file of a token that may do everything"
            )
        self._org = found[0]["id"]

    def bucket(self, name: str, days: int) -> tuple[str, str]:
        """Its id, and what was done so that it keeps points so many days."""
        asked = {"orgID": self._org, "name": name}
        found = self._ask("GET", "buckets", params=asked, missing={"buckets": []})["buckets"]
        rules = [{"type": "expire", "everySeconds": days * DAY_SECONDS}]  # 0 is for ever
        if not found:
            made = self._ask("POST", "buckets", json={**asked, "retentionRules": rules})
            return made["id"], "made"
        identifier = found[0]["id"]
        if sum(rule["everySeconds"] for rule in found[0]["retentionRules"]) == days * DAY_SECONDS:
            return identifier, "is there"
        self._ask("PATCH", f"buckets/{identifier}", json={"retentionRules": rules})
        return identifier, "changed"

    def task(self, flux: str) -> str:
        """What was done so that the task runs."""
        found = self._ask("GET", "tasks", params={"orgID": self._org, "name": TASK})["tasks"]
        wanted = {"flux": flux, "status": "active"}
        if not found:
            self._ask("POST", "tasks", json={"orgID": self._org, **wanted})
            return "made"
        if wanted.items() <= found[0].items():
            return "is there"
        self._ask("PATCH", f"tasks/{found[0]['id']}", json=wanted)
        return "changed"

    def token(self, name: str, buckets: Sequence[str], right: str) -> str:
        """A new token for these buckets; earlier ones of that name end."""
        held = self._ask("GET", "authorizations", params={"orgID": self._org})["authorizations"]
        for old in (each for each in held if each["description"] == name):
            self._ask("DELETE", f"authorizations/{old['id']}")
        may = [
            {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": self._org}}
            for action in (("read", "write") if right == "write" else ("read",))
            for bucket in buckets
        ]
        body = {"orgID": self._org, "description": name, "permissions": may}
        return str(self._ask("POST", "authorizations", json=body)["token"])

    def _ask(self, method: str, path: str, missing: Any = None, **more: Any) -> Any:
        """The answer; `missing` where there is no such thing and that is no mistake."""
        try:
            answer = self._client.request(method, f"/api/v2/{path}", **more)
        except httpx.HTTPError as error:
            words = f"{self._client.base_url} does not answer; is InfluxDB up?"
            raise StartError(words) from error
        if answer.status_code == httpx.codes.NOT_FOUND and missing is not None:
            return missing
        if answer.is_error:
            raise StartError(_REFUSED.get(answer.status_code, _words(answer)))
        return answer.json() if answer.content else None


_REFUSED = {
    401: "InfluxDB does not know the token; give the file of one that may do everything",
    403: "the token may not do that; give the file of one that may do everything",
}


def _words(answer: httpx.Response) -> str:
    return f"InfluxDB refuses ({answer.status_code}): {answer.text[:200]}"


def _opens(address: InfluxAddress, path: Path) -> bool:
    """Whether the file has a token that opens the bucket."""
    if not path.exists():
        return False
    try:
        own = replace(address, token=path.read_text(encoding="utf-8", errors="replace").strip())
    except ConfigError:
        return False
    headers, asked = {"Authorization": f"Token {own.token}"}, {"name": own.bucket, "org": own.org}
    answer = httpx.get(f"{own.url}/api/v2/buckets", params=asked, headers=headers, timeout=_TIMEOUT)
    return answer.is_success and bool(answer.json()["buckets"])


def _write(path: Path, text: str) -> None:
    """As a whole, so that nobody reads half a token."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        raise StartError(f"{path}: cannot be written ({error.strerror})") from error
