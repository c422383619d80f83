"""Verdicts in words: the sentences of their evidence, in both languages. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from alerts.phrases import PHRASES as COMMON
from alerts.phrases import Phrase
from alerts.speaking import Speaker, number
from alerts.verdict import Clue, Opinion
from core.catalogue import CATALOGUE
from core.languages import LANGUAGES, Language
from core.verdicts import Verdict, VerdictKind

PHRASES: Mapping[str, Phrase] = MappingProxyType(
    {
        # the verdict
        "event": Phrase(
            "Probably an event of the place ({sure}).", "น่าจะเป็นเหตุการณ์จริงในพื้นที่ ({sure})"
        ),
        "event-confirmed": Phrase(
            "Probably an event: neighbours see it too ({sure}).",
            "น่าจะเป็นเหตุการณ์จริง สถานีใกล้เคียงตรวจพบเช่นกัน ({sure})",
        ),
        "sensor-fault": Phrase(
            "Probably the sensor: {cause} ({sure}).", "น่าจะเป็นที่อุปกรณ์: {cause} ({sure})"
        ),
        "unclear": Phrase(
            "It is unclear whether it is the place or the sensor.",
            "ยังไม่ชัดเจนว่าเป็นเหตุการณ์จริงหรืออุปกรณ์ผิดปกติ",
        ),
        "clock": Phrase("its clock is wrong", "นาฬิกาไม่ตรง"),
        "drift": Phrase("it drifts", "ค่าคลาดเคลื่อนไปทีละน้อย"),
        "fouling": Phrase("it is fouled", "มีคราบหรือเพรียงเกาะ"),
        "out-of-water": Phrase("it is out of the water", "อยู่พ้นน้ำ"),
        "power": Phrase("its power fails", "ไฟเลี้ยงหรือแบตเตอรี่ผิดปกติ"),
        "spike": Phrase("it throws spikes", "มีค่ากระโดดเป็นครั้งคราว"),
        "stuck": Phrase("it is stuck", "ค่าค้าง"),
        "units": Phrase("it sends another unit", "ส่งค่าผิดหน่วย"),
        # its evidence
        "about-battery": Phrase(
            "The alert is about the battery itself.", "การแจ้งเตือนนี้เกี่ยวกับแบตเตอรี่โดยตรง"
        ),
        "about-clock": Phrase(
            "The alert is about the clock itself.", "การแจ้งเตือนนี้เกี่ยวกับนาฬิกาโดยตรง"
        ),
        "ahead": Phrase(
            "Its readings come from the future, by {lasts}.", "เวลาของค่าที่ส่งล้ำหน้าอยู่ {lasts}"
        ),
        "beyond": Phrase("{now} is beyond what can be.", "{now} อยู่นอกช่วงที่เป็นไปได้"),
        "battery": Phrase("The battery is at {now} %.", "แบตเตอรี่เหลือ {now} %"),
        "channel-agrees": Phrase(
            "{parameter} of the same device moved as well: {now}, usually {usual}.",
            "{parameter}ของอุปกรณ์เดียวกันเปลี่ยนไปด้วย: {now} ปกติ {usual}",
        ),
        "channel-differs": Phrase(
            "{parameter} of the same device should move with it, and did not: {now}.",
            "{parameter}ของอุปกรณ์เดียวกันควรเปลี่ยนตาม แต่ไม่เปลี่ยน: {now}",
        ),
        "crowd-creeps": Phrase(
            "It has been farther away each day, as it has at its neighbours.",
            "ค่าห่างจากปกติเพิ่มขึ้นทุกวัน สถานีใกล้เคียงก็เช่นกัน",
        ),
        "dust": Phrase(
            "PM10 rose more than PM2.5, as dust in the air makes it.",
            "PM10 เพิ่มมากกว่า PM2.5 อย่างที่ฝุ่นในอากาศทำให้เป็น",
        ),
        "creeps": Phrase(
            "For {count} days it has been farther away each day.",
            "ค่าห่างจากปกติเพิ่มขึ้นทุกวันมา {count} วันแล้ว",
        ),
        "factor": Phrase(
            "It reads {factor} times the usual, the factor between two units.",
            "ค่าเป็น {factor} เท่าของปกติ ตรงกับตัวคูณระหว่างหน่วย",
        ),
        "fahrenheit": Phrase(
            "{now} is the usual {usual} °C in Fahrenheit.",
            "{now} คือค่าปกติ {usual} °C ในหน่วยฟาเรนไฮต์",
        ),
        "gateway-silent": Phrase(
            "The gateway of {count} devices says nothing: its power or the network, not the place.",
            "เกตเวย์ของอุปกรณ์ {count} ตัวไม่ส่งข้อมูล อาจเป็นที่ไฟเลี้ยงหรือเครือข่าย ไม่ใช่ที่พื้นที่",
        ),
        "gaps": Phrase("{share} of its readings do not come.", "ข้อมูลขาดหาย {share}"),
        "leaps-alone": Phrase(
            "It leapt, and none of {count} channels that leap with other water or air did.",
            "ค่ากระโดด แต่ช่องวัดอีก {count} ช่องที่มักกระโดดตามเมื่อน้ำหรืออากาศเปลี่ยนไม่กระโดด",
        ),
        "leaps-together": Phrase(
            "Other channels leap at the same moments.", "ช่องวัดอื่นกระโดดในเวลาเดียวกัน"
        ),
        "leaps-with": Phrase(
            "{count} other channels of the device leapt when it did.",
            "ช่องวัดอื่นของอุปกรณ์อีก {count} ช่องกระโดดพร้อมกัน",
        ),
        "less": Phrase(
            "It reads less than usual: {now}, usually {usual}.", "ค่าต่ำกว่าปกติ: {now} ปกติ {usual}"
        ),
        "low-tide": Phrase("The tide is low: {now} m.", "น้ำลง ระดับน้ำ {now} ม."),
        "near-usual": Phrase(
            "It reads about what it usually does: {now}, usually {usual}.",
            "ค่าใกล้เคียงปกติ: {now} ปกติ {usual}",
        ),
        "neighbour-agrees": Phrase(
            "{site}, {km} km away, sees the same.", "{site} ซึ่งห่าง {km} กม. ตรวจพบเช่นเดียวกัน"
        ),
        "apart": Phrase(
            "It has left its neighbours, and they have not left each other.",
            "ค่าห่างออกจากจุดใกล้เคียง ขณะที่จุดใกล้เคียงยังสอดคล้องกัน",
        ),
        "neighbours-quiet": Phrase(
            "None of its {count} neighbours sees anything.",
            "สถานีใกล้เคียงทั้ง {count} แห่งไม่พบสิ่งผิดปกติ",
        ),
        "no-salt": Phrase(
            "There is no salt in what it measures: {now}, usually {usual}.",
            "แทบไม่มีเกลือในสิ่งที่วัด: {now} ปกติ {usual}",
        ),
        "nothing": Phrase("It reads nothing at all, usually {usual}.", "ค่าที่วัดเป็นศูนย์ ปกติ {usual}"),
        "of-the-bin": Phrase(
            "Such a reading belongs to one bin alone, and is usually right.",
            "ค่านี้เป็นของถังใบเดียว และโดยปกติถูกต้อง",
        ),
        "operand-event": Phrase(
            "{rule}, {place}: an event ({sure}).", "{rule} {place}: เหตุการณ์จริง ({sure})"
        ),
        "operand-sensor-fault": Phrase(
            "{rule}, {place}: the sensor, {cause} ({sure}).",
            "{rule} {place}: อุปกรณ์ {cause} ({sure})",
        ),
        "operand-unclear": Phrase("{rule}, {place}: unclear.", "{rule} {place}: ยังไม่ชัดเจน"),
        "operands": Phrase(
            "Of the {count} alerts that it counts, {events} are events and {faults} are sensors.",
            "จากการแจ้งเตือน {count} รายการที่นับ เป็นเหตุการณ์จริง {events} และเป็นที่อุปกรณ์ {faults}",
        ),
        "others-creep": Phrase(
            "For days {count} other channels have gone the way of an event as well.",
            "ช่องวัดอื่นอีก {count} ช่องเปลี่ยนไปตามเหตุการณ์มาหลายวันเช่นกัน",
        ),
        "others-quiet": Phrase(
            "{count} other channels that events usually move did not.",
            "ช่องวัดอื่นอีก {count} ช่องที่มักเปลี่ยนตามเหตุการณ์ไม่เปลี่ยน",
        ),
        "otherwise-usual": Phrase(
            "Between the leaps it reads what it always does.", "ระหว่างที่ค่าไม่กระโดด ค่ายังเป็นปกติ"
        ),
        "place-leaps-alone": Phrase(
            "It leapt, and none of its {count} neighbours, who share such weather, did.",
            "ค่ากระโดด แต่สถานีใกล้เคียงทั้ง {count} แห่งซึ่งมีสภาพอากาศเดียวกันไม่กระโดด",
        ),
        "rain": Phrase("It rains nearby, up to {rate} mm/h.", "มีฝนตกใกล้เคียง สูงสุด {rate} มม./ชม."),
        "shifted": Phrase(
            "It stepped, and moves beside that as it always does.",
            "ค่ากระโดดไปทั้งชุด แต่ยังแกว่งเหมือนเดิม",
        ),
        "silent": Phrase("The device says nothing at all.", "อุปกรณ์ไม่ส่งข้อมูลเลย"),
        "slow": Phrase(
            "It has crept away over {lasts}, step by step.", "ค่าค่อย ๆ เปลี่ยนไปในช่วง {lasts}"
        ),
        "smooth": Phrase("It moves much less than it usually does.", "ค่าแกว่งน้อยกว่าปกติมาก"),
        "spikes": Phrase(
            "{count} single readings leapt and came back.", "มีค่ากระโดดแล้วกลับ {count} ครั้ง"
        ),
        "still": Phrase(
            "It has not moved for {lasts}, though it usually does.",
            "ค่าไม่ขยับเลยเป็นเวลา {lasts} ทั้งที่ปกติขยับ",
        ),
        "test-flat-line": Phrase(
            "The test for stuck values objects to {share} of its last readings.",
            "การทดสอบค่าค้างคัดค้านค่าล่าสุด {share}",
        ),
        "test-neighbours": Phrase(
            "The test against its neighbours objects.", "การทดสอบเทียบสถานีใกล้เคียงคัดค้าน"
        ),
        "test-physics": Phrase(
            "What its channels say does not fit together, in {share} of the last readings.",
            "ค่าจากช่องวัดต่าง ๆ ของอุปกรณ์ไม่สอดคล้องกัน {share} ของค่าล่าสุด",
        ),
        "test-range": Phrase(
            "{share} of its last readings are beyond what can be.",
            "ค่าล่าสุด {share} อยู่นอกช่วงที่เป็นไปได้",
        ),
        "test-sentinel": Phrase(
            "{share} of its last readings are numbers that stand for no reading.",
            "ค่าล่าสุด {share} เป็นรหัสแทนการไม่มีค่า",
        ),
        "test-spike": Phrase("The test for spikes objects.", "การทดสอบค่ากระโดดคัดค้าน"),
        "test-timing": Phrase(
            "The times of {share} of its last readings cannot be right.",
            "เวลาของค่าล่าสุด {share} ไม่น่าถูกต้อง",
        ),
        "tests-pass": Phrase(
            "No test of quality objects to its readings.", "ไม่มีการทดสอบคุณภาพใดคัดค้านค่าที่วัด"
        ),
        "turns": Phrase(
            "{count} times it went far and at once as far back.", "ค่าเหวี่ยงไปแล้วกลับทันที {count} ครั้ง"
        ),
        "voltage": Phrase(
            "The battery is at {now} V, usually at {usual} V.", "แบตเตอรี่ {now} V ปกติ {usual} V"
        ),
        "whole-device": Phrase(
            "Other channels of the device are bad at the same time.",
            "ช่องวัดอื่นของอุปกรณ์ผิดปกติพร้อมกัน",
        ),
        "work": Phrase("The service log says: {work}.", "บันทึกการบำรุงรักษา: {work}"),
    }
)


def worded(opinion: Opinion, zone: ZoneInfo) -> Verdict:
    """The verdict that an opinion is, with its evidence in all languages."""
    speakers = [Speaker(language, zone) for language in LANGUAGES]
    return Verdict(
        kind=opinion.kind,
        cause=opinion.cause,
        confidence=round(opinion.confidence, 2),
        evidence=tuple({s.language: _said(clue, s) for s in speakers} for clue in opinion.clues),
        confirmed=opinion.confirmed,
    )


def summary(verdict: Verdict, language: Language) -> str:
    """The verdict in a sentence."""
    confirmed = verdict.kind is VerdictKind.EVENT and verdict.confirmed
    phrase = PHRASES["event-confirmed" if confirmed else verdict.kind]
    cause = PHRASES[verdict.cause] if verdict.cause else None
    text: str = getattr(phrase, language)
    return text.format(
        sure=f"{verdict.confidence:.0%}", cause=getattr(cause, language) if cause else ""
    )


def _said(clue: Clue, speaker: Speaker) -> str:
    values = {name: _value(name, value, speaker) for name, value in clue.values.items()}
    return speaker.say(PHRASES[clue.phrase], **values)


def _value(name: str, value: Any, speaker: Speaker) -> str:
    """One value as people say it."""
    ways: Mapping[str, Callable[[], str]] = {
        "cause": lambda: speaker.say(PHRASES[value]) if value else "",
        "km": lambda: number(round(value, 1)),
        "lasts": lambda: speaker.duration(value),
        "parameter": lambda: speaker.word(CATALOGUE[value].label),
        "place": lambda: speaker.word(value),
        "rule": lambda: speaker.word(value),
        "share": lambda: f"{value:.0%}",
        "site": lambda: speaker.word(value),
        "sure": lambda: f"{value:.0%}",
        "work": lambda: speaker.say(COMMON[f"work-{value}"]),
    }
    return ways.get(name, lambda: number(round(value, 3)))()
