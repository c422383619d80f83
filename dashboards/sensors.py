"""Data quality and sensor health: what came, what of it can be trusted, and how the devices are."""

from dashboards.facts import Facts, Words
from dashboards.flux import NOT_READINGS, known, rows
from dashboards.frame import dashboard
from dashboards.look import FLAGGED, GREEN, ORANGE, VERMILLION, levels_drawn, sources, steps
from dashboards.panels import Json, lines, override, table, tiles

READINGS = f"r._measurement !~ {NOT_READINGS} and r._field !~ /_flag$/"
FLAGS = f"r._measurement !~ {NOT_READINGS} and r._field =~ /_flag$/"
BAD = "r._value >= 3"
SECONDS = "float(v: int(v: v.timeRangeStop) - int(v: v.timeRangeStart)) / 1000000000.0"


def sensors(say: Words, facts: Facts) -> Json:
    """The dashboard."""
    panels = [
        (4, [(_received(say), 8), (_share(say), 8), (_reporting(say), 8)]),
        (12, [(_completeness(say), 12), (_flagged_devices(say), 12)]),
        (9, [(_flagged_over_time(say), 24)]),
        (
            9,
            [
                (_health(say, facts, "battery_level", say("Battery", "แบตเตอรี่"), "percent"), 12),
                (
                    _health(
                        say,
                        facts,
                        "battery_voltage",
                        say("Battery voltage", "แรงดันแบตเตอรี่"),
                        "volt",
                    ),
                    12,
                ),
            ],
        ),
        (
            9,
            [
                (_health(say, facts, "rssi", say("Signal", "ความแรงสัญญาณ"), "dBm"), 12),
                (
                    _health(
                        say, facts, "snr", say("Signal to noise", "อัตราสัญญาณต่อสัญญาณรบกวน"), "dB"
                    ),
                    12,
                ),
            ],
        ),
        (9, [(_clocks(say), 24)]),
    ]
    return dashboard(
        say,
        "quality",
        say("Andaman: data quality and sensors", "อันดามัน: คุณภาพข้อมูลและเซนเซอร์"),
        panels,
        description=say(
            "Readings are never altered: those that a test or an officer calls suspect or bad are "
            "flagged.",
            "ค่าที่วัดได้ไม่ถูกแก้ไข ข้อมูลที่น่าสงสัยจะถูกติดธง",
        ),
        since="now-7d",
    )


def _received(say: Words) -> Json:
    query = f"""{rows(READINGS)}
  |> count()
  |> group()
  |> sum()
  |> rename(columns: {{_value: "value"}})"""
    title = say("Readings", "จำนวนข้อมูล")
    return tiles(title, query, unit="short", background=False, no_value="0")


def _share(say: Words) -> Json:
    query = f"""union(tables: [
  {rows(READINGS)}
    |> count()
    |> group()
    |> sum()
    |> map(fn: (r) => ({{all: r._value, flagged: 0}})),
  {rows(FLAGS)}
    |> filter(fn: (r) => {BAD})
    |> count()
    |> group()
    |> sum()
    |> map(fn: (r) => ({{all: 0, flagged: r._value}})),
])
  |> reduce(
      identity: {{all: 0, flagged: 0}},
      fn: (r, accumulator) => ({{
        all: accumulator.all + r.all, flagged: accumulator.flagged + r.flagged,
      }}),
    )
  |> filter(fn: (r) => r.all > 0)
  |> map(fn: (r) => ({{value: 100.0 * float(v: r.flagged) / float(v: r.all)}}))"""
    return tiles(
        say("Share that is flagged", "สัดส่วนข้อมูลน่าสงสัย"),
        query,
        unit="percent",
        thresholds=steps(GREEN, (2, ORANGE), (10, VERMILLION)),
        decimals=1,
    )


def _reporting(say: Words) -> Json:
    query = f"""{rows(READINGS)}
  |> last()
  |> group()
  |> distinct(column: "device")
  |> count()
  |> rename(columns: {{_value: "value"}})"""
    title = say("Devices that reported", "อุปกรณ์ที่ส่งข้อมูล")
    return tiles(title, query, unit="none", background=False, no_value="0")


def _completeness(say: Words) -> Json:
    columns = {
        "device": say("Device", "อุปกรณ์"),
        "site": say("Place", "สถานที่"),
        "came": say("Reports", "ครั้งที่ส่ง"),
        "share": say("Completeness", "ความครบถ้วน"),
    }
    source = f"""{rows(READINGS)}
    |> count()
    |> group(columns: ["device"])
    |> max()
    |> rename(columns: {{_value: "came"}})
    |> keep(columns: ["device", "came"])
    |> map(fn: (r) => ({{r with _time: v.timeRangeStop}}))"""
    query = f"""{known(say, source, "came", tag="device", columns=("site", "interval"))}
  |> filter(fn: (r) => exists r.interval)
  |> map(fn: (r) => ({{r with
      share: 100.0 * float(v: r.came) / (({SECONDS}) / r.interval),
    }}))"""
    return table(
        say("Completeness of each device", "ความครบถ้วนของข้อมูลแต่ละอุปกรณ์"),
        query,
        columns,
        description=say(
            "Reports against those that the interval of the device's profile promises. Devices "
            "whose interval nobody knows are not listed.",
            "จำนวนครั้งที่ส่งเทียบกับช่วงเวลาที่กำหนดในโปรไฟล์ของอุปกรณ์ ไม่แสดงอุปกรณ์ที่ไม่ทราบช่วงเวลา",
        ),
        overrides=[_gauge(columns["share"])],
        sort=(columns["share"], False),
    )


def _gauge(title: str) -> Json:
    return override(
        title,
        unit="percent",
        decimals=1,
        min=0,
        max=100,
        thresholds=steps(VERMILLION, (75, ORANGE), (95, GREEN)),
        color={"mode": "thresholds"},
        custom_cellOptions={"type": "gauge", "mode": "basic"},
    )


def _flagged_devices(say: Words) -> Json:
    columns = {
        "device": say("Device", "อุปกรณ์"),
        "parameter": say("Parameter", "พารามิเตอร์"),
        "suspect": say("Suspect", "น่าสงสัย"),
        "fail": say("Bad", "ใช้ไม่ได้"),
    }
    query = f"""{rows(FLAGS)}
  |> filter(fn: (r) => {BAD})
  |> group(columns: ["device", "_field"])
  |> reduce(
      identity: {{suspect: 0, fail: 0}},
      fn: (r, accumulator) => ({{
        suspect: accumulator.suspect + (if r._value == 3 then 1 else 0),
        fail: accumulator.fail + (if r._value >= 4 then 1 else 0),
      }}),
    )
  |> group()
  |> map(fn: (r) => ({{r with parameter: strings.trimSuffix(v: r._field, suffix: "_flag")}}))"""
    return table(
        say("Flagged readings of each device", "ข้อมูลน่าสงสัยของแต่ละอุปกรณ์"),
        query,
        columns,
        sort=(columns["fail"], True),
        no_value=say("None is flagged", "ไม่มี"),
    )


def _flagged_over_time(say: Words) -> Json:
    query = f"""{rows(FLAGS)}
  |> filter(fn: (r) => {BAD})
  |> map(fn: (r) => ({{
      _time: r._time, flag: if r._value == 3 then "suspect" else "bad", _value: 1,
    }}))
  |> group(columns: ["flag"])
  |> aggregateWindow(every: v.windowPeriod, fn: sum, timeSrc: "_start", createEmpty: false)"""
    return lines(
        say("Flagged readings over time", "ข้อมูลน่าสงสัยตามเวลา"),
        [query],
        name="${__field.labels.flag}",
        bars=True,
        overrides=[
            override(
                "suspect",
                color={"mode": "fixed", "fixedColor": FLAGGED},
                displayName=say("suspect", "น่าสงสัย"),
            ),
            override(
                "bad",
                color={"mode": "fixed", "fixedColor": VERMILLION},
                displayName=say("bad", "ใช้ไม่ได้"),
            ),
        ],
        decimals=0,
    ) | {"interval": "1h"}


def _health(say: Words, facts: Facts, parameter: str, title: str, unit: str) -> Json:
    levels = facts.of(parameter, "")
    query = f"""{rows(f'r._measurement !~ {NOT_READINGS} and r._field == "{parameter}"')}
  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false)
  |> group(columns: ["device"])
  |> keep(columns: ["_time", "_value", "device"])"""
    return lines(
        title,
        [query],
        description=sources(say, levels),
        unit=unit,
        name="${__field.labels.device}",
        thresholds=levels_drawn(levels) if levels else None,
    ) | {"interval": "30m"}


def _clocks(say: Words) -> Json:
    query = """from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "andaman" and r._field == "device_clock_offset_seconds")
  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false)
  |> group(columns: ["device"])
  |> keep(columns: ["_time", "_value", "device"])"""
    return lines(
        say("Clocks of devices: how far behind", "นาฬิกาของอุปกรณ์: ช้าไปเท่าใด"),
        [query],
        unit="s",
        name="${__field.labels.device}",
    )
