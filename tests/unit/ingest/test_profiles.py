"""What the keys of a device mean: the file, its mistakes, and the profiles that ship."""

from pathlib import Path

import pytest

from core.catalogue import CATALOGUE
from core.errors import ConfigError
from core.readings import Reading
from core.times import MINUTE
from ingest.codecs.table import CODECS
from ingest.dialects.shape import Raw
from ingest.profiles import Channel, Profile, load
from ingest.translate import translate

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = load(ROOT / "config")
GOOD = """
profiles:
  - id: probe
    codec: decentlab-dl-ntu
    interval: 10m
    keys:
      temperature: {parameter: water_temperature}
      ec: {parameter: conductivity, unit: uS/cm, missing: [-99999.992, 0]}
    ignore: [status]
"""


def written(folder: Path, **files: str) -> Path:
    """A configuration folder with these files of profiles."""
    (folder / "profiles").mkdir()
    for name, text in files.items():
        (folder / "profiles" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_it_reads_parameter_unit_and_missing_values_of_each_key(tmp_path: Path) -> None:
    profiles = load(written(tmp_path, one=GOOD))
    assert profiles == {
        "probe": Profile(
            id="probe",
            codec="decentlab-dl-ntu",
            interval=10 * MINUTE,
            channels={
                "temperature": Channel(parameter="water_temperature", unit="Cel"),
                "ec": Channel(
                    parameter="conductivity",
                    unit="uS/cm",
                    missing=frozenset({-99999.992, 0.0}),
                ),
            },
            ignored=frozenset({"status"}),
        )
    }


def test_a_city_needs_no_profiles(tmp_path: Path) -> None:
    assert load(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        pytest.param(
            "water_temperature", "watertemp", 7, "parameter watertemp is not in", id="parameter"
        ),
        pytest.param("uS/cm", "furlong", 8, "the unit furlong is not known; use UCUM", id="unit"),
        pytest.param("uS/cm", "Cel", 8, "Cel does not convert to mS/cm", id="another quantity"),
        pytest.param("dl-ntu", "dl-xyz", 4, "decentlab-dl-xyz is no codec; write one", id="codec"),
        pytest.param("10m", "10 minutes", 5, "write a duration such as 30s", id="interval"),
        pytest.param("ignore:", "ignored:", 9, "ignored is not known here", id="key"),
        pytest.param("[status]", "[no]", 9, "valid string, not False", id="an unquoted no"),
        pytest.param("parameter: conductivity, ", "", 8, "parameter is missing", id="left out"),
        pytest.param("id: probe", "id: a b", 3, "String should match pattern", id="id"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    folder = written(tmp_path, one=GOOD.replace(old, new))
    with pytest.raises(ConfigError) as error:
        load(folder)
    (problem,) = error.value.problems
    assert problem.startswith(f"{folder}/profiles/one.yaml:{line}: ")
    assert words in problem


def test_it_tells_the_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    folder = written(tmp_path, one=GOOD, two=GOOD, three="profiles: 5", four="profiles: [")
    with pytest.raises(ConfigError) as error:
        load(folder)
    files = [Path(problem.partition(":")[0]).name for problem in error.value.problems]
    assert files == ["four.yaml", "three.yaml", "two.yaml"]
    assert "two profiles are called probe" in error.value.problems[-1]


# --- those that ship ---

# By codec, a payload that says all that the codec can.
PAYLOADS = {
    "decentlab-dl-ctd10": "023320000384d2812bbd4c00000c60",
    "decentlab-dl-ntu": "022332000300008885013e013e02330b10",
    "decentlab-dl-optod": "020abc000300008862a618836583650c60",
    "decentlab-dl-pheht": "020abc00030000884282c77f637ff60c5c",
    "decentlab-dl-pr36ctd": "020abc0003868f956497089cf50c60",
    "dingtek-df702": "800001011107d0001c00030000000c0081",
    "dingtek-df703": "800001011107d0001c00030000000c0081",
    "milesight-am300": "01755c0367ee0004687c077da803097366270a7d04000b7d20000c7d3000"
    "0d7d050008e60201",
    "milesight-em400-mud": "01755c8367e800018482410601050001",
    "milesight-em400-tld": "01755c8367e800018482410601050001",
    "milesight-em400-udl": "01755c8367e800018482410601050001",
    "milesight-em500-co2": "01756483d71901050001046873057d670406736827",
    "milesight-em500-pt100": "01756483d71901050001",
    "milesight-em500-swl": "01756403770200",
    "milesight-em500-udl": "01756403821e00",
}


def test_there_is_a_payload_for_each_codec() -> None:
    assert PAYLOADS.keys() == CODECS.keys()


@pytest.mark.parametrize("name", [p.id for p in SHIPPED.values() if p.codec])
def test_each_quantity_of_a_codec_is_a_parameter_or_ignored(name: str) -> None:
    profile = SHIPPED[name]
    raw = Raw("d", 0, bytes.fromhex(PAYLOADS[profile.codec]))
    found = list(translate(raw, "d", profile))
    readings = [item for item in found if isinstance(item, Reading)]
    assert readings
    assert len(readings) == len(found)
    assert len({reading.parameter for reading in readings}) == len(readings)
    for reading in readings:
        low, high = CATALOGUE[reading.parameter].physical
        assert low <= reading.value <= high, reading


@pytest.mark.parametrize("codec", CODECS)
def test_each_codec_has_a_profile_of_its_name(codec: str) -> None:
    assert SHIPPED[codec].codec == codec


@pytest.mark.parametrize("profile", SHIPPED.values(), ids=SHIPPED)
def test_it_maps_or_ignores_a_key_but_never_both(profile: Profile) -> None:
    assert profile.ignored.isdisjoint(profile.channels)
    assert profile.interval


@pytest.mark.parametrize(
    ("profile", "key", "value", "unit", "parameter", "expected"),
    [
        pytest.param(
            "decentlab-dl-ctd10",
            "electrical_conductivity",
            48460.0,
            "uS/cm",
            "conductivity",
            48.46,
            id="a probe in µS/cm",
        ),
        pytest.param(
            "decentlab-dl-pr36ctd",
            "electrical_conductivity",
            48.46,
            "mS/cm",
            "conductivity",
            48.46,
            id="a probe in mS/cm",
        ),
        pytest.param(
            "decentlab-dl-ntu",
            "temperature",
            29.5,
            "Cel",
            "water_temperature",
            29.5,
            id="a probe is in the water",
        ),
        pytest.param(
            "dingtek-df702", "temperature", 41.0, "Cel", "bin_temperature", 41.0, id="a bin"
        ),
        pytest.param(
            "milesight-am300", "temperature", 31.0, "Cel", "air_temperature", 31.0, id="the air"
        ),
        pytest.param("milesight-am300", "o3", 0.05, "[ppm]", "o3", 50.0, id="ozone in ppm"),
        pytest.param("zigbee-generic", "voltage", 3045.0, None, "battery_voltage", 3.045, id="mV"),
        pytest.param(
            "smart-data-air-quality-observed", "no2", 69.0, None, "no2", 36.67, id="no unitCode"
        ),
    ],
)
def test_it_means_the_right_parameter_in_the_right_unit(
    profile: str, key: str, value: float, unit: str | None, parameter: str, expected: float
) -> None:
    (found,) = translate(Reading("d", key, 0, value, unit), "d", SHIPPED[profile])
    assert isinstance(found, Reading)
    assert found.parameter == parameter
    assert found.value == pytest.approx(expected, rel=1e-4)
