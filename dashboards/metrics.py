"""Questions about Andaman's own metrics in InfluxDB."""

from dashboards.facts import Words
from dashboards.flux import rows
from dashboards.panels import Json, lines

EVERY = "  |> aggregateWindow(every: v.windowPeriod, fn: {how}, createEmpty: false)"


def metric(*fields: str) -> str:
    """The points of these metrics."""
    wanted = " or ".join(f'r._field == "{field}"' for field in fields)
    return rows(f'r._measurement == "andaman" and ({wanted})')


def durations(say: Words, title: str, histogram: str, description: str) -> Json:
    """The mean, and what 95 of 100 stay below, from a histogram of the metrics."""
    total, number = f"{histogram}_sum", f"{histogram}_count"
    query = f"""{metric(total, number)}
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false)
  |> difference(nonNegative: true)
  |> group(columns: ["_time", "_field"])
  |> sum()
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.{number} and r.{number} > 0.0)
  |> map(fn: (r) => ({{_time: r._time, _value: r.{total} / r.{number}}}))"""
    worst = f"""{metric(f"{histogram}_bucket")}
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false)
  |> difference(nonNegative: true)
  |> map(fn: (r) => ({{_time: r._time, le: float(v: r.le), _value: r._value}}))
  |> group(columns: ["_time", "le"])
  |> sum()
  |> group(columns: ["_time"])
  |> histogramQuantile(quantile: 0.95, countColumn: "_value", upperBoundColumn: "le")
  |> group()
  |> filter(fn: (r) => r._value >= 0.0)"""
    return lines(
        title,
        [query, worst],
        description=description,
        unit="s",
        overrides=[
            _named("A", say("mean", "ค่าเฉลี่ย")),
            _named("B", say("95 of 100 are quicker", "95 ใน 100 เร็วกว่านี้")),
        ],
    ) | {"interval": "5m"}


def _named(letter: str, name: str) -> Json:
    return {
        "matcher": {"id": "byFrameRefID", "options": letter},
        "properties": [{"id": "displayName", "value": name}],
    }
