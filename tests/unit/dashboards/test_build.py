"""Dashboards as Grafana 12 and 13 want them, the same from the same facts."""

import json
import re
import warnings
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from cli_dashboards import dashboards_of
from core.catalogue import CATALOGUE
from core.verdicts import FaultCause
from dashboards import look
from dashboards.build import stale, text_of, write
from dashboards.facts import Level, Words
from dashboards.look import levels_drawn, sources, verdict_words

with warnings.catch_warnings():  # it would rather see the next schema, which Grafana 12 lacks
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()  # options of each kind of panel have types of their own

CONFIG = Path(__file__).resolve().parents[3] / "config"
BUILT = dashboards_of(CONFIG)
SHIPPED = {"bargauge", "geomap", "stat", "state-timeline", "table", "timeseries"}  # with Grafana
EN = Words("en")
BARE = {"latin": re.compile(r"[A-Za-z]{4,}"), "thai": re.compile(r"[\u0e00-\u0e7f]")}

each = pytest.mark.parametrize("built", BUILT.values(), ids=list(BUILT))


def level(side: str, value: float, severity: str = "warning") -> Level:
    return Level(
        parameter="ph",
        kinds=frozenset(),
        severity=severity,
        side=side,
        value=value,
        rule={"en": "Too much", "th": "มากไป"},
        source="A proposal.",
    )


@each
def test_the_published_types_of_grafana_know_all_of_it(built: Any) -> None:
    read = Dashboard.from_json(built)
    again = json.loads(json.dumps(read, cls=JSONEncoder))
    assert lost(built, again) == []


def lost(ours: Any, again: Any, place: str = "") -> list[str]:
    """Which of our values the types did not keep."""
    if isinstance(ours, dict):
        if not isinstance(again, dict):
            return [place]
        return [
            found
            for key, value in ours.items()
            if value not in (None, [], {}, "")
            for found in (
                lost(value, again[key], f"{place}.{key}") if key in again else [f"{place}.{key}"]
            )
        ]
    if isinstance(ours, list):
        if not isinstance(again, list) or len(ours) != len(again):
            return [place]
        return [
            f
            for n, (a, b) in enumerate(zip(ours, again, strict=True))
            for f in lost(a, b, f"{place}.{n}")
        ]
    return [] if ours == again else [place]


def test_each_verdict_and_cause_has_its_words_and_a_fault_is_not_the_colour_of_an_event() -> None:
    for language in ("en", "th"):
        (mapping,) = verdict_words(Words(language))
        said = {word: shown["color"] for word, shown in mapping["options"].items()}
        assert said.keys() == {"event", "unclear", *FaultCause}
        assert said["event"] not in {said["unclear"], *(said[cause] for cause in FaultCause)}


@each
def test_it_needs_no_panel_that_grafana_does_not_ship(built: Any) -> None:
    assert {panel["type"] for panel in built["panels"]} <= SHIPPED


@each
def test_panels_lie_side_by_side_and_never_over_each_other(built: Any) -> None:
    taken = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in (panel["gridPos"] for panel in built["panels"])
    ]
    assert max(x for cells in taken for x, _ in cells) < 24
    assert not any(a & b for a, b in combinations(taken, 2))
    assert len({panel["id"] for panel in built["panels"]}) == len(built["panels"])


@each
def test_it_asks_the_source_that_somebody_chose(built: Any) -> None:
    for panel in built["panels"]:
        assert panel["datasource"]["uid"] == "${source}"
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${source}"}
    assert "http://" not in json.dumps([panel["targets"] for panel in built["panels"]])


def test_both_languages_have_the_same_panels_with_titles_of_their_own() -> None:
    for file, english in BUILT.items():
        if file.startswith("en/"):
            thai = BUILT[file.replace("en/", "th/").replace("-en.", "-th.")]
            assert [p["type"] for p in english["panels"]] == [p["type"] for p in thai["panels"]]
            assert [p["gridPos"] for p in english["panels"]] == [
                p["gridPos"] for p in thai["panels"]
            ]
            assert not any(BARE["thai"].search(p["title"]) for p in english["panels"])
            assert all(
                BARE["thai"].search(p["title"]) or p["title"] in ("PM10",) for p in thai["panels"]
            ), [p["title"] for p in thai["panels"]]


def test_the_same_facts_make_the_same_bytes() -> None:
    assert {n: text_of(one) for n, one in dashboards_of(CONFIG).items()} == {
        n: text_of(one) for n, one in BUILT.items()
    }


def test_it_writes_what_is_new_and_removes_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "andaman-old-en.json").write_text("{}", encoding="utf-8")
    (tmp_path / "en" / "mine.json").write_text("{}", encoding="utf-8")
    built = {"en/andaman-city-en.json": {"uid": "andaman-city-en"}}
    assert write(tmp_path, built) == ["en/andaman-city-en.json", "en/andaman-old-en.json"]
    assert sorted(p.name for p in tmp_path.glob("*/*")) == ["andaman-city-en.json", "mine.json"]
    assert write(tmp_path, built) == []
    assert stale(tmp_path, {"en/andaman-city-en.json": "{}"}) == ["en/andaman-city-en.json"]


def test_each_unit_of_the_catalogue_has_grafanas_name() -> None:
    assert {parameter.unit for parameter in CATALOGUE.values()} <= look.UNITS.keys()


@pytest.mark.parametrize(
    ("levels", "drawn"),
    [
        pytest.param(
            [level("above", 25), level("above", 100, "critical")],
            [(None, look.GREEN), (25, look.ORANGE), (100, look.VERMILLION)],
            id="too much",
        ),
        pytest.param(
            [level("below", 2, "critical"), level("below", 4)],
            [(None, look.VERMILLION), (2, look.ORANGE), (4, look.GREEN)],
            id="too little",
        ),
        pytest.param(
            [level("below", 7), level("above", 8.5)],
            [(None, look.ORANGE), (7, look.GREEN), (8.5, look.ORANGE)],
            id="both",
        ),
    ],
)
def test_levels_of_rules_are_thresholds(levels: list[Level], drawn: list[Any]) -> None:
    assert [(step["value"], step["color"]) for step in levels_drawn(levels)["steps"]] == drawn


def test_a_description_says_where_a_threshold_comes_from() -> None:
    words = sources(EN, [level("above", 25)])
    assert "**warning** above 25 · Too much. A proposal." in words
    turbidity = next(
        p for p in BUILT["en/andaman-beach-en.json"]["panels"] if p["title"] == "Turbidity"
    )
    assert "a proxy for suspended solids" in turbidity["description"]


SEEN = {  # what is left of red, green and blue to people who see two primary colours (Viénot 1999)
    "red-blind": ((0.112, 0.888, 0.0), (0.112, 0.888, 0.0), (0.004, -0.004, 1.0)),
    "green-blind": ((0.293, 0.707, 0.0), (0.293, 0.707, 0.0), (-0.022, 0.022, 1.0)),
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize("colours", [look.STATES, look.BANDS], ids=["states", "bands"])
def test_neighbours_on_a_scale_differ_for_every_eye(eyes: str, colours: tuple[str, ...]) -> None:
    for one, other in pairwise(colours):
        gap = [abs(a - b) for a, b in zip(seen(one, eyes), seen(other, eyes), strict=True)]
        assert max(gap) > 0.12, (one, other)


def seen(colour: str, eyes: str) -> list[float]:
    """Linear red, green and blue as somebody sees them."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return [sum(w * p for w, p in zip(row, linear, strict=True)) for row in SEEN[eyes]]
