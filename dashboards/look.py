"""Colours that people of any colour vision tell apart (after Okabe and Ito), units, words."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dashboards.facts import Bands, Level, Words

GREY = "#999999"
SKY, GREEN, YELLOW, ORANGE, VERMILLION = "#56B4E9", "#009E73", "#F0E442", "#E69F00", "#D55E00"
PURPLE = "#CC79A7"

SEVERITIES: Mapping[str, str] = MappingProxyType(
    {"info": SKY, "warning": ORANGE, "critical": VERMILLION}
)
STATES = (GREY, GREEN, SKY, ORANGE, VERMILLION)
"""The colour of each level of a place: unknown, well, info, warning, critical."""
BANDS = (SKY, GREEN, YELLOW, ORANGE, VERMILLION)
"""The colours of five bands in the order of the official ones, blue to red."""
FLAGGED = PURPLE

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "%": "percent",
        "1": "none",
        "Cel": "celsius",
        "V": "volt",
        "W/m2": "Wm2",
        "[NTU]": "suffix: NTU",
        "[pH]": "none",
        "[ppb]": "conppb",
        "[ppm]": "ppm",
        "[psu]": "suffix: PSU",
        "dB": "dB",
        "dBm": "dBm",
        "dB[SPL]": "dB",
        "deg": "degree",
        "hPa": "pressurehpa",
        "kPa": "pressurekpa",
        "kg": "masskg",
        "m": "lengthm",
        "m/s": "velocityms",
        "mS/cm": "suffix: mS/cm",
        "mV": "mvolt",
        "mg/L": "suffix: mg/L",
        "mm": "lengthmm",
        "mm/h": "suffix: mm/h",
        "s": "s",
        "ug/L": "suffix: µg/L",
        "ug/m3": "conμgm3",
        "{flag}": "bool_yes_no",
    }
)
"""Grafana's name for each unit of the catalogue."""


def steps(first: str, *more: tuple[float, str]) -> dict[str, Any]:
    """Thresholds: a colour from the bottom up, then another from each value on."""
    found = [{"value": None, "color": first}]
    return {
        "mode": "absolute",
        "steps": [*found, *({"value": at, "color": colour} for at, colour in more)],
    }


def levels_drawn(levels: Sequence[Level]) -> dict[str, Any]:
    """The levels of rules as thresholds: what lies between the lower and the upper ones is well.

    Grafana colours from a value on upwards, so a level below which it is wrong ends its colour.
    """
    low = [level for level in levels if level.side == "below"]
    high = [level for level in levels if level.side == "above"]
    bottom = SEVERITIES[low[0].severity] if low else GREEN
    ends = [SEVERITIES[level.severity] for level in low[1:]] + [GREEN]
    up = [(level.value, colour) for level, colour in zip(low, ends, strict=False)]
    return steps(bottom, *up, *((level.value, SEVERITIES[level.severity]) for level in high))


def bands_drawn(bands: Bands) -> dict[str, Any]:
    """The bands of an index, for values that count when they are rounded to one decimal."""
    ends = [band.up_to for band in bands.steps if band.up_to is not None]
    above = zip(ends, BANDS[1:], strict=True)
    return steps(BANDS[0], *((round(end + 0.05, 2), colour) for end, colour in above))


def sources(say: Words, levels: Sequence[Level]) -> str:
    """Where the thresholds of a panel come from, for its description."""
    lines = []
    for level in levels:
        side = {"above": say("above", "สูงกว่า"), "below": say("below", "ต่ำกว่า")}[level.side]
        what = f"**{severity(say, level.severity)}** {side} {level.value:g}"
        lines.append(f"- {what} · {say.name(level.rule)}. {level.source}".rstrip())
    title = say("Thresholds, from the rules:", "เกณฑ์ตามกฎการแจ้งเตือน:")
    return "\n".join([title, "", *lines]) if lines else ""


def severity(say: Words, name: str) -> str:
    """A severity in words."""
    words = {
        "info": say("info", "แจ้งให้ทราบ"),
        "warning": say("warning", "เตือน"),
        "critical": say("critical", "วิกฤต"),
    }
    return words[name]


def state_words(say: Words) -> list[dict[str, Any]]:
    """How a place stands, from the number that stands for it."""
    words = [
        say("no fresh data", "ไม่มีข้อมูลล่าสุด"),
        say("well", "ปกติ"),
        *(severity(say, name) for name in SEVERITIES),
    ]
    return [mapped({str(n): (word, STATES[n]) for n, word in enumerate(words)})]


def severity_words(say: Words) -> list[dict[str, Any]]:
    """Severities of alerts, in words and colours."""
    return [mapped({name: (severity(say, name), colour) for name, colour in SEVERITIES.items()})]


def alert_states(say: Words) -> list[dict[str, Any]]:
    """States of alerts, in words and colours."""
    words = {
        "pending": (say("pending", "รอยืนยัน"), SKY),
        "firing": (say("firing", "กำลังแจ้งเตือน"), VERMILLION),
        "resolved": (say("resolved", "สิ้นสุดแล้ว"), GREEN),
    }
    return [mapped(words)]


def verdict_words(say: Words) -> list[dict[str, Any]]:
    """What alerts are judged to be, in words and colours: a sensor's fault by its cause, in the
    colour of readings that are flagged.
    """
    causes = {
        "clock": say("clock is wrong", "นาฬิกาไม่ตรง"),
        "drift": say("drifts", "ค่าคลาดเคลื่อน"),
        "fouling": say("fouled", "มีคราบหรือเพรียงเกาะ"),
        "out-of-water": say("out of the water", "อยู่พ้นน้ำ"),
        "power": say("power fails", "ไฟเลี้ยงผิดปกติ"),
        "spike": say("spikes", "ค่ากระโดด"),
        "stuck": say("stuck", "ค่าค้าง"),
        "units": say("another unit", "ผิดหน่วย"),
    }
    sensor = say("sensor: ", "อุปกรณ์: ")
    words = {
        "event": (say("event", "เหตุการณ์จริง"), VERMILLION),
        **{cause: (sensor + word, FLAGGED) for cause, word in causes.items()},
        "unclear": (say("unclear", "ยังไม่ชัดเจน"), GREY),
    }
    return [mapped(words)]


def mapped(words: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Values with their words and colours."""
    options = {
        value: {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(words.items())
    }
    return {"type": "value", "options": options}
