"""What was sent to people, from the same metrics."""

from dashboards.facts import Words
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


def line_this_month(say: Words) -> Json:
    """How many LINE took since the month began, how many it may become, how many are allowed."""
    used, forecast, limit = (
        say("sent", "ส่งแล้ว"),
        say("forecast for the month", "คาดการณ์ทั้งเดือน"),
        say("quota", "โควตา"),
    )
    query = f"""{metric("line_messages")}
  |> group(columns: ["what"])
  |> last()
  |> group()
  |> map(fn: (r) => ({{
    value: r._value,
    what: if r.what == "used" then "{used}"
      else if r.what == "limit" then "{limit}" else "{forecast}",
    order: if r.what == "used" then 1 else if r.what == "forecast" then 2 else 3,
  }}))
  |> sort(columns: ["order"])
  |> keep(columns: ["what", "value"])"""
    return tiles(
        say("LINE messages this month", "ข้อความ LINE เดือนนี้"),
        query,
        description=say(
            "What LINE counts, one for each recipient. No quota is shown where the plan has none, "
            "and nothing until LINE was asked.",
            "ตามที่ LINE นับ หนึ่งข้อความต่อผู้รับ ไม่แสดงโควตาหากแพ็กเกจไม่มี และไม่แสดงอะไรจนกว่าจะได้ถาม LINE",
        ),
        unit="none",
        name="${__data.fields.what}",
        background=False,
        decimals=0,
    )
