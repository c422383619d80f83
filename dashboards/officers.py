"""Alerts: which there are and were, how long they took, how soon somebody took them on."""

from dashboards.facts import Facts, Words
from dashboards.flux import HERE, LONG, alerts, before_end, known, rows
from dashboards.frame import dashboard, districts
from dashboards.look import (
    SEVERITIES,
    severity,
    severity_words,
    state_words,
    verdict_words,
)
from dashboards.panels import Json, lines, override, table, tiles, timeline
from dashboards.shared import LEVELS, OPEN, alert_table, count_tile, open_alerts

BEGUN = "r._time >= v.timeRangeStart"


def officers(say: Words, _facts: Facts) -> Json:
    """The dashboard."""
    panels = [
        (
            4,
            [
                (_open(say), 6),
                (_begun(say), 6),
                (_median(say, say("Time to acknowledge", "เวลาจนรับทราบ"), "acknowledged"), 6),
                (_median(say, say("Time to resolve", "เวลาจนสิ้นสุด"), "until"), 6),
            ],
        ),
        (10, [(open_alerts(say, here=HERE), 24)]),
        (14, [(_timeline(say), 24)]),
        (9, [(_over_time(say), 12), (_acknowledged(say), 12)]),
        (9, [(_by_rule(say), 12), (_by_verdict(say), 12)]),
        (10, [(_past(say), 24)]),
    ]
    return dashboard(
        say,
        "alerts",
        say("Andaman: alerts", "อันดามัน: การแจ้งเตือน"),
        panels,
        description=say(
            "Andaman decides what an alert is; Grafana only shows it.",
            "Andaman เป็นผู้ตัดสินการแจ้งเตือน Grafana เพียงแสดงผล",
        ),
        variables=[districts(say)],
        since="now-7d",
        refresh="1m",
    )


def _in_range(say: Words) -> str:
    """Alerts that began in the time range; what became of them is known up to its end."""
    source = alerts(say, "start: date.sub(from: v.timeRangeStart, d: 1d), stop: v.timeRangeStop")
    return f"{source}\n  |> filter(fn: (r) => {BEGUN} and {HERE})"


def _open(say: Words) -> Json:
    source = f"{alerts(say, before_end(LONG))}\n  |> filter(fn: (r) => ({OPEN}) and {HERE})"
    return count_tile(say("Open alerts", "การแจ้งเตือนที่เปิดอยู่"), source, SEVERITIES["critical"])


def _begun(say: Words) -> Json:
    return count_tile(
        say("Alerts that began", "การแจ้งเตือนที่เกิดขึ้น"), _in_range(say), SEVERITIES["info"]
    )


def _median(say: Words, title: str, until: str) -> Json:
    query = f"""{_in_range(say)}
  |> filter(fn: (r) => r.{until} > 0)
  |> map(fn: (r) => ({{value: float(v: r.{until} - r.since) / 1000000000.0}}))
  |> median(column: "value")"""
    return tiles(
        title,
        query,
        unit="s",
        background=False,
        decimals=0,
        description=say(
            "The median over the alerts that began in the time range, from when each began.",
            "ค่ามัธยฐานของการแจ้งเตือนที่เกิดขึ้นในช่วงเวลา นับจากเวลาที่เริ่ม",
        ),
    )


def _timeline(say: Words) -> Json:
    level = rows('r._measurement == "andaman_site" and r._field == "level"')
    source = f'{level}\n    |> keep(columns: ["_time", "site", "_value"])'
    query = f"""{known(say, source, "_value", keys=("name",), columns=("name", "district"))}
  |> filter(fn: (r) => {HERE})
  |> keep(columns: ["_time", "_value", "name"])"""
    return timeline(
        say("How each place stood", "สถานะของแต่ละสถานที่ตามเวลา"),
        query,
        name="${__field.labels.name}",
        thresholds=LEVELS,
        mappings=state_words(say),
    )


def _over_time(say: Words) -> Json:
    query = f"""{_in_range(say)}
  |> keep(columns: ["_time", "severity", "alert"])
  |> group(columns: ["severity"])
  |> aggregateWindow(every: v.windowPeriod, fn: count, column: "alert", timeSrc: "_start")
  |> rename(columns: {{alert: "_value"}})"""
    shown = [
        override(
            name, color={"mode": "fixed", "fixedColor": colour}, displayName=severity(say, name)
        )
        for name, colour in SEVERITIES.items()
    ]
    return lines(
        say("Alerts that began, by severity", "การแจ้งเตือนที่เกิดขึ้น ตามระดับ"),
        [query],
        name="${__field.labels.severity}",
        bars=True,
        overrides=shown,
        decimals=0,
    ) | {"interval": "1h"}


