"""Routes: who is told of which alert, and each mistake of the file with its line."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.routing import GROUP_INTERVAL, Routes, load
from core.alerts import Severity
from core.errors import ConfigError
from core.muting import Labels
from core.notices import Channel, Recipient
from core.times import HOUR, MINUTE, SECOND

ZONE = ZoneInfo("Asia/Bangkok")
TREE = """
operations: office
receivers:
  - {name: everybody, subscribers: true, mqtt: true}
  - name: office
    pace: 10s
    email: [{to: office@example.org, language: en}]
    line: [{to: C1}]
    webhook: [{url: "https://hooks.example.org/x", secret: siren}]
  - {name: bins}
time_intervals:
  - {name: night, hours: ["22:00-06:00"]}
route:
  receiver: everybody
  group_by: [site]
  routes:
    - {matchers: ['rule=~"gateway-.*"'], receiver: office, group_by: [rule], repeat_interval: 1d}
    - matchers: ['severity="critical"']
      group_wait: 0s
      routes:
        - {receiver: office, continue: true}
        - {matchers: ['kind="bin"'], receiver: bins}
        - {}
    - {matchers: ['kind="bin"'], receiver: bins, mute_time_intervals: [night]}
"""


def routes_of(folder: Path, text: str = TREE) -> Routes:
    (folder / "notify.yaml").write_text(text, encoding="utf-8")
    found = load(folder, ZONE, "TH")
    assert found is not None
    return found


def labels(rule: str = "r", severity: Severity = Severity.WARNING, kind: str = "beach") -> Labels:
    return Labels(alert="a", rule=rule, severity=severity, site="patong", kind=kind)


@pytest.mark.parametrize(
    ("about", "receivers"),
    [
        pytest.param(labels(), ["everybody"], id="what fits none goes to the root"),
        pytest.param(labels("gateway-gap"), ["office"], id="the first that fits"),
        pytest.param(labels(kind="bin"), ["bins"], id="a later one"),
        pytest.param(
            labels(severity=Severity.CRITICAL), ["office", "everybody"], id="the deepest, going on"
        ),
        pytest.param(
            labels(severity=Severity.CRITICAL, kind="bin"), ["office", "bins"], id="both of them"
        ),
    ],
)
def test_an_alert_takes_the_deepest_routes_that_fit(
    tmp_path: Path, about: Labels, receivers: list[str]
) -> None:
    assert [route.receiver for route in routes_of(tmp_path).of(about)] == receivers


def test_a_route_has_what_it_does_not_say_from_above(tmp_path: Path) -> None:
    routes = routes_of(tmp_path)
    (gateway,) = routes.of(labels("gateway-gap"))
    assert (gateway.group_by, gateway.group_wait) == (["rule"], 30 * SECOND)
    assert (gateway.group_interval, gateway.repeat_interval) == (GROUP_INTERVAL, 24 * HOUR)
    office, _ = routes.of(labels(severity=Severity.CRITICAL))
    assert (office.group_by, office.group_wait) == (["site"], 0)


def test_a_receiver_has_its_addresses_and_no_secret(tmp_path: Path) -> None:
    office = routes_of(tmp_path).receivers["office"]
    assert office.addresses == (
        (Channel.EMAIL, Recipient("office@example.org", "en")),
        (Channel.LINE, Recipient("C1", "th")),
        (Channel.WEBHOOK, Recipient("https://hooks.example.org/x", "en")),
    )
    assert office.secrets == {"https://hooks.example.org/x": "siren"}
    assert office.pace == 10 * SECOND


def test_a_route_is_silent_by_the_clock_of_the_city(tmp_path: Path) -> None:
    (bins,) = routes_of(tmp_path).of(labels(kind="bin"))
    midnight = 1_795_305_600_000_000  # UTC: 07:00 in Bangkok
    silent = [hour for hour in range(24) if bins.silent(midnight + hour * HOUR + MINUTE)]
    assert silent == [15, 16, 17, 18, 19, 20, 21, 22]


def test_a_route_is_found_again_by_its_key_and_one_that_is_gone_is_the_root(
    tmp_path: Path,
) -> None:
    routes = routes_of(tmp_path)
    every = [route for about in ("r", "gateway-gap") for route in routes.of(labels(about))]
    assert [routes.named(route.key) for route in every] == every
    assert routes.named("/no longer there") is routes.root
    assert routes.named(routes.level("head").key).receiver == "head"


def test_nobody_is_told_where_there_is_no_file(tmp_path: Path) -> None:
    assert load(tmp_path, ZONE, "TH") is None


@pytest.mark.parametrize(
    ("before", "now", "line", "words"),
    [
        pytest.param("receiver: bins}", "receiver: bin}", 22, "bin is not under receivers", id="a"),
        pytest.param("  receiver: everybody\n", "", 14, "needs a receiver", id="no receiver"),
        pytest.param("[night]", "[day]", 24, "day is not under time_intervals", id="interval"),
        pytest.param("{name: bins}", "{name: office}", 10, "office is there twice", id="twice"),
        pytest.param("operations: office", "operations: x", 2, "x is not under", id="operations"),
        pytest.param("group_by: [site]", "group_by: [town]", 15, "town is no label", id="label"),
        pytest.param('kind="bin"\'], receiver: bins, ', "town=1'], ", 24, "no label", id="match"),
        pytest.param("to: office@example.org", "to: office", 7, "is no mail address", id="mail"),
        pytest.param("https://hooks", "https://a:b@hooks", 9, "password", id="password in a URL"),
        pytest.param("secret: siren", "secret: 'S3cret!'", 9, "secret", id="a secret in the file"),
        pytest.param("group_wait: 0s", "group_wait: 0.5", 19, "write a duration", id="duration"),
        pytest.param("1d}", "0s}", 17, "greater than 0", id="no interval"),
    ],
)
def test_each_mistake_is_told_with_its_line(
    tmp_path: Path, before: str, now: str, line: int, words: str
) -> None:
    assert before in TREE
    with pytest.raises(ConfigError) as caught:
        routes_of(tmp_path, TREE.replace(before, now))
    found = [text for text in caught.value.problems if words in text]
    assert found, caught.value.problems
    assert f"notify.yaml:{line}:" in found[0]


def test_each_level_of_escalation_needs_a_receiver(tmp_path: Path) -> None:
    routes_of(tmp_path)
    with pytest.raises(ConfigError, match="names the level head; add a receiver"):
        load(tmp_path, ZONE, "TH", ["office", "head"])
