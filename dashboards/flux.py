"""Questions to InfluxDB in Flux, as Grafana asks them: `v.…` and `${…}` are filled by Grafana.

What comes back is a series where a row has `_time` and `_value` (its other columns are labels), and
a table otherwise. Readings that a test of quality or an officer calls suspect or bad (flag 3 and 4)
are apart from good ones everywhere.
"""

from collections.abc import Sequence

from dashboards.facts import Words

IN_RANGE = "start: v.timeRangeStart, stop: v.timeRangeStop"
CHOSEN = "r.site =~ /^${site:regex}$/ and r.device =~ /^${device:regex}$/"
HERE = "(not exists r.district or r.district =~ /^${district:regex}$/)"
CHOSEN_SITES = "r.site =~ /^${site:regex}$/"
NOT_READINGS = "/^(alert|andaman.*)$/"
# What says how bad an alert is; officers' work and a silence leave that as it was.
WEIGHED = "/^(confirmed|eased|first-breach|held|worsened)$/"
LONG = "90d"  # an alert that is open has changed within so long


def before_end(length: str) -> str:
    """The time up to the end of what is looked at."""
    return f"start: date.sub(from: v.timeRangeStop, d: {length}), stop: v.timeRangeStop"


def rows(condition: str, within: str = IN_RANGE) -> str:
    """Points of the bucket that Grafana's data source names."""
    return f"""from(bucket: v.defaultBucket)
  |> range({within})
  |> filter(fn: (r) => {condition})"""


def readings(
    kind: str,
    parameter: str,
    *,
    flagged: bool = False,
    within: str = IN_RANGE,
    chosen: str = CHOSEN,
) -> str:
    """Good readings, or the flagged ones, in a column named like the parameter."""
    flag = f"{parameter}_flag"
    fields = f'(r._field == "{parameter}" or r._field == "{flag}")'
    told = f"exists r.{flag} and r.{flag} >= 3"
    if not flagged:
        told = f"not exists r.{flag} or r.{flag} < 3"
    return f"""{rows(f'r._measurement == "{kind}" and {fields} and {chosen}', within)}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.{parameter} and ({told}))"""


def means(parameter: str, source: str, every: str = "v.windowPeriod") -> str:
    """The mean of each window."""
    return f"""{source}
  |> aggregateWindow(every: {every}, fn: mean, column: "{parameter}", createEmpty: false)"""


def known(
    say: Words,
    source: str,
    value: str,
    *,
    tag: str = "site",
    columns: Sequence[str] = ("name",),
    keys: Sequence[str] = (),
) -> str:
    """The rows of `source` with what Andaman has said of their site, device or rule (`tag`).

    What it said sorts before all rows and is filled downwards: a join costs many times as much.
    `value` is a column that only the rows have; the result is grouped by `keys`. The source does
    more than read: InfluxDB 2.9 loses one side of a union when it may group both while reading.
    """
    names = {"name": f"name_{say.language}"}
    fields = [names.get(column, column) for column in columns]
    wanted = " or ".join(f'r._field == "{field}"' for field in fields)
    called = "rule_name" if tag == "rule" else "name"
    titles = [called if column == "name" else column for column in columns]
    renamed = ", ".join(f'{f}: "{t}"' for f, t in zip(fields, titles, strict=True) if f != t)
    rename = f"\n    |> rename(columns: {{{renamed}}})" if renamed else ""
    fills = "".join(f'\n  |> fill(column: "{title}", usePrevious: true)' for title in titles)
    said = rows(f'r._measurement == "andaman_{tag}" and ({wanted})', before_end("7d"))
    return f"""union(tables: [
  {said}
    |> last()
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> map(fn: (r) => ({{r with _time: 1970-01-01T00:00:00Z}})){rename}
    |> keep(columns: {listed("_time", tag, *titles)})
    |> group(columns: ["{tag}"]),
  {source}
    |> group(columns: ["{tag}"]),
])
  |> sort(columns: ["_time"]){fills}
  |> filter(fn: (r) => exists r.{value})
  |> group({f"columns: {listed(*keys)}" if keys else ""})"""


def by_place(say: Words, parameter: str, source: str) -> str:
    """One series for each device, named after its place."""
    kept = f'{source}\n  |> keep(columns: ["_time", "site", "device", "{parameter}"])'
    return f"""{known(say, kept, parameter, keys=("name", "device"))}
  |> keep(columns: ["_time", "name", "device", "{parameter}"])
  |> rename(columns: {{{parameter}: "_value"}})"""


def places(say: Words) -> str:
    """A row for each place: how it stands, what it is called, where it is."""
    return f"""{rows('r._measurement == "andaman_site"', before_end("7d"))}
  |> last()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> rename(columns: {{name_{say.language}: "name"}})"""


def alerts(say: Words, within: str, condition: str = "true") -> str:
    """A row for each alert that fired: since when, until when, acknowledged when (ns, 0: not yet),
    and what it is judged to be: `verdict` is "event", "unclear", or the cause of a sensor's fault,
    empty where nothing is said.

    Those of rules on trial, and those folded into a storm's, are no alerts to officers.
    """
    source = f"""{rows('r._measurement == "alert"', within)}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.alert and ({condition}))
  |> filter(fn: (r) => not exists r.marks or r.marks !~ /shadow|folded/)
  |> group(columns: ["alert"])
  |> sort(columns: ["_time"])
  |> reduce(
      identity: {{
        rule: "", site: "", severity: "", state: "", subject: "", value: 0.0,
        since: 0, until: 0, acknowledged: 0, verdict: "", confidence: 0.0,
      }},
      fn: (r, accumulator) => ({{
        rule: r.rule,
        site: if exists r.site then r.site else "",
        severity: if r.reason =~ {WEIGHED} or accumulator.severity == "" then r.severity
          else accumulator.severity,
        state: r.state,
        subject: r.subject,
        value: if exists r.value then r.value else 0.0,
        since: if accumulator.since == 0 and r.state == "firing" then int(v: r._time)
          else accumulator.since,
        until: if r.state == "resolved" then int(v: r._time) else 0,
        acknowledged: if accumulator.acknowledged == 0 and r.reason == "acknowledged"
          then int(v: r._time) else accumulator.acknowledged,
        verdict: if not exists r.verdict then accumulator.verdict
          else if r.cause != "" then r.cause else r.verdict,
        confidence: if exists r.verdict then r.confidence else accumulator.confidence,
      }}),
    )
  |> filter(fn: (r) => r.since > 0)
  |> map(fn: (r) => ({{r with _time: time(v: r.since)}}))
  |> group()"""
    ruled = known(say, source, "alert", tag="rule")
    return known(say, ruled, "alert", tag="site", columns=("name", "district"))


def with_imports(query: str) -> str:
    """The query behind the imports that it needs."""
    needed = [name for name in ("date", "math", "strings", "timezone") if f"{name}." in query]
    return "".join(f'import "{name}"\n' for name in needed) + query


def listed(*names: str) -> str:
    """Names as an array of Flux."""
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"[{quoted}]"