def _acknowledged(say: Words) -> Json:
    columns = {
        "severity": say("Severity", "ระดับ"),
        "alerts": say("Alerts", "จำนวน"),
        "taken": say("Acknowledged", "รับทราบแล้ว"),
        "mean": say("Mean time", "เวลาเฉลี่ย"),
        "longest": say("Longest time", "นานที่สุด"),
    }
    query = f"""{_in_range(say)}
  |> map(fn: (r) => ({{r with
      took: if r.acknowledged > 0
        then float(v: r.acknowledged - r.since) / 1000000000.0 else -1.0,
    }}))
  |> group(columns: ["severity"])
  |> reduce(
      identity: {{alerts: 0, taken: 0, sum: 0.0, longest: 0.0}},
      fn: (r, accumulator) => ({{
        alerts: accumulator.alerts + 1,
        taken: accumulator.taken + (if r.took >= 0.0 then 1 else 0),
        sum: accumulator.sum + (if r.took >= 0.0 then r.took else 0.0),
        longest: if r.took > accumulator.longest then r.took else accumulator.longest,
      }}),
    )
  |> filter(fn: (r) => r.taken > 0)
  |> map(fn: (r) => ({{r with mean: r.sum / float(v: r.taken)}}))
  |> group()"""
    return table(
        say("Time to acknowledge, by severity", "เวลาจนรับทราบ ตามระดับ"),
        query,
        columns,
        overrides=[
            override(columns["severity"], mappings=severity_words(say)),
            override(columns["mean"], unit="s", decimals=0),
            override(columns["longest"], unit="s", decimals=0),
        ],
        no_value=say("None was acknowledged", "ยังไม่มีการรับทราบ"),
    )


def _by_rule(say: Words) -> Json:
    columns = {
        "rule_name": say("Alert", "การแจ้งเตือน"),
        "alerts": say("Times", "ครั้ง"),
        "places": say("Places", "สถานที่"),
    }
    query = f"""{_in_range(say)}
  |> group(columns: ["rule_name", "name"])
  |> count(column: "alert")
  |> group(columns: ["rule_name"])
  |> reduce(
      identity: {{alerts: 0, places: 0}},
      fn: (r, accumulator) => ({{
        alerts: accumulator.alerts + r.alert, places: accumulator.places + 1,
      }}),
    )
  |> group()"""
    title = say("Most frequent alerts", "การแจ้งเตือนที่เกิดบ่อย")
    return table(title, query, columns, sort=(columns["alerts"], True))


def _by_verdict(say: Words) -> Json:
    columns = {
        "verdict": say("Event or sensor", "เหตุการณ์จริงหรืออุปกรณ์"),
        "alerts": say("Times", "ครั้ง"),
    }
    query = f"""{_in_range(say)}
  |> filter(fn: (r) => r.verdict != "")
  |> group(columns: ["verdict"])
  |> count(column: "alert")
  |> rename(columns: {{alert: "alerts"}})
  |> group()"""
    return table(
        say("What alerts came from", "สาเหตุของการแจ้งเตือน"),
        query,
        columns,
        description=say(
            "An event of the place, or a fault of the sensor with its cause, as alerts were judged "
            "by the end of the time range.",
            "เหตุการณ์จริงในพื้นที่ หรืออุปกรณ์ผิดปกติพร้อมสาเหตุ ตามการวินิจฉัยเมื่อสิ้นสุดช่วงเวลา",
        ),
        overrides=[
            override(
                columns["verdict"],
                mappings=verdict_words(say),
                custom_cellOptions={"type": "color-text"},
            )
        ],
        sort=(columns["alerts"], True),
        no_value=say("None was judged", "ยังไม่มีการวินิจฉัย"),
    )


def _past(say: Words) -> Json:
    query = f'{_in_range(say)}\n  |> filter(fn: (r) => r.state == "resolved")'
    title = say("Alerts that are over", "การแจ้งเตือนที่สิ้นสุดแล้ว")
    return alert_table(say, title, query, say("None", "ไม่มี"))
