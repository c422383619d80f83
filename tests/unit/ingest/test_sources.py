"""Which source takes a topic; the file and its mistakes."""

import dataclasses
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.configuration import Configuration
from core.errors import ConfigError, DecodeError
from core.messages import Refusal
from core.registry import Gateway
from core.times import DAY, HOUR, MINUTE
from ingest.sources import NATIVE, Source, Sources, load, pushed_topic

CITY = Configuration(
    sites={}, gateways={"gw": Gateway(id="gw", name={"en": "G", "th": "ก"})}, devices={}
)
GOOD = """sources:
  - id: weather
    topic: tele/+/SENSOR
    dialect: tasmota
    gateway: gw
    timezone: Asia/Bangkok
    max_age: 90d
    max_ahead: 1h
"""


def source(topic: str, gateway: str = "gw") -> Source:
    return dataclasses.replace(NATIVE, id=topic, topic=topic, gateway=gateway)


def takes(pattern: str, topic: str) -> bool:
    """Whether a source of that filter takes the topic."""
    try:
        Sources([source(pattern)]).of(topic.encode())
    except DecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        pytest.param("a/b", "a/b", True, id="the same"),
        pytest.param("a/b", "a/c", False, id="another level"),
        pytest.param("a/b", "a", False, id="too short"),
        pytest.param("a/b", "a/b/c", False, id="too long"),
        pytest.param("a/b", "A/b", False, id="capitals count"),
        pytest.param("a/b", "/a/b", False, id="a leading slash is a level"),
        pytest.param("a/b", "a/b/", False, id="so is a trailing one"),
        pytest.param("a/+", "a/b", True, id="+ is any level"),
        pytest.param("a/+", "a/", True, id="+ is an empty one"),
        pytest.param("a/+", "a", False, id="+ is not none"),
        pytest.param("a/+", "a/b/c", False, id="+ is not two"),
        pytest.param("a/+/c", "a/b/c", True, id="+ in the middle"),
        pytest.param("+/+", "/b", True, id="+ at the beginning"),
        pytest.param("+", "$SYS", False, id="+ does not begin $SYS"),
        pytest.param("a/#", "a/b/c", True, id="# is all that follow"),
        pytest.param("a/#", "a/b", True, id="# is one level"),
        pytest.param("a/#", "a", True, id="# is the parent"),
        pytest.param("a/#", "ab", False, id="# is not a longer name"),
        pytest.param("#", "a/b/c", True, id="# alone"),
        pytest.param("#", "", True, id="an empty topic"),
        pytest.param("#", "$SYS/broker", False, id="# does not begin $SYS"),
        pytest.param("+/broker", "$SYS/broker", False, id="+ does not either"),
        pytest.param("$SYS/#", "$SYS/broker", True, id="$SYS by its name"),
        pytest.param("a/#", "a/$SYS", True, id="$ counts at the beginning alone"),
        pytest.param("ป่า/+", "ป่า/ตอง", True, id="Thai"),
        pytest.param("a/b", "а/b", False, id="a look-alike letter"),
    ],
)
def test_it_matches_filters_as_mqtt_does(pattern: str, topic: str, expected: bool) -> None:
    assert takes(pattern, topic) is expected


def test_the_gateway_is_the_level_that_stands_for_it_or_the_one_that_is_named() -> None:
    sources = Sources([NATIVE, source("z/{gateway}/#", ""), source("tele/#", "gw-town")])
    assert sources.of(b"andaman/v1/gw-1/up/readings") == (sources.all[0], "gw-1")
    assert sources.of(b"z/gw-2/cellar/leak") == (sources.all[1], "gw-2")
    assert sources.of(b"tele/x/SENSOR") == (sources.all[2], "gw-town")


def test_the_first_source_that_matches_takes_the_message() -> None:
    sources = Sources([source("a/b/+", "one"), source("a/#", "two")])
    assert sources.of(b"a/b/c")[1] == "one"
    assert sources.of(b"a/c")[1] == "two"


def test_it_subscribes_to_every_gateway() -> None:
    assert NATIVE.filter == "andaman/v1/+/up/readings"


@pytest.mark.parametrize(
    "topic",
    [
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"", id="empty"),
        pytest.param(b"$SYS/broker/uptime", id="the broker's own"),
        pytest.param(b"andaman/v1/../up/other", id="dots"),
        pytest.param(b"a" * 65_000, id="64 kB"),
        pytest.param(b"\x00", id="NUL"),
    ],
)
def test_a_topic_that_no_source_takes_is_refused_with_its_reason(topic: bytes) -> None:
    with pytest.raises(DecodeError) as error:
        Sources([NATIVE]).of(topic)
    assert error.value.reason is Refusal.UNKNOWN_TOPIC


