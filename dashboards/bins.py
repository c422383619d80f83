"""Bins: how full they are, when they were emptied, when they will be full."""

from dashboards.facts import Facts, Level, Words
from dashboards.flux import CHOSEN, CHOSEN_SITES, HERE, before_end, known, means, readings
from dashboards.frame import chosen, dashboard
from dashboards.look import GREEN, VERMILLION, YELLOW, levels_drawn, sources, steps
from dashboards.panels import Json, bars, lines, override, place_map, table
from dashboards.shared import open_alerts, parameter

EMPTIED_BY, EMPTIED_TO = 30, 25  # points of %: a fall of so much, to below so much
SLOPE = "6h"


def bins(say: Words, facts: Facts) -> Json:
    """The dashboard."""
    rows = [
        (14, [(_map(say, facts), 12), (fill_bars(say, facts, CHOSEN), 12)]),
        (9, [(_hours_to_full(say, facts), 12), (open_alerts(say, CHOSEN_SITES), 12)]),
        (10, [(parameter(say, facts, "bin", "fill_level"), 24)]),
        (9, [(_emptied(say), 12), (_emptied_each_day(say, facts), 12)]),
        (
            8,
            [
                (parameter(say, facts, "bin", "bin_temperature"), 12),
                (parameter(say, facts, "bin", "tilt"), 12),
            ],
        ),
    ]
    return dashboard(
        say,
        "bins",
        say("Andaman: bins", "อันดามัน: ถังขยะ"),
        rows,
        description=say(
            "Which bins are full, which will be, and which were emptied.",
            "ถังไหนเต็ม ถังไหนใกล้เต็ม และถังไหนเก็บแล้ว",
        ),
        variables=chosen(say, "bin"),
        annotated=CHOSEN_SITES,
        since="now-7d",
    )


def fill_bars(say: Words, facts: Facts, condition: str) -> Json:
    """The last fill level of each bin, the fullest first."""
    levels = facts.of("fill_level", "bin")
    query = f"""{known(say, _newest(condition), "value", columns=("name", "district"))}
  |> filter(fn: (r) => {HERE})
  |> sort(columns: ["value"], desc: true)
  |> keep(columns: ["name", "site", "value"])"""
    return bars(
        say("Fill level now", "ระดับขยะล่าสุด"),
        query,
        description=sources(say, levels),
        unit="percent",
        thresholds=levels_drawn(levels),
        span=(0, 100),
        decimals=0,
    )


def _newest(condition: str) -> str:
    source = readings("bin", "fill_level", within=before_end("24h"), chosen=condition)
    return f"""{source}
    |> last(column: "fill_level")
    |> rename(columns: {{fill_level: "value"}})
    |> keep(columns: ["_time", "site", "device", "value"])"""


def _map(say: Words, facts: Facts) -> Json:
    levels = facts.of("fill_level", "bin")
    query = known(say, _newest(CHOSEN), "value", columns=("name", "latitude", "longitude"))
    return place_map(
        say("Fill level on the map", "ระดับขยะบนแผนที่"),
        query + '\n  |> keep(columns: ["name", "latitude", "longitude", "value"])',
        colour_by="value",
        unit="percent",
        thresholds=levels_drawn(levels),
        names={"name": say("Place", "สถานที่")},
        description=sources(say, levels),
    )


def _full(facts: Facts) -> Level:
    """The level from which a bin is full: the highest one of the rules."""
    return [level for level in facts.of("fill_level", "bin") if level.side == "above"][-1]


