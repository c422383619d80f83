"""City overview: what is wrong where, at a glance."""

from dashboards.air import mean_of_a_day
from dashboards.bins import fill_bars
from dashboards.facts import Facts, Words
from dashboards.flux import HERE, LONG, alerts, before_end, places
from dashboards.frame import dashboard, districts
from dashboards.look import SEVERITIES, severity, state_words
from dashboards.panels import Json, place_map
from dashboards.shared import LEVELS, OPEN, count_tile, open_alerts, opening, state_tiles


def city(say: Words, facts: Facts) -> Json:
    """The dashboard."""
    beaches = state_tiles(say, say("Beaches", "ชายหาด"), "beach", HERE)
    bins = state_tiles(say, say("Bins", "ถังขยะ"), "bin", HERE)
    rows = [
        (4, [(_open(say, name), 8) for name in reversed(tuple(SEVERITIES))]),
        (16, [(_map(say), 12), (open_alerts(say, here=HERE), 12)]),
        (
            10,
            [
                (opening(say, beaches, "beach"), 12),
                (opening(say, mean_of_a_day(say, facts), "air"), 12),
            ],
        ),
        (
            14,
            [
                (opening(say, fill_bars(say, facts, "true"), "bins"), 12),
                (opening(say, bins, "bins"), 12),
            ],
        ),
    ]
    return dashboard(
        say,
        "city",
        say("Andaman: city overview", "อันดามัน: ภาพรวมเมือง"),
        rows,
        description=say(
            "What is wrong where: the sea, the air and the bins of the city.",
            "สิ่งผิดปกติในเมือง: ทะเล อากาศ และถังขยะ",
        ),
        variables=[districts(say)],
        since="now-24h",
        refresh="1m",
    )


def _open(say: Words, name: str) -> Json:
    query = f"""{alerts(say, before_end(LONG))}
  |> filter(fn: (r) => r.severity == "{name}" and ({OPEN}) and {HERE})"""
    title = say("Open alerts: ", "การแจ้งเตือนที่เปิดอยู่: ") + severity(say, name)
    return count_tile(title, query, SEVERITIES[name])


def _map(say: Words) -> Json:
    columns = {
        "name": say("Place", "สถานที่"),
        "district": say("District", "พื้นที่"),
        "open": say("Open alerts", "การแจ้งเตือน"),
    }
    query = f"""{places(say)}
  |> filter(fn: (r) => {HERE})
  |> sort(columns: ["level"])
  |> keep(columns: ["name", "district", "latitude", "longitude", "level", "open"])"""
    return place_map(
        say("How each place stands", "สถานะของแต่ละสถานที่"),
        query,
        colour_by="level",
        thresholds=LEVELS,
        mappings=state_words(say),
        names=columns,
        description=say(
            "Places in the colour of their worst alert. Coordinates are approximate.",
            "สีของแต่ละสถานที่ตามการแจ้งเตือนที่รุนแรงที่สุด พิกัดเป็นค่าโดยประมาณ",
        ),
    )
