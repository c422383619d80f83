"""What Grafana does to a question of a dashboard before InfluxDB sees it, and to the answer after.

As read in Grafana's source: variables are filled in the browser, `v.…` by the server, and an answer
with a time and `_value` becomes one series for each table, with the other columns as labels.
"""

import csv
import io
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.times import iso
from simulators.servers.influxd import InfluxServer

ALL = "$__all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A series (`labels` and `values`), or a table (`rows` of text by column)."""

    labels: Mapping[str, str]
    rows: Sequence[Mapping[str, str]]
    is_series: bool

    @property
    def values(self) -> list[float]:
        """Of a series."""
        return [float(row["_value"]) for row in self.rows if row["_value"] != ""]


class Grafana:
    """One dashboard that somebody looks at from `start` to `stop` (µs), on panels `width` wide."""

    def __init__(
        self,
        influx: InfluxServer,
        bucket: str,
        dashboard: Any,
        start: int,
        stop: int,
        width: int = 1000,
    ) -> None:
        self._influx, self._bucket = influx, bucket
        self._start, self._stop, self._width = start, stop, width
        self.dashboard = dashboard
        self.chosen: dict[str, list[str]] = {}
        self.seconds = 0.0
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                self.chosen[variable["name"]] = [value for _, value in self.options(variable)]
            else:
                self.chosen[variable["name"]] = [variable["current"]["value"]]

    def options(self, variable: Any) -> list[tuple[str, str]]:
        """What can be chosen: text and value."""
        pattern = re.compile(variable["regex"].strip("/").replace("(?<", "(?P<"))
        column = self.ask(variable["query"]["query"])
        texts = [row["_value"] for frame in column for row in frame.rows]
        found = [match for text in texts if (match := pattern.search(text))]
        return [(match["text"], match["value"]) for match in found]

    def panels(self) -> Iterator[tuple[Any, str, str]]:
        """Each panel with each of its questions and its letter."""
        for panel in self.dashboard["panels"]:
            for target in panel.get("targets", ()):
                yield panel, target["refId"], target["query"]

    def ask(self, query: str, least_seconds: int = 60) -> list[Frame]:
        """The answer; AssertionError with InfluxDB's words when there is none."""
        body = {"query": self._filled(query, least_seconds), "type": "flux"}
        body |= {"dialect": {"annotations": ["group", "datatype", "default"]}}  # type: ignore[dict-item]
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self._influx.url}/api/v2/query?org={self._influx.org}",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Token {self._influx.token}",
                "Content-Type": "application/json",
            },
        )
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.read().decode()}\n{query}") from error
        self.seconds = time.perf_counter() - began
        return list(_frames(text))

    def _filled(self, query: str, least_seconds: int) -> str:
        for name, values in self.chosen.items():
            regex = [re.sub(r"[\\^$*+?.()|[\]{}/]", r"\\\g<0>", value) for value in values]
            joined = regex[0] if len(regex) == 1 else f"({'|'.join(regex)})"
            query = query.replace(f"${{{name}:regex}}", joined).replace(
                f"${{{name}}}", values[0] if values else ""
            )
        assert "${" not in query, query
        window = max((self._stop - self._start) // 1_000_000 // self._width, least_seconds)
        filled = {
            "v.timeRangeStart": iso(self._start),
            "v.timeRangeStop": iso(self._stop),
            "v.windowPeriod": f"{window // 60}m{window % 60}s",
            "v.defaultBucket": f'"{self._bucket}"',
        }
        for macro, value in filled.items():
            query = query.replace(macro, value)
        return query


def _frames(text: str) -> Iterator[Frame]:
    """One for each table; tables of another shape begin behind an empty line."""
    for block in re.split(r"\r?\n\r?\n", text.strip()):
        lines = block.splitlines()
        marked = {line.split(",", 1)[0]: line for line in lines if line.startswith("#")}
        if not marked:
            continue
        kinds = next(csv.reader([marked["#datatype"]]))
        reader = csv.reader(
            io.StringIO("\n".join(line for line in lines if not line.startswith("#")))
        )
        header = next(reader)
        times = [n for n, kind in zip(header, kinds, strict=True) if kind.startswith("dateTime")]
        tables: dict[str, list[dict[str, str]]] = {}
        for row in reader:
            values = dict(zip(header, row, strict=True))
            tables.setdefault(values["table"], []).append(values)
        for rows in tables.values():
            yield _frame(header, kinds, rows, bool(times))


def _frame(header: list[str], kinds: list[str], rows: list[dict[str, str]], timed: bool) -> Frame:
    is_series = timed and "_value" in header
    columns = [name for name in header if name not in ("", "result", "table")]
    labels = {}
    if is_series:
        texts = {name for name, kind in zip(header, kinds, strict=True) if kind == "string"}
        labels = {n: rows[0][n] for n in columns if n in texts and not n.startswith("_")}
    kept = [{name: row[name] for name in columns} for row in rows]
    return Frame(labels=labels, rows=kept, is_series=is_series)