def _hours_to_full(say: Words, facts: Facts) -> Json:
    full = _full(facts).value
    hourly = means("fill_level", readings("bin", "fill_level", within=before_end(SLOPE)), "30m")
    source = f"""{hourly}
    |> group(columns: ["site", "device"])
    |> sort(columns: ["_time"])
    |> reduce(
        identity: {{first: 0, at: 0, value: -1.0, grown: 0.0}},
        fn: (r, accumulator) => ({{
          first: if accumulator.first == 0 then int(v: r._time) else accumulator.first,
          at: int(v: r._time),
          value: r.fill_level,
          grown: accumulator.grown + (if accumulator.value < 0.0
            then 0.0 else if r.fill_level > accumulator.value
            then r.fill_level - accumulator.value else 0.0),
        }}),
      )
    |> filter(fn: (r) => r.at > r.first)
    |> map(fn: (r) => ({{r with
        _time: time(v: r.at),
        slope: r.grown / (float(v: r.at - r.first) / 3600000000000.0),
      }}))
    |> map(fn: (r) => ({{r with
        hours: if r.value >= {full:.1f} then 0.0 else ({full:.1f} - r.value) / r.slope,
      }}))"""
    columns = {
        "name": say("Bin", "ถังขยะ"),
        "value": say("Fill level", "ระดับขยะ"),
        "slope": say("Fills per hour", "เพิ่มขึ้นต่อชั่วโมง"),
        "hours": say("Hours to full", "เต็มในอีก (ชั่วโมง)"),
    }
    query = f"""{known(say, source, "hours")}
  |> filter(fn: (r) => r.hours < 240.0)
  |> sort(columns: ["hours"])"""
    near = {"type": "color-background", "mode": "basic"}
    return table(
        say("Hours to full", "อีกกี่ชั่วโมงจะเต็ม"),
        query,
        columns,
        description=say(
            f"How long until {full:g} % at the pace of the last {SLOPE}, emptying left out. Bins "
            "that will take longer than ten days are not listed.",
            f"เวลาที่เหลือจนถึง {full:g} % ตามอัตราใน {SLOPE} ล่าสุด ไม่นับการเก็บขยะ ไม่แสดงถังที่ใช้เวลาเกินสิบวัน",
        ),
        overrides=[
            override(columns["value"], unit="percent", decimals=0),
            override(columns["slope"], unit="percent", decimals=1),
            override(
                columns["hours"],
                decimals=0,
                custom_cellOptions=near,
                thresholds=steps(VERMILLION, (6, YELLOW), (24, GREEN)),
                color={"mode": "thresholds"},
            ),
        ],
        sort=(columns["hours"], False),
    )


def _falls() -> str:
    """Every emptying: a row with the level before (`before`) and after."""
    return f"""{readings("bin", "fill_level")}
    |> duplicate(column: "fill_level", as: "change")
    |> difference(columns: ["change"])
    |> filter(fn: (r) => r.change <= -{EMPTIED_BY}.0 and r.fill_level < {EMPTIED_TO}.0)
    |> map(fn: (r) => ({{
        _time: r._time, site: r.site, device: r.device, before: r.fill_level - r.change,
      }}))"""


def _emptied(say: Words) -> Json:
    columns = {
        "when": say("Emptied", "เก็บเมื่อ"),
        "name": say("Bin", "ถังขยะ"),
        "before": say("Fill level before", "ระดับก่อนเก็บ"),
    }
    query = f"""{known(say, _falls(), "before")}
  |> rename(columns: {{_time: "when"}})"""
    return table(
        say("Emptied", "การเก็บขยะ"),
        query,
        columns,
        description=_about_emptying(say),
        overrides=[override(columns["before"], unit="percent", decimals=0)],
        sort=(columns["when"], True),
    )


def _emptied_each_day(say: Words, facts: Facts) -> Json:
    query = f"""{_falls()}
  |> group()
  |> aggregateWindow(
      every: 1d, fn: count, column: "before", timeSrc: "_start",
      location: timezone.location(name: "{facts.zone}"),
    )
  |> rename(columns: {{before: "_value"}})"""
    return lines(
        say("Bins emptied each day", "จำนวนถังที่เก็บต่อวัน"),
        [query],
        description=_about_emptying(say),
        name=say("emptied", "เก็บแล้ว"),
        bars=True,
        decimals=0,
    )


def _about_emptying(say: Words) -> str:
    return say(
        f"A bin was emptied where its level fell by {EMPTIED_BY} points or more between two good "
        f"readings and ended below {EMPTIED_TO} %.",
        f"นับว่าเก็บแล้วเมื่อระดับลดลงตั้งแต่ {EMPTIED_BY} จุดระหว่างข้อมูลสองครั้ง และเหลือต่ำกว่า {EMPTIED_TO} %",
    )
