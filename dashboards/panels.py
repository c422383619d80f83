"""Panels: each function makes one kind that Grafana ships with, from a title and its questions."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.flux import listed, with_imports
from dashboards.look import FLAGGED

Json = dict[str, Any]
SOURCE = {"type": "influxdb", "uid": "${source}"}
EACH_ROW = {"calcs": [], "fields": "/^value$/", "values": True, "limit": 1000}  # else it is 25


def panel(
    kind: str,
    title: str,
    queries: Sequence[str],
    *,
    description: str = "",
    defaults: Mapping[str, Any] | None = None,
    overrides: Sequence[Json] = (),
    options: Mapping[str, Any] | None = None,
    transformations: Sequence[Json] = (),
) -> Json:
    """A panel whose questions have the letters A, B, …"""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "interval": "1m",
        "targets": [
            {"refId": letter, "datasource": SOURCE, "query": with_imports(query)}
            for letter, query in zip("ABCDEFGH", queries, strict=False)
        ],
        "fieldConfig": {"defaults": dict(defaults or {}), "overrides": list(overrides)},
        "options": dict(options or {}),
        "transformations": list(transformations),
    }


def lines(  # noqa: PLR0913  each property by its name
    title: str,
    queries: Sequence[str],
    *,
    description: str = "",
    unit: str = "none",
    name: str = "",
    thresholds: Json | None = None,
    areas: bool = False,
    bars: bool = False,
    decimals: int | None = None,
    flagged: str = "",
    overrides: Sequence[Json] = (),
) -> Json:
    """Values over time. With `flagged`, the last question's are points of a colour of their own,
    named so; `thresholds` are drawn as lines, or as areas; `bars` are stacked.
    """
    style = "area" if areas else "dashed"
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineWidth": 0 if bars else 1,
        "fillOpacity": 70 if bars else 5,
        "showPoints": "never",
        "spanNulls": 3_600_000,  # ms: a longer silence is a gap
        "stacking": {"mode": "normal" if bars else "none", "group": "A"},
        "thresholdsStyle": {"mode": style if thresholds else "off"},
    }
    defaults: Json = {"unit": unit, "custom": custom, "color": {"mode": "palette-classic-by-name"}}
    if name:
        defaults["displayName"] = name
    if thresholds:
        defaults["thresholds"] = thresholds
    if decimals is not None:
        defaults["decimals"] = decimals
    apart = [_apart("ABCDEFGH"[len(queries) - 1], flagged, name)] if flagged else []
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel(
        "timeseries",
        title,
        queries,
        description=description,
        defaults=defaults,
        overrides=[*apart, *overrides],
        options=options,
    )


def tiles(  # noqa: PLR0913
    title: str,
    query: str,
    *,
    description: str = "",
    unit: str = "none",
    name: str = "",
    thresholds: Json | None = None,
    mappings: Sequence[Json] = (),
    decimals: int | None = None,
    background: bool = True,
    no_value: str = "–",
) -> Json:
    """A tile for each row of a table with a column `value`."""
    defaults: Json = {
        "unit": unit,
        "mappings": list(mappings),
        "noValue": no_value,
        "color": {"mode": "thresholds"},
    }
    if name:
        defaults["displayName"] = name
    if thresholds:
        defaults["thresholds"] = thresholds
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "background_solid" if background else "none",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "wideLayout": True,
        "textMode": "value_and_name" if name else "value",
        "reduceOptions": EACH_ROW,
    }
    return panel(
        "stat", title, [query], description=description, defaults=defaults, options=options
    )


def bars(
    title: str,
    query: str,
    *,
    description: str = "",
    unit: str = "none",
    name: str = "${__data.fields.name}",
    thresholds: Json | None = None,
    span: tuple[float, float] | None = None,
    decimals: int | None = None,
) -> Json:
    """A bar for each row of a table with a column `value`."""
    defaults: Json = {"unit": unit, "displayName": name, "color": {"mode": "thresholds"}}
    if thresholds:
        defaults["thresholds"] = thresholds
    if span:
        defaults |= {"min": span[0], "max": span[1]}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "reduceOptions": EACH_ROW,
        "minVizHeight": 16,
    }
    return panel(
        "bargauge", title, [query], description=description, defaults=defaults, options=options
    )


def table(
    title: str,
    query: str,
    columns: Mapping[str, str],
    *,
    description: str = "",
    overrides: Sequence[Json] = (),
    sort: tuple[str, bool] | None = None,
    no_value: str = "",
) -> Json:
    """The columns of a question's table, in that order, under these titles. `sort` is a title, and
    whether the greatest comes first.
    """
    query = f"{query}\n  |> keep(columns: {listed(*columns)})"
    order = {name: place for place, name in enumerate(columns)}
    organize = {"id": "organize", "options": {"indexByName": order, "renameByName": dict(columns)}}
    options: Json = {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}}
    if sort:
        options["sortBy"] = [{"displayName": sort[0], "desc": sort[1]}]
    return panel(
        "table",
        title,
        [query],
        description=description,
        defaults={"noValue": no_value, "custom": {"align": "auto", "filterable": True}},
        overrides=overrides,
        options=options,
        transformations=[organize],
    )


def place_map(
    title: str,
    query: str,
    *,
    colour_by: str,
    description: str = "",
    unit: str = "none",
    thresholds: Json,
    mappings: Sequence[Json] = (),
    names: Mapping[str, str],
) -> Json:
    """A map of rows with latitude and longitude, coloured by one column, with each place's name;
    `names` are titles of columns in the tooltip.
    """
    style = {
        "color": {"field": colour_by, "fixed": "#999999"},
        "opacity": 0.9,
        "size": {"fixed": 9, "min": 6, "max": 12},
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
        "text": {"field": "name", "mode": "field", "fixed": ""},
        "textConfig": {"fontSize": 11, "offsetX": 0, "offsetY": 14, "textAlign": "center"},
    }
    layer = {
        "type": "markers",
        "name": title,
        "tooltip": True,
        "config": {"showLegend": True, "style": style},
        "location": {"mode": "coords", "latitude": "latitude", "longitude": "longitude"},
    }
    options = {
        "view": {"id": "fit", "allLayers": True, "padding": 8, "lat": 0, "lon": 0, "zoom": 10},
        "basemap": {"type": "default", "name": "map", "config": {}},
        "layers": [layer],
        "controls": {"showZoom": True, "showAttribution": True, "mouseWheelZoom": False},
        "tooltip": {"mode": "details"},
    }
    coloured = {
        "unit": unit,
        "thresholds": thresholds,
        "mappings": list(mappings),
        "color": {"mode": "thresholds"},
    }
    titled = [override(column, displayName=words) for column, words in names.items()]
    return panel(
        "geomap",
        title,
        [query],
        description=description,
        defaults={"color": {"mode": "thresholds"}},
        overrides=[override(colour_by, **coloured), *titled],
        options=options,
    )


def timeline(
    title: str,
    query: str,
    *,
    description: str = "",
    name: str,
    thresholds: Json,
    mappings: Sequence[Json],
    per_page: int = 20,
) -> Json:
    """A bar for each series that changes its colour over time."""
    defaults = {
        "displayName": name,
        "thresholds": thresholds,
        "mappings": list(mappings),
        "color": {"mode": "thresholds"},
        "custom": {"fillOpacity": 80, "lineWidth": 0},
    }
    options = {
        "mergeValues": True,
        "showValue": "never",
        "rowHeight": 0.85,
        "perPage": per_page,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single"},
    }
    return panel(
        "state-timeline",
        title,
        [query],
        description=description,
        defaults=defaults,
        options=options,
    )


def override(column: str, **properties: Any) -> Json:
    """Properties of one column; `custom_…` are those of the panel's kind."""
    found = [
        {"id": name.replace("custom_", "custom.", 1), "value": value}
        for name, value in properties.items()
    ]
    return {"matcher": {"id": "byName", "options": column}, "properties": found}


def _apart(letter: str, word: str, name: str) -> Json:
    properties = {
        "color": {"mode": "fixed", "fixedColor": FLAGGED},
        "custom.drawStyle": "points",
        "custom.pointSize": 7,
        "custom.showPoints": "always",
        "displayName": f"{name or '${__field.name}'} · {word}",
    }
    return {
        "matcher": {"id": "byFrameRefID", "options": letter},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }
