"""Operations: how Andaman itself is, from the metrics that it writes to InfluxDB each minute."""

from dashboards.facts import Facts, Words
from dashboards.frame import dashboard
from dashboards.look import GREEN, ORANGE, VERMILLION, mapped, steps
from dashboards.messages import delivered, line_this_month, told, waiting
from dashboards.metrics import EVERY, durations, metric
from dashboards.panels import Json, lines, tiles, timeline


def operations(say: Words, _facts: Facts) -> Json:
    """The dashboard."""
    panels = [
        (4, [(_age(say), 6), (_backlog_now(say), 6), (_unsent(say), 6), (_quarantined(say), 6)]),
        (8, [(_checks(say), 12), (_gateways(say), 12)]),
        (9, [(_rate(say), 12), (_latency(say), 12)]),
        (9, [(_backlog(say), 12), (_forwarder(say), 12)]),
        (9, [(_refused(say), 12), (_transitions(say), 12)]),
        (9, [(delivered(say), 12), (waiting(say), 12)]),
        (9, [(told(say), 12), (line_this_month(say), 12)]),
        (9, [(_disk(say), 12), (_memory(say), 12)]),
    ]
    return dashboard(
        say,
        "operations",
        say("Andaman: operations", "อันดามัน: การทำงานของระบบ"),
        panels,
        description=say(
            "How Andaman itself is, as of each minute: what /metrics shows.",
            "การทำงานของ Andaman เองในแต่ละนาที ตามที่ /metrics แสดง",
        ),
        since="now-24h",
        refresh="1m",
    )


def _per_second(field: str, label: str) -> str:
    """How fast a counter grows; a restart is no fall."""
    return f"""{metric(field)}
  |> derivative(unit: 1s, nonNegative: true)
{EVERY.format(how="mean")}
  |> keep(columns: ["_time", "_value", "{label}"])
  |> group(columns: ["{label}"])"""


def _tile(title: str, field: str, description: str, first: float, then: float) -> Json:
    query = f"""{metric(field)}
  |> last()
  |> group()
  |> sum()
  |> rename(columns: {{_value: "value"}})"""
    return tiles(
        title,
        query,
        description=description,
        unit="short",
        thresholds=steps(GREEN, (first, ORANGE), (then, VERMILLION)),
        decimals=0,
    )


def _age(say: Words) -> Json:
    query = """from(bucket: v.defaultBucket)
  |> range(start: -30d)
  |> filter(fn: (r) => r._measurement == "andaman" and r._field == "series")
  |> last()
  |> map(fn: (r) => ({value: float(v: int(v: now()) - int(v: r._time)) / 1000000000.0}))"""
    return tiles(
        say("Lag behind the present", "ข้อมูลช้ากว่าปัจจุบัน"),
        query,
        description=say(
            "How old the newest figures in InfluxDB are. Andaman writes them each minute: beyond a "
            "few minutes it is down, or its points do not arrive.",
            "อายุของข้อมูลล่าสุดใน InfluxDB ซึ่ง Andaman เขียนทุกนาที หากเกินสองสามนาทีแสดงว่าระบบหยุด"
            "หรือข้อมูลส่งไม่ถึง",
        ),
        unit="s",
        thresholds=steps(GREEN, (180, ORANGE), (600, VERMILLION)),
        decimals=0,
    )


def _backlog_now(say: Words) -> Json:
    title = say("Messages that wait", "ข้อความที่รออยู่")
    return _tile(title, "worker_backlog", "", 1000, 20_000)


def _unsent(say: Words) -> Json:
    return _tile(
        say("Points that InfluxDB has yet to take", "จุดข้อมูลที่ยังไม่ถึง InfluxDB"),
        "forwarder_backlog_points",
        "",
        10_000,
        100_000,
    )


def _quarantined(say: Words) -> Json:
    query = f"""{metric("quarantined_total")}
  |> difference(nonNegative: true)
  |> sum()
  |> group()
  |> sum()
  |> rename(columns: {{_value: "value"}})"""
    return tiles(
        say("Quarantined in the time range", "ข้อมูลที่ถูกกักในช่วงเวลา"),
        query,
        unit="short",
        thresholds=steps(GREEN, (1, ORANGE)),
        decimals=0,
        no_value="0",
    )


def _well(say: Words, title: str, field: str, label: str) -> Json:
    query = f"""{metric(field)}
  |> keep(columns: ["_time", "_value", "{label}"])
  |> group(columns: ["{label}"])"""
    words = {"0": (say("no", "ไม่"), VERMILLION), "1": (say("yes", "ใช่"), GREEN)}
    return timeline(
        title,
        query,
        name=f"${{__field.labels.{label}}}",
        thresholds=steps(VERMILLION, (1, GREEN)),
        mappings=[mapped(words)],
    )


def _checks(say: Words) -> Json:
    return _well(say, say("Parts that are well", "ส่วนของระบบที่ปกติ"), "check_ok", "check")


def _gateways(say: Words) -> Json:
    return _well(say, say("Gateways online", "เกตเวย์ที่ออนไลน์"), "gateway_online", "gateway")


def _rate(say: Words) -> Json:
    return lines(
        say("Items per second", "ข้อมูลต่อวินาที"),
        [_per_second("items_total", "kind")],
        unit="cps",
        name="${__field.labels.kind}",
    )


def _latency(say: Words) -> Json:
    return durations(
        say,
        say("Latency of a batch", "เวลาที่ใช้ต่อชุดข้อมูล"),
        "settle_seconds",
        say(
            "From the first look at a batch to its acknowledgement: decoded, judged, committed.",
            "ตั้งแต่เริ่มอ่านชุดข้อมูลจนยืนยัน: ถอดรหัส ตรวจสอบ บันทึก",
        ),
    )


def _gauge(title: str, field: str, unit: str) -> Json:
    query = f"""{metric(field)}
{EVERY.format(how="max")}
  |> group()
  |> keep(columns: ["_time", "_value"])"""
    return lines(title, [query], unit=unit, name=title)


def _backlog(say: Words) -> Json:
    title = say("Messages that wait, over time", "ข้อความที่รออยู่ ตามเวลา")
    return _gauge(title, "worker_backlog", "short")


def _forwarder(say: Words) -> Json:
    title = say("Points on their way to InfluxDB", "จุดข้อมูลที่กำลังส่งไป InfluxDB")
    return _gauge(title, "forwarder_backlog_points", "short")


def _refused(say: Words) -> Json:
    query = f"""{metric("quarantined_total")}
  |> difference(nonNegative: true)
  |> filter(fn: (r) => r._value > 0.0)
  |> aggregateWindow(every: v.windowPeriod, fn: sum, createEmpty: false, timeSrc: "_start")
  |> keep(columns: ["_time", "_value", "reason"])
  |> group(columns: ["reason"])"""
    return lines(
        say("Quarantined, by reason", "ข้อมูลที่ถูกกัก ตามสาเหตุ"),
        [query],
        name="${__field.labels.reason}",
        bars=True,
        decimals=0,
    ) | {"interval": "1h"}


def _transitions(say: Words) -> Json:
    return lines(
        say("Changes of alerts per second", "การเปลี่ยนสถานะการแจ้งเตือนต่อวินาที"),
        [_per_second("transitions_total", "state")],
        unit="cps",
        name="${__field.labels.state}",
    )


def _disk(say: Words) -> Json:
    title = say("Size of the ledger", "ขนาดฐานข้อมูล")
    return _gauge(title, "ledger_bytes", "bytes")


def _memory(say: Words) -> Json:
    title = say("Memory of the process", "หน่วยความจำของโปรเซส")
    return _gauge(title, "process_resident_memory_bytes", "bytes")
