"""What was sent to people, from the same metrics."""

from dashboards.facts import Facts, Words
from dashboards.flux import rows
from dashboards.metrics import EVERY, durations, metric
from dashboards.panels import Json, lines, tiles


def delivered(say: Words) -> Json:
    """How many messages, by channel and outcome."""
    query = f"""{metric("deliveries_total")}
  |> difference(nonNegative: true)
  |> map(fn: (r) => ({{_time: r._time, what: r.channel + " " + r.outcome, _value: r._value}}))
  |> group(columns: ["what"])
  |> aggregateWindow(every: v.windowPeriod, fn: sum, createEmpty: false, timeSrc: "_start")
  |> filter(fn: (r) => r._value > 0.0)"""
    return lines(
        say("Messages to people, by channel and outcome", "ข้อความถึงผู้รับ ตามช่องทางและผล"),
        [query],
        name="${__field.labels.what}",
        bars=True,
        decimals=0,
    ) | {"interval": "1h"}


def waiting(say: Words) -> Json:
    """How many wait for their server."""
    query = f"""{metric("deliveries_waiting")}
{EVERY.format(how="max")}
  |> keep(columns: ["_time", "_value", "channel"])
  |> group(columns: ["channel"])"""
    return lines(
        say("Messages to people that wait", "ข้อความถึงผู้รับที่รอส่ง"),
        [query],
        name="${__field.labels.channel}",
        decimals=0,
    )


def told(say: Words) -> Json:
    """How long they took."""
    return durations(
        say,
        say("Messages to people: from plan to server", "ข้อความถึงผู้รับ: เวลาจนถึงเซิร์ฟเวอร์"),
        "told_seconds",
        say(
            "From when a message was planned until a server took it, over all channels.",
            "ตั้งแต่วางแผนส่งจนเซิร์ฟเวอร์รับข้อความ รวมทุกช่องทาง",
        ),
    )


def line_this_month(say: Words, facts: Facts) -> Json:
    """How many LINE took since the month began."""
    month = (
        f"date.truncate(t: v.timeRangeStop, unit: 1mo, "
        f'location: timezone.location(name: "{facts.zone}"))'
    )
    wanted = 'r._measurement == "andaman" and r._field == "deliveries_total"'
    query = f"""{rows(wanted, f"start: {month}, stop: v.timeRangeStop")}
  |> filter(fn: (r) => r.channel == "line" and r.outcome == "sent")
  |> difference(nonNegative: true)
  |> sum()
  |> group()
  |> sum()
  |> rename(columns: {{_value: "value"}})"""
    return tiles(
        say("LINE messages sent this month", "ข้อความ LINE ที่ส่งในเดือนนี้"),
        query,
        description=say(
            "Andaman's own count, one for each recipient, against the month's quota of the plan.",
            "นับโดย Andaman หนึ่งข้อความต่อผู้รับ เทียบกับโควตาของแพ็กเกจในแต่ละเดือน",
        ),
        unit="none",
        background=False,
        decimals=0,
        no_value="0",
    )
