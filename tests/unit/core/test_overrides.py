"""Limits in layers: which layer wins, where a value comes from, and mistakes with their lines."""

from pathlib import Path

import pytest

from core.catalogue import CATALOGUE
from core.errors import ConfigError
from core.overrides import FIELDS, FROM_CATALOGUE, LimitsEntry, Override, effective, load
from core.quality import Climate, Limits

SITES = """
seasons: {wet: [5, 10], dry: [11, 4]}
sites:
  - id: bay
    kind: beach
    name: {en: Bay, th: อ่าว}
    latitude: 7.9
    longitude: 98.3
    district: kathu
    quality:
      water_temperature:
        user_span: [20, 36]
        spike: 1.5
        flat_tolerance: 0.05
        flat_suspect: 90m
        flat_fail: 6h
        rate: null
        climatology:
          - {season: wet, span: [27, 34]}
          - {months: [4, 4], hours: [22, 5], span: [28, 33.5]}
          - {span: [24, 35]}
      rain: {rests: [0, 0], sentinels: [-1]}
"""
WET = frozenset({5, 6, 7, 8, 9, 10})
ALWAYS, ALL_DAY = frozenset(range(1, 13)), frozenset(range(24))


def written(folder: Path, text: str = SITES) -> Path:
    (folder / "sites.yaml").write_text(text, encoding="utf-8")
    return folder


def override(**values: object) -> Override:
    return Override(values=values, places={name: f"{name}.yaml" for name in values})


@pytest.mark.parametrize(
    ("layers", "spike", "rate", "origin"),
    [
        pytest.param([], 1.0, 0.5, FROM_CATALOGUE, id="the catalogue alone"),
        pytest.param([None, None], 1.0, 0.5, FROM_CATALOGUE, id="neither says anything"),
        pytest.param([override(spike=2.0), None], 2.0, 0.5, "spike.yaml", id="the profile"),
        pytest.param([None, override(spike=3.0)], 3.0, 0.5, "spike.yaml", id="the site"),
        pytest.param(
            [override(spike=2.0, rate=9.0), override(spike=3.0)],
            3.0,
            9.0,
            "spike.yaml",
            id="the site wins field by field",
        ),
        pytest.param(
            [override(spike=2.0), override(spike=None)],
            None,
            0.5,
            "spike.yaml",
            id="the site switches a test off",
        ),
    ],
)
def test_a_later_layer_wins_field_by_field(
    layers: list[Override | None], spike: float | None, rate: float, origin: str
) -> None:
    merged = effective(Limits(spike=1.0, rate=0.5), *layers)
    assert (merged.limits.spike, merged.limits.rate) == (spike, rate)
    assert merged.origin["spike"] == origin
    assert merged.origin.keys() == set(FIELDS)


def test_a_site_says_what_is_usual_there(tmp_path: Path) -> None:
    file = written(tmp_path) / "sites.yaml"
    here = load(tmp_path)["bay"]
    merged = effective(CATALOGUE["water_temperature"].limits, here["water_temperature"])
    limits, origin = merged.limits, merged.origin
    assert limits.user_span == (20.0, 36.0)
    assert (limits.flat_tolerance, limits.flat_suspect, limits.flat_fail) == (0.05, 5400.0, 21600.0)
    assert limits.rate is None
    assert limits.climatology == (
        Climate(months=WET, hours=ALL_DAY, span=(27.0, 34.0)),
        Climate(
            months=frozenset({4}),
            hours=frozenset({22, 23, 0, 1, 2, 3, 4, 5}),
            span=(28.0, 33.5),
        ),
        Climate(months=ALWAYS, hours=ALL_DAY, span=(24.0, 35.0)),
    )
    assert (origin["user_span"], origin["spike"]) == (f"{file}:12", f"{file}:13")
    assert (origin["climatology"], origin["sensor_span"]) == (f"{file}:19", FROM_CATALOGUE)
    assert here["rain"].values == {"sentinels": (-1.0,), "rests": (0.0, 0.0)}


def test_a_city_may_leave_it_to_the_catalogue(tmp_path: Path) -> None:
    assert load(written(tmp_path, SITES[: SITES.index("    quality:")])) == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        pytest.param("rain:", "rains:", 22, "parameter rains is not in the", id="parameter"),
        pytest.param("spike:", "spikes:", 13, "spikes is not known here", id="field"),
        pytest.param("[20, 36]", "[36, 20]", 12, "write the lower end and", id="span reversed"),
        pytest.param("[20, 36]", "[20]", 12, "write the lower end and", id="half a span"),
        pytest.param("[20, 36]", "[no, yes]", 12, "write the lower end and", id="words"),
        pytest.param("[20, 36]", "[.nan, 36]", 12, "write the lower end and", id="no number"),
        pytest.param("[20, 36]", "[20, 99]", 12, "user_span of water_temp", id="wide"),
        pytest.param("spike: 1.5", "spike: 0", 13, "greater than 0", id="nothing at all"),
        pytest.param("spike: 1.5", "spike: much", 13, "valid number", id="a word"),
        pytest.param("90m", "90", 15, "write a duration such as 30s", id="duration"),
        pytest.param("90m", "7h", 16, "flat_fail of water_temperature is shorter", id="order"),
        pytest.param("_tolerance: 0.05", "_tolerance: null", 14, "and flat_fail need", id="stuck"),
        pytest.param(
            "spike: 1.5",
            "neighbour_difference: 1\n        neighbour_km: null",
            14,
            "neighbour_km of water_temperature is missing",
            id="distance",
        ),
        pytest.param("season: wet", "season: hot", 19, "one of wet, dry", id="season"),
        pytest.param("season: wet", "season: wet, months: [1, 2]", 19, "not both", id="both"),
        pytest.param("[4, 4]", "[4, 13]", 20, "two months from 1 to 12", id="month"),
        pytest.param("[4, 4]", "4", 20, "two months from 1 to 12", id="one month"),
        pytest.param("[22, 5]", "[22, 24]", 20, "two hours from 0 to 23", id="hour"),
        pytest.param("[11, 4]", "[11, 0]", 2, "two months from 1 to 12", id="season's months"),
        pytest.param("{span: [24, 35]}", "{}", 21, "span is missing", id="climate without span"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in SITES
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, SITES.replace(old, new)))
    (problem,) = caught.value.problems
    assert problem.startswith(f"{tmp_path / 'sites.yaml'}:{line}: "), problem
    assert words in problem


def test_every_field_of_the_limits_can_be_written() -> None:
    assert list(LimitsEntry.model_fields) == list(FIELDS)