# --- the file ---


def test_without_a_file_there_is_the_native_source_alone(tmp_path: Path) -> None:
    assert load(tmp_path, CITY).all == (NATIVE,)


def test_it_reads_a_source(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(GOOD, encoding="utf-8")
    assert load(tmp_path, CITY).all == (
        Source(
            id="weather",
            topic="tele/+/SENSOR",
            dialect="tasmota",
            gateway="gw",
            zone=ZoneInfo("Asia/Bangkok"),
            max_age=90 * DAY,
            max_ahead=HOUR,
        ),
    )


def test_the_time_policy_is_thirty_days_and_five_minutes_unless_it_says_otherwise() -> None:
    assert (NATIVE.max_age, NATIVE.max_ahead) == (30 * DAY, 5 * MINUTE)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        pytest.param("tele/+", "tele/#", 3, "tele/#/SENSOR is no MQTT filter", id="# amid"),
        pytest.param("tele/+", "tele/x+", 3, "+ and # stand alone", id="+ beside letters"),
        pytest.param("tele/+", "te le/+", 3, "a space, * or > is not heard", id="space"),
        pytest.param("tele/+", "tele/*", 3, "a space, * or > is not heard", id="asterisk"),
        pytest.param("tele/+/SENSOR", '"#"', 3, "begin with a word", id="everything"),
        pytest.param("tele/+/SENSOR", "$SYS/a", 3, "begin with a word", id="the broker's own"),
        pytest.param(
            "tele/+/SENSOR", "andaman/v1/gw/up/x", 3, "below andaman/v1/ write", id="ours"
        ),
        pytest.param("tele/+", "tele/{gateway}", 3, "write either gateway:, or", id="both"),
        pytest.param("gateway: gw", "max_age: 1d", 3, "write either gateway:, or", id="neither"),
        pytest.param("gateway: gw", "gateway: gx", 5, "gx is not in devices.yaml", id="gateway"),
        pytest.param("tasmota", "tasmoto", 4, "tasmoto is not known; write one of", id="dialect"),
        pytest.param("Asia/Bangkok", "Phuket", 6, "Phuket is no time zone", id="zone"),
        pytest.param("90d", "a while", 7, "write a duration such as 30s", id="duration"),
        pytest.param("topic:", "topics:", 3, "topics is not known here", id="key"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    text = GOOD.replace(old, new)
    if new == "max_age: 1d":
        text = text.replace("    max_age: 90d\n", "")
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(tmp_path, CITY)
    found = [problem for problem in error.value.problems if words in problem]
    assert len(found) == 1, error.value.problems
    assert found[0].startswith(f"{path}:{line}: ")


def test_two_sources_of_one_id_are_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(GOOD + GOOD.removeprefix("sources:\n"), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(tmp_path, CITY)
    assert error.value.problems == (f"{path}:9: two sources are called weather",)


def test_a_file_without_sources_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("sources: []\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"sources.yaml:1: sources: List should have at least 1"):
        load(tmp_path, CITY)


# --- pushed over HTTP ---


@pytest.mark.parametrize(
    "topic",
    ["$http", "$http/", "$http/gw", "$http/gw/morse", "$http/gw/", "$HTTP/gw/native"],
)
def test_a_push_names_gateway_and_dialect(topic: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        Sources([NATIVE]).of(topic.encode())
    assert refusal.value.reason is Refusal.UNKNOWN_TOPIC


def test_a_push_has_the_zone_and_bounds_of_its_gateways_source() -> None:
    zone = ZoneInfo("Asia/Bangkok")
    theirs = dataclasses.replace(source("a/b", "other"), dialect="tasmota", max_age=HOUR)
    ours = dataclasses.replace(source("tele/#"), dialect="tasmota", zone=zone, max_age=90 * DAY)
    found, gateway = Sources([NATIVE, theirs, ours]).of(pushed_topic("gw", "tasmota"))
    assert (gateway, found.dialect, found.zone, found.max_age) == ("gw", "tasmota", zone, 90 * DAY)


def test_a_push_without_such_a_source_has_the_usual_bounds() -> None:
    found, gateway = Sources([]).of(pushed_topic("gw", "senml", "x"))
    assert (gateway, found.dialect, found.zone) == ("gw", "senml", None)
    assert (found.max_age, found.max_ahead) == (30 * DAY, 5 * MINUTE)


def test_no_filter_takes_what_was_pushed() -> None:
    found, _ = Sources([source("#"), source("+/+/+")]).of(b"$http/gw/native")
    assert found.id == "http-native"
