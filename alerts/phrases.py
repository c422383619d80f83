"""The sentences of explanations, in both languages of the officers: the one place where they stand.

Both texts of a phrase name the same values in braces. Pure.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Phrase(NamedTuple):
    """One thing to say, in English and Thai."""

    en: str
    th: str


PHRASES: Mapping[str, Phrase] = MappingProxyType(
    {
        # what it is
        "head": Phrase("{name}: {severity}, {state}.", "{name}: ระดับ{severity} สถานะ{state}"),
        "state-firing": Phrase("firing", "กำลังแจ้งเตือน"),
        "state-pending": Phrase("pending", "รอยืนยัน"),
        "state-resolved": Phrase("over", "สิ้นสุดแล้ว"),
        "severity-critical": Phrase("critical", "วิกฤต"),
        "severity-info": Phrase("info", "แจ้งให้ทราบ"),
        "severity-warning": Phrase("warning", "เตือน"),
        # the value against the limit
        "what-above": Phrase(
            "{parameter} of {device} at {site} was {value}, {margin} above the limit of {level}.",
            "{parameter}จาก {device} ที่{site} วัดได้ {value} สูงกว่าเกณฑ์ {level} อยู่ {margin}",
        ),
        "what-below": Phrase(
            "{parameter} of {device} at {site} was {value}, {margin} below the limit of {level}.",
            "{parameter}จาก {device} ที่{site} วัดได้ {value} ต่ำกว่าเกณฑ์ {level} อยู่ {margin}",
        ),
        "what-rate": Phrase(
            "{parameter} of {device} at {site} changed by {value} per {per}; the limit is {level}.",
            "{parameter}จาก {device} ที่{site} เปลี่ยนไป {value} ต่อ{per} เกณฑ์คือ {level}",
        ),
        "per-hour": Phrase("hour", "ชั่วโมง"),
        "per-minute": Phrase("minute", "นาที"),
        "what-count": Phrase(
            "{value} of the last readings of {parameter} of {device} at {site} were out of range; "
            "more than {level} are too many.",
            "ค่า{parameter}จาก {device} ที่{site} ออกนอกช่วง {value} ครั้งในช่วงที่ผ่านมา "
            "เกิน {level} ครั้งถือว่ามากไป",
        ),
        "what-fault": Phrase(
            "{value} of the last readings of {parameter} of {device} at {site} are in doubt; more "
            "than {level} are too many.",
            "ค่า{parameter}จาก {device} ที่{site} น่าสงสัย {value} ค่าในช่วงที่ผ่านมา "
            "เกิน {level} ค่าถือว่ามากไป",
        ),
        "what-anomaly": Phrase(
            "{parameter} of {device} at {site} is unlike itself, as about once in {months} months; "
            "the rule asks for once in {limit}.",
            "{parameter}จาก {device} ที่{site} ผิดไปจากปกติ ระดับที่พบราว {months} เดือนต่อครั้ง "
            "เกณฑ์คือ {limit} เดือนต่อครั้ง",
        ),
        "what-neighbours": Phrase(
            "{parameter} of {device} at {site} has left its neighbours, by {value} of its usual "
            "spreads; more than {level} are too many.",
            "{parameter}จาก {device} ที่{site} ต่างไปจากจุดใกล้เคียง {value} เท่าของความต่างปกติ "
            "เกิน {level} เท่าถือว่ามากไป",
        ),
        "what-missing": Phrase(
            "{subject} has not been heard for {value} of its intervals; more than {level} are too "
            "many.",
            "ไม่ได้รับข้อมูลจาก {subject} มาแล้ว {value} รอบการส่ง เกณฑ์คือไม่เกิน {level} รอบ",
        ),
        "what-missing-gateway": Phrase(
            "The gateway {name} is offline, or has not been heard for {value} of its intervals; "
            "more than {level} are too many.",
            "เกตเวย์ {name} ออฟไลน์ หรือไม่ได้ส่งข้อมูลมาแล้ว {value} รอบ เกณฑ์คือไม่เกิน {level} รอบ",
        ),
        "what-composite": Phrase(
            "{value} of the conditions that the rule joins hold for {subject}; more than {level} "
            "make it fire.",
            "เงื่อนไขที่กฎนี้รวมไว้เป็นจริง {value} ข้อสำหรับ {subject} เกิน {level} ข้อจึงแจ้งเตือน",
        ),
        "what-device-clock-above": Phrase(
            "The clock of {device} is {offset} behind.", "นาฬิกาของ {device} ช้าไป {offset}"
        ),
        "what-device-clock-below": Phrase(
            "The clock of {device} is {offset} ahead.", "นาฬิกาของ {device} เร็วไป {offset}"
        ),
        "what-notify-paused": Phrase(
            "Nothing goes out by {name}: its server refuses us; see /health/ready.",
            "ช่องทาง {name} หยุดส่งข้อความ เซิร์ฟเวอร์ปฏิเสธเรา ดู /health/ready",
        ),
        "what-notify-stalled": Phrase(
            "Messages by {name} have waited for {value} minutes.",
            "ข้อความทาง {name} ค้างส่งมาแล้ว {value} นาที",
        ),
        "what-system-certificate": Phrase(
            "The broker's certificate ends within {value} days; renew it.",
            "ใบรับรองของโบรกเกอร์จะหมดอายุภายใน {value} วัน โปรดต่ออายุ",
        ),
        "what-system-clock": Phrase(
            "The clock of the machine was set by {value} seconds.",
            "นาฬิกาของเครื่องถูกปรับไป {value} วินาที",
        ),
        "what-system-disk": Phrase(
            "The disk with the ledger is {value} % full.", "ดิสก์ที่เก็บข้อมูลถูกใช้ไปแล้ว {value} %"
        ),
        "what-system-lag": Phrase(
            "InfluxDB has taken no point for {value} minutes; they wait in the ledger.",
            "InfluxDB ไม่รับข้อมูลมา {value} นาทีแล้ว ข้อมูลรออยู่ในบัญชีหลัก",
        ),
        "what-system-stall": Phrase(
            "The listener has done nothing for {value} seconds.",
            "ตัวรับข้อความไม่ทำงานมา {value} วินาทีแล้ว",
        ),
        "what-gateway-gap": Phrase(
            "{value} messages of the gateway {name} have not come, by its own count.",
            "ข้อความจากเกตเวย์ {name} ยังมาไม่ถึง {value} ข้อความ นับตามลำดับของเกตเวย์เอง",
        ),
        "what-storm": Phrase(
            "{value} alerts of this rule were folded into this one since it began.",
            "มีการแจ้งเตือนของกฎนี้ {value} รายการที่รวมไว้ในรายการนี้ตั้งแต่เริ่ม",
        ),
        "what-else": Phrase("{subject} has the value {value}.", "{subject} มีค่า {value}"),
        "since": Phrase(
            "It began at {since} and has lasted {duration}.",
            "เริ่มเมื่อ {since} นานมาแล้ว {duration}",
        ),
        "lasted": Phrase(
            "It began at {since} and lasted {duration}.", "เริ่มเมื่อ {since} รวมเวลา {duration}"
        ),
        "clear-above": Phrase("It can end at {clear} or less.", "จะสิ้นสุดได้เมื่อค่าไม่เกิน {clear}"),
        "clear-below": Phrase("It can end at {clear} or more.", "จะสิ้นสุดได้เมื่อค่าไม่ต่ำกว่า {clear}"),
        # what a series is usually like
        "expected": Phrase(
            "Between {low} and {high} is expected now.", "ขณะนี้คาดว่าค่าจะอยู่ระหว่าง {low} ถึง {high}"
        ),
        "expected-beyond": Phrase(
            "The newest reading, {value}, is {out} beyond that.",
            "ค่าล่าสุด {value} ออกนอกช่วงนั้นไป {out}",
        ),
        "expected-inside": Phrase(
            "The newest reading, {value}, is within that.", "ค่าล่าสุด {value} อยู่ในช่วงนั้น"
        ),
        "symptom-leap": Phrase(
            "It is far off what the last hours led to expect.", "ค่าต่างจากที่คาดจากชั่วโมงก่อนหน้ามาก"
        ),
        "symptom-place": Phrase(
            "It is far off what is usual at this hour.", "ค่าต่างจากปกติของเวลานี้มาก"
        ),
        "symptom-shift": Phrase(
            "The last hours are unlike the last week.", "หลายชั่วโมงที่ผ่านมาต่างจากสัปดาห์ก่อน"
        ),
        "symptom-drift": Phrase(
            "The whole last week is off what is usual.", "ค่าตลอดสัปดาห์ที่ผ่านมาเลื่อนไปจากปกติ"
        ),
        "symptom-sum": Phrase(
            "Readings are too often on one side of what was expected.",
            "ค่าอยู่ด้านเดียวของค่าที่คาดบ่อยเกินไป",
        ),
        "symptom-burst": Phrase(
            "It is more restless than in the last weeks.", "ค่าแกว่งมากกว่าสัปดาห์ก่อนๆ"
        ),
        "symptom-collapse": Phrase(
            "It moves less than in the last weeks.", "ค่าแทบไม่เปลี่ยนแปลงเมื่อเทียบกับสัปดาห์ก่อนๆ"
        ),
        "symptom-record": Phrase(
            "It lies beyond all that was read here before.", "ค่าอยู่นอกช่วงที่เคยวัดได้ที่นี่ทั้งหมด"
        ),
        "parted-more": Phrase(
            "Beside its neighbours it read {change} more than usual over the last day.",
            "ในหนึ่งวันที่ผ่านมาค่าสูงกว่าปกติ {change} เมื่อเทียบกับจุดใกล้เคียง",
        ),
        "parted-less": Phrase(
            "Beside its neighbours it read {change} less than usual over the last day.",
            "ในหนึ่งวันที่ผ่านมาค่าต่ำกว่าปกติ {change} เมื่อเทียบกับจุดใกล้เคียง",
        ),
        "parted-times": Phrase(
            "Beside its neighbours it read {factor} times what is usual over the last day.",
            "ในหนึ่งวันที่ผ่านมาค่าเป็น {factor} เท่าของปกติเมื่อเทียบกับจุดใกล้เคียง",
        ),
        "hours-before": Phrase(
            "At this hour of the {count} days before it read {low} to {high}.",
            "เวลาเดียวกันใน {count} วันก่อนหน้า วัดได้ {low} ถึง {high}",
        ),
        "confidence": Phrase(
            "How well the series is known: {percent} %.", "ความรู้เกี่ยวกับค่าปกติของจุดนี้: {percent} %"
        ),
        # how it stands
        "mark-flapping": Phrase(
            "It came and went so often that it stays until it has been quiet for a while.",
            "เกิดสลับหายบ่อยครั้ง จึงคงไว้จนกว่าจะสงบพอสมควร",
        ),
        "mark-folded": Phrase(
            "Very many alerts of this rule fire; this one is folded into one for all.",
            "กฎนี้แจ้งเตือนจำนวนมาก รายการนี้ถูกรวมไว้ในรายการเดียว",
        ),
        "mark-shadow": Phrase(
            "The rule is on trial: it tells nobody.", "กฎนี้อยู่ระหว่างทดลองใช้ ไม่มีการแจ้งผู้ใด"
        ),
        "mark-shelved": Phrase("It is shelved for a while.", "ถูกพักการแจ้งเตือนไว้ชั่วคราว"),
        "mark-stale": Phrase(
            "No data has come since; whether it goes on is not known.",
            "หลังจากนั้นไม่มีข้อมูลเข้ามา จึงไม่ทราบว่ายังเป็นอยู่หรือไม่",
        ),
        # the last readings
        "recent": Phrase(
            "The last {count} readings lay between {low} and {high}, the newest is {newest} "
            "({at}).",
            "ค่าล่าสุด {count} ค่าอยู่ระหว่าง {low} ถึง {high} ค่าสุดท้าย {newest} ({at})",
        ),
        "recent-none": Phrase("No readings of late.", "ช่วงนี้ไม่มีค่าที่วัดได้"),
        "flags-good": Phrase(
            "The quality tests object to none of them.", "ผ่านการตรวจคุณภาพข้อมูลทุกค่า"
        ),
        "flags-bad": Phrase(
            "The quality tests object to {count} of them ({flags}).",
            "ไม่ผ่านการตรวจคุณภาพ {count} ค่า ({flags})",
        ),
        "flag-fail": Phrase("{count} failed", "ไม่ผ่าน {count}"),
        "flag-missing": Phrase("{count} missing", "ขาดหาย {count}"),
        "flag-suspect": Phrase("{count} suspect", "น่าสงสัย {count}"),
        # around it
        "neighbour": Phrase(
            "{device} at {site}, {distance} km away, reads {value} ({at}).",
            "{device} ที่{site} ห่าง {distance} กม. วัดได้ {value} ({at})",
        ),
        "neighbour-here": Phrase(
            "{device}, at the same place, reads {value} ({at}).",
            "{device} ที่จุดเดียวกัน วัดได้ {value} ({at})",
        ),
        "neighbour-none": Phrase(
            "Nobody within {distance} km measures the same.", "ไม่มีจุดวัดค่าเดียวกันในระยะ {distance} กม."
        ),
        "rain": Phrase(
            "Rain at {site}, {distance} km away: {value} ({at}).",
            "ฝนที่{site} ห่าง {distance} กม.: {value} ({at})",
        ),
        "service": Phrase(
            "Work on {device}: {work}, from {at}.", "มีงานบำรุงรักษา {device}: {work} ตั้งแต่ {at}"
        ),
        "work-calibration": Phrase("calibration", "สอบเทียบ"),
        "work-cleaning": Phrase("cleaning", "ทำความสะอาด"),
        "work-deployment": Phrase("deployment", "ติดตั้ง"),
        "work-retrieval": Phrase("retrieval", "เก็บกลับ"),
        "other": Phrase(
            "Also at {site}: {name}, {severity}, since {since}.",
            "ที่{site} ยังมี: {name} ระดับ{severity} ตั้งแต่ {since}",
        ),
        # the standard behind it
        "standard": Phrase(
            "The limit is {title}, {value}: {source} ({date}).",
            "เกณฑ์อ้างอิง: {title} {value} ที่มา {source} ({date})",
        ),
        "source": Phrase("About the limit: {source}", "ที่มาของเกณฑ์: {source}"),
        "rule": Phrase("Rule {rule}, version {version}.", "กฎ {rule} รุ่น {version}"),
        # durations
        "days": Phrase("{count} d", "{count} วัน"),
        "hours": Phrase("{count} h", "{count} ชม."),
        "minutes": Phrase("{count} min", "{count} นาที"),
        "seconds": Phrase("{count} s", "{count} วินาที"),
    }
)
