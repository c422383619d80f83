"""The configuration's files: mistakes in, lines out, each with its place and what to write."""

from pathlib import Path

import pytest

from core.configuration import load
from core.errors import ConfigError
from core.times import iso
from tests.world import CONFIGURATION, write_configuration

SITES, DEVICES = CONFIGURATION["sites.yaml"], CONFIGURATION["devices.yaml"]


def problems(folder: Path) -> list[str]:
    """What is wrong there, without the folder's own name."""
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_it_knows_the_places_and_what_stands_there(tmp_path: Path) -> None:
    city = load(write_configuration(tmp_path))
    assert list(city.sites) == ["patong", "town", "bin"]
    assert city.sites["patong"].name == {"en": "Patong", "th": "ป่าตอง"}
    assert city.devices["bin-2"].gateway == "other"
    assert iso(city.devices["bin-2"].since) == "2026-01-01T00:00:00Z"
    assert list(city.gateways) == ["gw", "other"]


def test_it_knows_the_time_zone_of_the_city(tmp_path: Path) -> None:
    assert load(write_configuration(tmp_path)).zone.key == "UTC"
    sites = f"timezone: Asia/Bangkok\n{SITES}"
    assert load(write_configuration(tmp_path, sites=sites)).zone.key == "Asia/Bangkok"


@pytest.mark.parametrize(
    ("sites", "expected"),
    [
        pytest.param("", ["sites.yaml:1: sites is missing; write sites: …"], id="empty"),
        pytest.param(
            "sites:\n", ["sites.yaml:1: sites: Input should be a valid list, not None"], id="null"
        ),
        pytest.param(
            "sites: []\nplaces: []\n",
            ["sites.yaml:2: places is not known here; remove it or correct the name"],
            id="a key that is not known",
        ),
        pytest.param(
            SITES.replace("longitude: 98.391", "longitud: 98.391"),
            [
                "sites.yaml:5: sites.1.longitude is missing; write longitude: …",
                "sites.yaml:6: sites.1.longitud is not known here; remove it or correct the name",
            ],
            id="a key with a slip of the pen",
        ),
        pytest.param(
            f"timezone: Asia/Phuket\n{SITES}",
            ["sites.yaml:1: timezone: write a time zone such as Asia/Bangkok, not 'Asia/Phuket'"],
            id="a place that is no zone",
        ),
        pytest.param(
            SITES.replace(", th: ป่าตอง", ""),
            ["sites.yaml:3: sites.0.name.th is missing; write th: …"],
            id="a name in one language",
        ),
        pytest.param(
            SITES.replace("7.885", "97.885").replace("kind: bin", "kind: Bin"),
            [
                (
                    "sites.yaml:5: sites.1.latitude: Input should be less than or equal to 90, "
                    "not 97.885"
                ),
                (
                    "sites.yaml:7: sites.2.kind: String should match pattern "
                    "'^[a-z][a-z_]{0,31}$', not 'Bin'"
                ),
            ],
            id="two mistakes are told at once",
        ),
        pytest.param(
            SITES.replace("7.8965", ".nan"),
            ["sites.yaml:3: sites.0.latitude: Input should be a finite number, not nan"],
            id="not a number",
        ),
        pytest.param(
            SITES.replace("7.8965", "'7.8965'"),
            ["sites.yaml:3: sites.0.latitude: Input should be a valid number, not '7.8965'"],
            id="a number in quotes",
        ),
        pytest.param(
            SITES.replace("district: kathu", "district: no"),
            ["sites.yaml:4: sites.0.district: Input should be a valid string, not False"],
            id="a word that YAML takes for false",
        ),
        pytest.param(
            SITES.replace("kind: beach", "kind: beach, kind: air"),
            ["sites.yaml:3: kind is written twice; keep one"],
            id="a key twice",
        ),
        pytest.param(
            SITES.replace("id: town", "id: patong"),
            [
                "sites.yaml:5: patong is already on line 3; give it an id of its own",
                "devices.yaml:7: site town is not in sites.yaml; add it there or correct the name",
            ],
            id="an id twice",
        ),
        pytest.param(
            "sites:\n\t- x\n",
            ["sites.yaml:2: is not YAML: found character '\\t' that cannot start any token"],
            id="a tab",
        ),
        pytest.param(
            "sites: [a: b: c]",
            ["sites.yaml:1: is not YAML: expected ',' or ']', but got ':'"],
            id="no YAML",
        ),
        pytest.param(
            SITES + "---\n",
            ["sites.yaml:9: is not YAML: but found another document"],
            id="two documents",
        ),
        pytest.param(
            SITES.replace("7.8965", "!!python/name:os.system x"),
            [
                (
                    "sites.yaml:3: is not YAML: could not determine a constructor for the tag "
                    "'tag:yaml.org,2002:python/name:os.system'"
                )
            ],
            id="a tag that would run something",
        ),
        pytest.param(
            "sites: &a [*a]",
            ["sites.yaml:1: is nested too deep, or refers to itself"],
            id="a list in itself",
        ),
        pytest.param(
            "sites: " + "x" * 1000,
            [f"sites.yaml:1: sites: Input should be a valid list, not '{'x' * 79}…"],
            id="what is long is told in short",
        ),
    ],
)
def test_it_says_what_is_wrong_with_sites(sites: str, expected: list[str], tmp_path: Path) -> None:
    assert problems(write_configuration(tmp_path, sites=sites)) == expected


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        pytest.param(
            DEVICES.replace("site: town", "site: twon").replace("gateway: other", "gateway: othr"),
            [
                "devices.yaml:7: site twon is not in sites.yaml; add it there or correct the name",
                "devices.yaml:9: gateway othr is not under gateways; add it or correct the name",
            ],
            id="what is not there",
        ),
        pytest.param(
            DEVICES.replace("id: bin-2", "id: bin-1"),
            ["devices.yaml:9: bin-1 is already on line 8; give it an id of its own"],
            id="a device twice",
        ),
        pytest.param(
            DEVICES.replace("{id: gw,", "{id: gw.1,"),
            [
                (
                    "devices.yaml:3: gateways.0.id: String should match pattern "
                    "'^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$', not 'gw.1'"
                )
            ],
            id="a gateway's id is a topic level and a broker's user",
        ),
        pytest.param(
            DEVICES.replace("2026-01-01", "2026-02-30", 1),
            ["devices.yaml:6: 2026-02-30: day is out of range for month"],
            id="no such day",
        ),
        pytest.param(
            DEVICES.replace("2026-01-01", "'2026-01-01'", 1),
            [
                (
                    "devices.yaml:6: devices.0.since: write a day such as 2026-05-04, or a time "
                    "with its zone, without quotes, not '2026-01-01'"
                )
            ],
            id="a day in quotes",
        ),
    ],
)
def test_it_says_what_is_wrong_with_devices(
    devices: str, expected: list[str], tmp_path: Path
) -> None:
    assert problems(write_configuration(tmp_path, devices=devices)) == expected


