"""Publishing: what is ours is brought up to date, what is anybody else's stays as it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import StartError
from dashboards.grafana import Grafana
from dashboards.publish import MARK, Outcome, Report, mark_of, publish
from tests.grafana_server import EDITOR, VIEWER, GrafanaServer, serving

CITY: Any = {"uid": "andaman-city-en", "title": "City", "panels": [{"id": 1, "title": "Map"}]}
BUILT: Any = {
    "en/andaman-city-en.json": CITY,
    "th/andaman-city-th.json": {"uid": "andaman-city-th", "title": "เมือง", "panels": []},
}
NEWER: Any = BUILT | {"en/andaman-city-en.json": CITY | {"title": "The city"}}


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    with serving(GrafanaServer()) as made:
        yield made


def done(server: GrafanaServer, built: Any = BUILT, **how: bool) -> list[Report]:
    return list(publish(Grafana(server.url, EDITOR), built, **how))


def outcomes(reports: list[Report]) -> list[Outcome]:
    return [report.outcome for report in reports]


def test_it_makes_folders_and_dashboards(server: GrafanaServer) -> None:
    assert outcomes(done(server)) == [Outcome.CREATED, Outcome.CREATED]
    assert server.folders == {"andaman-en": "Andaman", "andaman-th": "อันดามัน"}
    assert server.places == {"andaman-city-en": "andaman-en", "andaman-city-th": "andaman-th"}
    assert server.newest("andaman-city-en")["panels"] == CITY["panels"]
    assert server.versions["andaman-city-en"][0]["message"] == mark_of(CITY)


def test_it_changes_nothing_the_second_time(server: GrafanaServer) -> None:
    done(server)
    server.requests.clear()
    assert outcomes(done(server)) == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert {method for method, _ in server.requests} == {"GET"}


def test_it_updates_what_it_published_and_shows_what_changes(server: GrafanaServer) -> None:
    done(server)
    first, second = done(server, NEWER)
    assert (first.outcome, second.outcome) == (Outcome.UPDATED, Outcome.UNCHANGED)
    assert ' "title": "City"' in "".join(line[1:] for line in first.diff if line.startswith("-"))
    assert '+ "title": "The city"' in first.diff
    assert server.newest("andaman-city-en")["title"] == "The city"


def test_it_leaves_alone_what_somebody_edited(server: GrafanaServer) -> None:
    done(server)
    server.edit("andaman-city-en", "My city")
    first, _ = done(server, NEWER)
    assert first.outcome is Outcome.EDITED
    assert server.newest("andaman-city-en")["title"] == "My city"
    (first, _) = done(server, NEWER, force=True)
    assert first.outcome is Outcome.UPDATED
    assert server.newest("andaman-city-en")["title"] == "The city"
    assert server.versions["andaman-city-en"][1]["data"]["title"] == "My city"  # it can be restored


@pytest.mark.parametrize("force", [False, True])
def test_it_never_overwrites_what_is_not_ours(server: GrafanaServer, force: bool) -> None:
    server.folders["mine"] = "Mine"
    server.keep(CITY | {"title": "My own"}, "first version")
    assert done(server, force=force)[0].outcome is Outcome.FOREIGN
    assert server.newest("andaman-city-en")["title"] == "My own"


def test_it_leaves_alone_what_comes_from_files(server: GrafanaServer) -> None:
    done(server)
    server.provisioned.add("andaman-city-en")
    assert done(server, NEWER, force=True)[0].outcome is Outcome.PROVISIONED


def test_it_overwrites_no_edit_that_comes_in_between(server: GrafanaServer) -> None:
    done(server)
    server.race.add("andaman-city-en")
    first, second = done(server, NEWER)
    assert first.outcome is Outcome.REFUSED
    assert "changed by someone else" in first.words
    assert second.outcome is Outcome.UNCHANGED
    assert server.newest("andaman-city-en")["title"] == "Somebody was quicker"


def test_it_keeps_a_dashboard_where_somebody_put_it(server: GrafanaServer) -> None:
    done(server)
    server.folders["theirs"] = "Theirs"
    server.places["andaman-city-en"] = "theirs"
    done(server, NEWER)
    assert server.places["andaman-city-en"] == "theirs"


def test_a_dry_run_changes_nothing(server: GrafanaServer) -> None:
    reports = done(server, dry_run=True)
    assert outcomes(reports) == [Outcome.CREATED, Outcome.CREATED]
    assert '+ "title": "City"' in reports[0].diff
    assert {method for method, _ in server.requests} == {"GET"}
    assert server.versions == {}


def test_a_mark_is_of_the_content_alone() -> None:
    turned = dict(reversed(CITY.items()))
    assert mark_of(CITY) == mark_of(turned)
    assert mark_of(CITY) != mark_of(NEWER["en/andaman-city-en.json"])
    assert mark_of(CITY).startswith(MARK)


def test_it_works_below_a_path() -> None:
    with serving(GrafanaServer(version="13.3.1", prefix="/grafana")) as server:
        assert Grafana(server.url, EDITOR).greet() == "13.3.1"
        assert outcomes(done(server)) == [Outcome.CREATED, Outcome.CREATED]


def test_a_token_that_may_only_read_is_told_so(server: GrafanaServer) -> None:
    with pytest.raises(StartError, match="give its service account the role Editor"):
        list(publish(Grafana(server.url, VIEWER), BUILT))
    assert server.versions == {}


def test_an_unknown_token_is_told_so(server: GrafanaServer) -> None:
    with pytest.raises(StartError, match="does not know ANDAMAN_GRAFANA_TOKEN"):
        list(publish(Grafana(server.url, "a-token"), BUILT))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        pytest.param("11.6.2", "Grafana 11.6.2 is too old; version 12", id="too old"),
        pytest.param("9.5.0", "too old", id="much too old"),
    ],
)
def test_an_old_grafana_is_told_so(server: GrafanaServer, version: str, words: str) -> None:
    server.version = version
    with pytest.raises(StartError, match=words):
        Grafana(server.url, EDITOR).greet()


def test_a_grafana_that_hides_its_version_is_taken(server: GrafanaServer) -> None:
    server.version = ""
    assert Grafana(server.url, EDITOR).greet() == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param((200, "<html>hello</html>"), "but not as a Grafana", id="another page"),
        pytest.param((200, "[]"), "is no Grafana", id="another API"),
        pytest.param((502, "bad gateway"), "trouble of its own", id="a proxy"),
        pytest.param((404, "nothing"), "is no Grafana", id="nothing there"),
    ],
)
def test_what_is_no_grafana_is_told_so(
    server: GrafanaServer, answer: tuple[int, str], words: str
) -> None:
    server.broken = answer
    with pytest.raises(StartError, match=words):
        Grafana(server.url, EDITOR).greet()


def test_a_grafana_that_is_away_is_told_so() -> None:
    with serving(GrafanaServer()) as server:
        pass
    with pytest.raises(StartError, match=r"does not answer \(ConnectionError\)"):
        Grafana(server.url, EDITOR).greet()


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        pytest.param("", EDITOR, "ANDAMAN_GRAFANA_URL cannot be used", id="no address"),
        pytest.param("grafana:3000", EDITOR, "ANDAMAN_GRAFANA_URL", id="no scheme"),
        pytest.param("http://127.0.0.1:3000", "", "ANDAMAN_GRAFANA_TOKEN_FILE", id="no token"),
        pytest.param("http://127.0.0.1:3000", "a\nb", "ANDAMAN_GRAFANA_TOKEN", id="two lines"),
    ],
)
def test_settings_that_cannot_be_right_are_named(url: str, token: str, words: str) -> None:
    with pytest.raises(StartError, match=words):
        Grafana(url, token)
