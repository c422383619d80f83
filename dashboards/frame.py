"""What dashboards share: variables, annotations, links to each other, and where panels lie."""

from collections.abc import Sequence
from typing import Any

from dashboards.facts import Words
from dashboards.flux import alerts, before_end, places, with_imports
from dashboards.look import ORANGE
from dashboards.panels import SOURCE, Json

SCHEMA = 41  # of Grafana 12; 13 reads it as well
UID = "andaman-"  # begins the uid of each dashboard and folder of ours, and of nobody else's
LINK = "http://127.0.0.1:8080"
CHOICE = r"/(?<text>[^|]+)\|(?<value>.+)/"  # words, a bar, what they stand for
WIDTH = 24

Row = Sequence[tuple[Json, int]]


def dashboard(  # noqa: PLR0913  each part by its name
    say: Words,
    name: str,
    title: str,
    rows: Sequence[tuple[int, Row]],
    *,
    description: str,
    variables: Sequence[Json] = (),
    annotated: str = "",
    since: str = "now-24h",
    refresh: str = "5m",
) -> Json:
    """A dashboard of rows of panels: (height, [(panel, width), …]); `annotated` is the condition of
    the alerts that are marked in its panels.
    """
    return {
        "uid": f"{UID}{name}-{say.language}",
        "title": title,
        "description": description,
        "tags": ["andaman", f"andaman-{say.language}"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "weekStart": "monday",
        "refresh": refresh,
        "time": {"from": since, "to": "now"},
        "templating": {"list": [*_always(say), *variables]},
        "annotations": {"list": [_annotation(say, annotated)] if annotated else []},
        "links": [_others(say)],
        "panels": _laid(rows),
    }


def chosen(say: Words, kind: str) -> list[Json]:
    """Variables of a dashboard about one kind of place: district, site, device."""
    sites = f'{places(say)}\n  |> filter(fn: (r) => r.kind == "{kind}")'
    here = "|> filter(fn: (r) => r.district =~ /^${district:regex}$/)"
    devices = before_end("7d")
    return [
        _choice(
            "district",
            say("District", "พื้นที่"),
            f"""{sites}
  |> distinct(column: "district")
  |> map(fn: (r) => ({{_value: r._value + "|" + r._value}}))""",
        ),
        _choice(
            "site",
            say("Place", "สถานที่"),
            f"""{sites}
  {here}
  |> sort(columns: ["name"])
  |> map(fn: (r) => ({{_value: r.name + "|" + r.site}}))""",
        ),
        _choice(
            "device",
            say("Device", "อุปกรณ์"),
            f"""from(bucket: v.defaultBucket)
  |> range({devices})
  |> filter(fn: (r) => r._measurement == "andaman_device" and r._field == "site")
  |> last()
  |> filter(fn: (r) => r._value =~ /^${{site:regex}}$/)
  |> group()
  |> sort(columns: ["device"])
  |> map(fn: (r) => ({{_value: r.device + "|" + r.device}}))""",
        ),
    ]


def districts(say: Words) -> Json:
    """The variable of dashboards about places of every kind."""
    return _choice(
        "district",
        say("District", "พื้นที่"),
        f"""{places(say)}
  |> distinct(column: "district")
  |> sort(columns: ["_value"])
  |> map(fn: (r) => ({{_value: r._value + "|" + r._value}}))""",
    )


def linked(one: Json, address: str) -> Json:
    """The dashboard with the address of Andaman in its links."""
    chosen_address = {"query": address, "current": {"text": address, "value": address}}
    variables = [
        variable | chosen_address if variable["name"] == "andaman" else variable
        for variable in one["templating"]["list"]
    ]
    return one | {"templating": {"list": variables}}


def _choice(name: str, label: str, query: str) -> Json:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": {"query": with_imports(query), "refId": name},
        "regex": CHOICE,
        "refresh": 1,  # when the dashboard is opened
        "sort": 0,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _always(say: Words) -> list[Json]:
    source = {
        "type": "datasource",
        "name": "source",
        "label": say("Data source", "แหล่งข้อมูล"),
        "query": "influxdb",
        "current": {"text": "Andaman", "value": f"{UID}influxdb"},
        "hide": 2,
    }
    link = {
        "type": "textbox",
        "name": "andaman",
        "label": say("Address of Andaman", "ที่อยู่ของ Andaman"),
        "hide": 2,
    }
    return [source, link]


def _annotation(say: Words, condition: str) -> Json:
    """Alerts that began in range, from beginning to end, with a link to each."""
    query = f"""{alerts(say, "start: v.timeRangeStart, stop: v.timeRangeStop", condition)}
  |> map(fn: (r) => ({{
      time: r._time,
      timeEnd: if r.until > 0 then time(v: r.until) else now(),
      title: r.rule_name,
      tags: r.severity,
      text: (if exists r.name then r.name else r.subject)
        + " <a href='${{andaman}}/v1/alerts/" + r.alert + "'>{say("details", "รายละเอียด")}</a>",
    }}))"""
    return {
        "name": say("Alerts", "การแจ้งเตือน"),
        "datasource": SOURCE,
        "enable": True,
        "iconColor": ORANGE,
        "target": {"refId": "alerts", "query": with_imports(query)},
        "mappings": {
            field: {"source": "field", "value": field}
            for field in ("time", "timeEnd", "title", "text", "tags")
        },
    }


def _others(say: Words) -> Json:
    return {
        "type": "dashboards",
        "title": say("Andaman", "อันดามัน"),
        "tags": [f"andaman-{say.language}"],
        "asDropdown": True,
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "url": "",
        "tooltip": "",
    }


def _laid(rows: Sequence[tuple[int, Row]]) -> list[Json]:
    """Numbers and places: rows from the top, each from the left."""
    found: list[dict[str, Any]] = []
    top = 0
    for height, row in rows:
        left = 0
        for one, width in row:
            place = {"x": left, "y": top, "w": width, "h": height}
            found.append({"id": len(found) + 1, "gridPos": place, **one})
            left += width
        if left > WIDTH:
            raise ValueError(f"a row is {left} wide, {WIDTH} is all there is")
        top += height
    return found
