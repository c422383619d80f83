"""What Andaman says to InfluxDB of itself, line by line."""

from core.alerts import Severity
from core.times import HOUR, MINUTE
from storage.bulletin import (
    Bulletin,
    Entry,
    encode_entries,
    of_device,
    of_metrics,
    of_rule,
    of_site,
)
from storage.queries import DeviceRow, SiteRow

NOW = 1_795_309_200_000_000
SITE = SiteRow(
    id="patong-beach",
    kind="beach",
    name_en="Patong Beach",
    name_th="หาดป่าตอง",
    latitude=7.8965,
    longitude=98.0,
    district="kathu/patong",
    owner="Patong Municipality",
    origin="file",
    open_alerts=2,
    worst=Severity.WARNING,
    newest=NOW,
    newest_good=NOW,
)
DEVICE = DeviceRow("probe-1", "gw", "patong-beach", 0, "coastal-probe", "", "file", NOW)


def test_it_says_where_a_site_is_and_how_it_stands() -> None:
    points, lines = encode_entries([of_site(SITE, "warning")], NOW)
    assert points == 1
    assert lines.decode() == (
        'andaman_site,site=patong-beach name_en="Patong Beach",name_th="หาดป่าตอง",kind="beach",'
        'district="kathu/patong",owner="Patong Municipality",latitude=7.8965,longitude=98.0,'
        "level=3i,open=2i 1795309200000000000"
    )


def test_it_says_how_often_a_device_reports_where_that_is_known() -> None:
    _, lines = encode_entries([of_device(DEVICE, 5 * MINUTE), of_device(DEVICE, None)], NOW)
    said = 'andaman_device,device=probe-1 site="patong-beach",gateway="gw",model="coastal-probe"'
    first, second = lines.decode().split("\n")
    assert first == f"{said},interval=300.0 {NOW * 1000}"
    assert second == f"{said} {NOW * 1000}"


def test_it_says_what_a_rule_is_called() -> None:
    _, lines = encode_entries([of_rule("haze", {"th": "ฝุ่น", "en": "Haze"})], NOW)
    assert lines.decode() == f'andaman_rule,rule=haze name_en="Haze",name_th="ฝุ่น" {NOW * 1000}'


def test_metrics_that_share_their_labels_are_one_point() -> None:
    samples = [
        ("andaman_items_total", {"kind": "stored"}, 7.0),
        ("andaman_worker_backlog", {}, 0.0),
        ("andaman_series", {}, 300.0),
        ("andaman_gateway_online", {"gateway": ""}, 1.0),
        ("andaman_broken", {}, float("nan")),
    ]
    points, lines = encode_entries(of_metrics(samples), NOW)
    assert points == 3
    assert lines.decode().split("\n") == [
        f"andaman,kind=stored items_total=7.0 {NOW * 1000}",
        f"andaman worker_backlog=0.0,series=300.0 {NOW * 1000}",
        f"andaman gateway_online=1.0 {NOW * 1000}",
    ]


def test_what_is_known_is_said_again_after_an_hour_and_what_is_new_at_once() -> None:
    told = Bulletin()
    same, other = Entry(measurement="m", tags={"a": "1"}, fields={"v": 1}), {"v": 2}
    changed = Entry(measurement="m", tags={"a": "1"}, fields=other)
    assert told.lines([same], NOW) == (1, b"m,a=1 v=1i %d" % (NOW * 1000))
    assert told.lines([same], NOW + HOUR - 1) == (0, b"")
    assert told.lines([same], NOW + HOUR)[0] == 1
    assert told.lines([changed], NOW + HOUR + 1) == (
        1,
        b"m,a=1 v=2i %d" % ((NOW + HOUR + 1) * 1000),
    )
    assert told.lines([same], NOW + HOUR + 2)[0] == 1