MOVED = DEVICES.replace(
    "site: bin, since: 2026-01-01}",
    """site: bin, since: 2026-01-01, moves: [
     {site: town, since: 2026-03-01}, {site: bin, since: 2026-04-01T08:00:00+07:00}]}""",
    1,
)


def test_a_device_has_stood_where_its_moves_say(tmp_path: Path) -> None:
    device = load(write_configuration(tmp_path, devices=MOVED)).devices["bin-1"]
    assert [(iso(place.since), place.site) for place in device.placements] == [
        ("2026-01-01T00:00:00Z", "bin"),
        ("2026-03-01T00:00:00Z", "town"),
        ("2026-04-01T01:00:00Z", "bin"),
    ]


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        pytest.param(
            "2026-03-01",
            "2026-01-01",
            "9: is not after the time before it; list moves in order, behind since",
            id="no later than since",
        ),
        pytest.param(
            "site: town, since: 2026-03",
            "site: gone, since: 2026-03",
            "9: site gone is not in sites.yaml; add it there or correct the name",
            id="no such site",
        ),
        pytest.param(
            "08:00:00+07:00",
            "08:00:00",
            (
                "9: devices.2.moves.1.since: write a zone, as in 2026-05-04T08:00:00+07:00, not "
                "datetime.datetime(2026, 4, 1, 8, 0)"
            ),
            id="no zone",
        ),
    ],
)
def test_it_says_what_is_wrong_with_moves(
    good: str, bad: str, expected: str, tmp_path: Path
) -> None:
    folder = write_configuration(tmp_path, devices=MOVED.replace(good, bad))
    assert problems(folder) == [f"devices.yaml:{expected}"]


def test_the_mistakes_of_both_files_are_told_at_once(tmp_path: Path) -> None:
    folder = write_configuration(tmp_path, sites="sites: 1", devices="gateways: []")
    assert [problem.partition(":")[0] for problem in problems(folder)] == [
        "sites.yaml",
        "devices.yaml",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = write_configuration(tmp_path)
    (folder / "sites.yaml").unlink()
    (folder / "devices.yaml").write_bytes(b"gateways: \xff")
    assert problems(folder) == [
        "sites.yaml: cannot be read: No such file or directory; create it",
        "devices.yaml: is not UTF-8; save it as UTF-8",
    ]
