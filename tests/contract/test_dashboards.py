"""Each question of each dashboard, asked of a real InfluxDB as Grafana asks it."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from cli_dashboards import dashboards_of
from core.times import DAY
from simulators.servers.influxd import InfluxServer
from storage.influx_address import InfluxAddress
from tests.grafana import Frame, Grafana
from tests.stocked import CITY, Stocked

pytestmark = pytest.mark.network

BUILT = dashboards_of(Path(__file__).resolve().parents[2] / "config")
COUNTS = {
    kind: sum(s.kind == kind for s in CITY.sites.values()) for kind in ("air", "beach", "bin")
}


class City:
    """Two days of the city in a bucket, and who looks at it."""

    def __init__(self, influx: InfluxServer) -> None:
        self.influx, self.bucket = influx, uuid4().hex
        influx.create_bucket(self.bucket)
        address = InfluxAddress(
            url=influx.url, org=influx.org, bucket=self.bucket, token=influx.token
        )
        self.stocked = Stocked(address, time.time_ns() // 1000, days=2)

    def looked_at(self, name: str) -> Grafana:
        """A dashboard over all that is there."""
        start, stop = self.stocked.start, self.stocked.now
        language = name[-2:]
        dashboard = BUILT[f"{language}/andaman-{name}.json"]
        return Grafana(self.influx, self.bucket, dashboard, start, stop)


@pytest.fixture(scope="module")
def city(influx: InfluxServer) -> City:
    return City(influx)


def answers(grafana: Grafana) -> Mapping[str, list[Frame]]:
    """What comes back, by title, with the letter behind it from the second question on."""
    return {
        panel["title"] + ("" if letter == "A" else f" {letter}"): grafana.ask(query)
        for panel, letter, query in grafana.panels()
    }


def values(frames: list[Frame], column: str) -> list[str]:
    """A column of a table."""
    return [row[column] for frame in frames for row in frame.rows]


@pytest.mark.parametrize("file", sorted(BUILT))
def test_each_question_has_an_answer(city: City, file: str) -> None:
    for title, frames in answers(city.looked_at(file.removesuffix(".json")[11:])).items():
        no_alert_there = "Open alerts" in title or "การแจ้งเตือนที่" in title
        assert frames or no_alert_there, title


def test_what_names_and_links_of_tiles_speak_of_is_in_their_rows(city: City) -> None:
    grafana = city.looked_at("city-th")
    found = answers(grafana)
    for panel in grafana.dashboard["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        links = [link["url"] for link in defaults.get("links", [])]
        spoken_of = re.findall(
            r"__data\.fields\.(\w+)", " ".join([defaults.get("displayName", ""), *links])
        )
        for frame in found[panel["title"]]:
            assert set(spoken_of) <= frame.rows[0].keys(), panel["title"]
        for link in links:
            assert link.partition("?")[0].removeprefix("/d/") in {
                one["uid"] for one in BUILT.values()
            }


@pytest.mark.parametrize("file", sorted(BUILT))
def test_its_variables_have_choices_and_its_annotations_answers(city: City, file: str) -> None:
    grafana = city.looked_at(file.removesuffix(".json")[11:])
    for name, chosen in grafana.chosen.items():
        assert chosen, name
        assert len(chosen) == len(set(chosen)), name
    for annotation in grafana.dashboard["annotations"]["list"]:
        for frame in grafana.ask(annotation["target"]["query"]):
            assert {"time", "timeEnd", "title", "text", "tags"} <= frame.rows[0].keys()


@pytest.mark.parametrize("kind", ["air", "beach", "bin"])
def test_a_parameter_has_a_line_for_each_place_under_its_name(city: City, kind: str) -> None:
    names = {"air": "PM2.5", "beach": "ความขุ่น", "bin": "Fill level"}
    dashboards = {"air": "air-en", "beach": "beach-th", "bin": "bins-en"}
    found = answers(city.looked_at(dashboards[kind]))
    language = dashboards[kind][-2:]
    lines, flagged = found[names[kind]], found[f"{names[kind]} B"]
    expected = {s.name[language] for s in CITY.sites.values() if s.kind == kind}
    assert {line.labels["name"] for line in lines} == expected
    assert len(lines) == COUNTS[kind]
    assert all(line.is_series and line.values for line in [*lines, *flagged])
    assert sum(len(f.rows) for f in flagged) < 0.05 * sum(len(f.rows) for f in lines)


def test_what_is_chosen_is_all_that_is_shown(city: City) -> None:
    grafana = city.looked_at("beach-en")
    grafana.chosen["site"] = ["patong-beach"]
    (line,) = answers(grafana)["Turbidity"]
    assert line.labels["name"] == "Patong Beach"


def test_a_district_narrows_the_whole_overview(city: City) -> None:
    grafana = city.looked_at("city-en")
    grafana.chosen["district"] = ["kathu/patong"]
    found = answers(grafana)
    patong = [site for site in CITY.sites.values() if site.district == "kathu/patong"]
    names = {kind: {s.name["en"] for s in patong if s.kind == kind} for kind in COUNTS}
    assert set(values(found["Beaches"], "name")) == names["beach"]
    assert set(values(found["PM2.5, mean over 24 hours"], "name")) == names["air"]
    assert set(values(found["Fill level now"], "name")) == names["bin"]
    assert set(values(found["Bins"], "name")) == names["bin"]
    assert set(values(found["Open alerts"], "name")) == names["beach"]
    assert len(values(found["How each place stands"], "name")) == len(patong)


def test_flagged_readings_are_in_no_mean(city: City) -> None:
    grafana = city.looked_at("beach-en")
    grafana.chosen["site"] = ["patong-beach"]
    found = answers(grafana)
    (good,), (bad,) = found["pH"], found["pH B"]
    assert not {row["_time"] for row in bad.rows} & {row["_time"] for row in good.rows}
    assert bad.values


def test_open_alerts_are_those_that_fire_now_and_not_those_on_trial(city: City) -> None:
    found = answers(city.looked_at("city-th"))
    table = found["การแจ้งเตือนที่ยังไม่สิ้นสุด"]
    assert values(table, "rule_name") == ["น้ำทะเลขุ่นผิดปกติ"] * COUNTS["beach"]
    assert "หาดป่าตอง" in values(table, "name")
    assert set(values(table, "state")) == {"firing"}
    for severity in ("เตือน", "วิกฤต"):  # half of them were confirmed
        (count,) = values(found[f"การแจ้งเตือนที่เปิดอยู่: {severity}"], "value")
        assert int(count) == COUNTS["beach"] // 2


def test_each_alert_shows_whether_it_is_an_event_or_the_sensor(city: City) -> None:
    found = answers(city.looked_at("alerts-en"))
    table = found["Open alerts"]
    (beach,) = {len(values(table, column)) for column in ("verdict", "confidence")}
    assert beach == COUNTS["beach"]
    said = [(row["verdict"], row["confidence"]) for frame in table for row in frame.rows]
    assert said.count(("", "0")) == 1
    assert said.count(("stuck", "0.97")) == beach // 2  # judged anew: unclear at first
    assert said.count(("event", "0.9")) == beach - 1 - beach // 2


def test_alerts_are_counted_by_what_they_came_from(city: City) -> None:
    (table,) = answers(city.looked_at("alerts-th"))["สาเหตุของการแจ้งเตือน"]
    counts = {row["verdict"]: int(row["alerts"]) for row in table.rows}
    assert counts == {"event": 2 * (COUNTS["beach"] // 2 - 1), "stuck": 2 * (COUNTS["beach"] // 2)}


def test_officers_work_leaves_the_severity_as_it_was(city: City) -> None:
    (table,) = answers(city.looked_at("alerts-en"))["Alerts that are over"]
    severe = {(row["verdict"], row["severity"]) for row in table.rows}
    assert severe == {("", "critical"), ("event", "critical"), ("stuck", "warning")}


def test_alerts_took_ten_minutes_to_acknowledge_and_two_hours_to_resolve(city: City) -> None:
    found = answers(city.looked_at("alerts-en"))
    (taken,), (over,) = (
        values(found["Time to acknowledge"], "value"),
        values(found["Time to resolve"], "value"),
    )
    assert round(float(taken)) == 600
    assert round(float(over)) == 6900
    assert len(found["How each place stood"]) == len(CITY.sites)
    assert values(found["Alerts that are over"], "acknowledged")


def test_the_map_has_every_place_where_it_is(city: City) -> None:
    (table,) = answers(city.looked_at("city-en"))["How each place stands"]
    where = {row["name"]: (float(row["latitude"]), float(row["longitude"])) for row in table.rows}
    assert where == {s.name["en"]: (s.latitude, s.longitude) for s in CITY.sites.values()}
    assert {row["level"] for row in table.rows} <= set("01234")


def test_a_mean_of_a_day_names_its_band(city: City) -> None:
    (table,) = answers(city.looked_at("air-en"))["PM2.5, mean over 24 hours"]
    assert len(table.rows) == COUNTS["air"]
    for row in table.rows:
        very_good = float(row["value"]) <= 15
        assert row["band"] == ("Very good" if very_good else "Good")


def test_bins_were_emptied_and_will_be_full(city: City) -> None:
    found = answers(city.looked_at("bins-en"))
    assert values(found["Emptied"], "name")
    assert all(float(before) > 30 for before in values(found["Emptied"], "before"))
    hours = [float(value) for value in values(found["Hours to full"], "hours")]
    assert hours == sorted(hours)
    assert all(0 <= value < 240 for value in hours)
    assert len(values(found["Fill level on the map"], "latitude")) == COUNTS["bin"]


def test_completeness_is_held_to_the_interval_of_each_device(city: City) -> None:
    found = answers(city.looked_at("quality-en"))
    shares = [float(share) for share in values(found["Completeness of each device"], "share")]
    assert len(shares) == len(CITY.devices)
    assert all(99 < share <= 100.5 for share in shares)
    assert values(found["Readings"], "value") == [str(city.stocked.readings)]
    (share,) = values(found["Share that is flagged"], "value")
    stocked = city.stocked
    assert float(share) == pytest.approx(100 * stocked.flagged / stocked.readings)


def test_operations_show_what_the_metrics_say(city: City) -> None:
    found = answers(city.looked_at("operations-en"))
    rates = {frame.labels["kind"]: frame.values for frame in found["Items per second"]}
    assert rates["stored"][-1] == pytest.approx(20 / 60)
    assert found["Latency of a batch"][0].values[-1] == pytest.approx(0.4 / 60)
    assert 0.02 < found["Latency of a batch B"][0].values[-1] < 0.1
    (told,) = found["Messages to people: from plan to server"]
    assert told.values[-1] == pytest.approx(2 / 60)
    (line,) = found["Messages to people, by channel and outcome"]
    assert line.labels["what"] == "line sent"
    assert values(found["LINE messages this month"], "value") == ["120", "180", "300"]
    assert city.stocked.now - city.stocked.start == 2 * DAY
