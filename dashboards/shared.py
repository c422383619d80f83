"""Panels that several dashboards show."""

from collections.abc import Sequence

from core.catalogue import CATALOGUE
from dashboards.facts import Facts, Words
from dashboards.flux import LONG, alerts, before_end, by_place, means, places, readings
from dashboards.frame import UID
from dashboards.look import (
    GREEN,
    GREY,
    STATES,
    UNITS,
    alert_states,
    levels_drawn,
    mapped,
    severity_words,
    sources,
    state_words,
    steps,
    verdict_words,
)
from dashboards.panels import Json, lines, override, table, tiles

LEVELS = steps(STATES[0], *((float(n), colour) for n, colour in enumerate(STATES) if n))
OPEN = 'r.state == "firing" or r.state == "pending"'


def parameter(say: Words, facts: Facts, kind: str, name: str) -> Json:
    """A parameter at the chosen places of a kind over time: good readings as lines, flagged ones as
    points apart, the levels of rules as lines.
    """
    entry = CATALOGUE[name]
    levels = facts.of(name, kind)
    good, bad = readings(kind, name), readings(kind, name, flagged=True)
    return lines(
        entry.label[say.language],
        [by_place(say, name, means(name, good)), by_place(say, name, bad)],
        description=described(say, sources(say, levels)),
        unit=UNITS[entry.unit],
        name="${__field.labels.name}",
        flagged=say("flagged", "ข้อมูลน่าสงสัย"),
        thresholds=levels_drawn(levels) if levels else None,
    )


def described(say: Words, *parts: str) -> str:
    """A description of values over time: what is drawn, and where its levels come from."""
    drawn = say(
        "Means of good readings; suspect and bad ones are points of their own and in no mean.",
        "ค่าเฉลี่ยของข้อมูลที่ผ่านการตรวจสอบ ข้อมูลน่าสงสัยแสดงเป็นจุดแยกต่างหากและไม่นำมาเฉลี่ย",
    )
    return "\n\n".join(part for part in (drawn, *parts) if part)


def opening(say: Words, shown: Json, detail: str) -> Json:
    """The panel, with a link from each row to the dashboard of its place (column `site`)."""
    place = "var-site=${__data.fields.site}&${__url_time_range}"
    link = {
        "title": say("Show this place", "ดูสถานที่นี้"),
        "url": f"/d/{UID}{detail}-{say.language}?{place}",
        "targetBlank": False,
    }
    config = shown["fieldConfig"]
    return shown | {"fieldConfig": config | {"defaults": config["defaults"] | {"links": [link]}}}


def state_tiles(say: Words, title: str, kind: str, condition: str) -> Json:
    """How each place of a kind stands, a tile for each."""
    return tiles(
        title,
        f"""{places(say)}
  |> filter(fn: (r) => r.kind == "{kind}" and {condition})
  |> sort(columns: ["name"])
  |> rename(columns: {{level: "value"}})
  |> keep(columns: ["name", "site", "value"])""",
        description=say(
            "The worst severity that fires at a place. Without a good reading in the last 3 hours "
            "and without an alert nothing is known of it.",
            "ระดับความรุนแรงสูงสุดของการแจ้งเตือนในแต่ละสถานที่ หากไม่มีข้อมูลที่ผ่านการตรวจสอบใน 3 ชั่วโมงล่าสุด"
            "และไม่มีการแจ้งเตือน จะแสดงว่าไม่มีข้อมูลล่าสุด",
        ),
        name="${__data.fields.name}",
        thresholds=LEVELS,
        mappings=state_words(say),
    )


def open_alerts(say: Words, condition: str = "true", here: str = "true") -> Json:
    """The alerts that pend or fire at the end of the time range, each with a link."""
    return alert_table(
        say,
        say("Open alerts", "การแจ้งเตือนที่ยังไม่สิ้นสุด"),
        f"{alerts(say, before_end(LONG), condition)}\n  |> filter(fn: (r) => ({OPEN}) and {here})",
        say("No alert is open", "ไม่มีการแจ้งเตือน"),
    )


def alert_table(say: Words, title: str, query: str, none: str) -> Json:
    """Alerts, one in each row."""
    columns = {
        "severity": say("Severity", "ระดับ"),
        "rule_name": say("Alert", "การแจ้งเตือน"),
        "name": say("Place", "สถานที่"),
        "since": say("Since", "ตั้งแต่"),
        "state": say("State", "สถานะ"),
        "value": say("Value", "ค่า"),
        "verdict": say("Event or sensor", "เหตุการณ์จริงหรืออุปกรณ์"),
        "confidence": say("How sure", "ความมั่นใจ"),
        "acknowledged": say("Acknowledged", "รับทราบเมื่อ"),
        "alert": say("Details", "รายละเอียด"),
    }
    times = """
  |> map(fn: (r) => ({r with
      since: time(v: r.since),
      acknowledged: if r.acknowledged > 0 then string(v: time(v: r.acknowledged)) else "",
    }))"""
    link = {
        "title": say("Open in Andaman", "เปิดใน Andaman"),
        "url": "${andaman}/v1/alerts/${__value.raw}",
        "targetBlank": True,
    }
    unsaid = [mapped({"0": ("–", GREY)})]
    coloured = {"custom_cellOptions": {"type": "color-text"}}
    return table(
        title,
        query + times,
        columns,
        overrides=[
            override(columns["severity"], mappings=severity_words(say), **coloured),
            override(columns["state"], mappings=alert_states(say), **coloured),
            override(columns["value"], decimals=1),
            override(columns["verdict"], mappings=verdict_words(say), **coloured),
            override(columns["confidence"], unit="percentunit", decimals=0, mappings=unsaid),
            override(columns["alert"], links=[link], custom_width=120),
        ],
        sort=(columns["since"], True),
        no_value=none,
    )


def count_tile(title: str, query: str, colour: str) -> Json:
    """One number: green at 0, coloured from 1 on."""
    counted = f'{query}\n  |> count(column: "alert")\n  |> rename(columns: {{alert: "value"}})'
    return tiles(
        title,
        counted + '\n  |> keep(columns: ["value"])',
        thresholds=steps(GREEN, (1, colour)),
        no_value="0",
        decimals=0,
    )


def every(
    parameters: Sequence[str], say: Words, facts: Facts, kind: str
) -> list[tuple[int, list[tuple[Json, int]]]]:
    """Rows of two panels, one for each parameter."""
    panels = [(parameter(say, facts, kind, name), 12) for name in parameters]
    return [(8, panels[at : at + 2]) for at in range(0, len(panels), 2)]
