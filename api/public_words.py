"""What the public pages say, in both languages of those who read them: the one place for it."""

from collections.abc import Mapping
from types import MappingProxyType

from core.languages import Language

WORDS: Mapping[str, Mapping[Language, str]] = MappingProxyType(
    {
        "title": {
            "en": "Be told when something is wrong",
            "th": "รับการแจ้งเตือนเมื่อเกิดเหตุผิดปกติ",
        },
        "intro": {
            "en": "Sea, air and waste bins: choose what concerns you, and get one short mail when "
            "something is wrong, and another when it is over.",
            "th": "ทะเล อากาศ และถังขยะ เลือกเรื่องที่เกี่ยวกับท่าน แล้วรับอีเมลสั้น ๆ "
            "เมื่อเกิดเหตุผิดปกติ และเมื่อกลับสู่ปกติ",
        },
        "other-language": {"en": "ภาษาไทย", "th": "English"},
        "email": {"en": "Your mail address", "th": "อีเมลของท่าน"},
        "language": {"en": "Language of the messages", "th": "ภาษาของข้อความ"},
        "places": {"en": "What concerns you", "th": "เรื่องที่ต้องการทราบ"},
        "all": {"en": "Everything", "th": "ทุกเรื่อง"},
        "kinds": {"en": "All of a kind", "th": "ตามประเภท"},
        "districts": {"en": "A district", "th": "ตามพื้นที่"},
        "sites": {"en": "Single places", "th": "ตามสถานที่"},
        "severity": {"en": "From which severity on", "th": "ตั้งแต่ระดับ"},
        "info": {"en": "all that is worth knowing", "th": "ข้อมูลทั่วไปขึ้นไป"},
        "warning": {"en": "warnings and worse", "th": "ระดับเตือนขึ้นไป"},
        "critical": {"en": "only what is critical", "th": "เฉพาะระดับวิกฤต"},
        "quiet": {
            "en": "Quiet hours (critical alerts still come)",
            "th": "ช่วงเวลางดรบกวน (ระดับวิกฤตยังคงแจ้ง)",
        },
        "from": {"en": "from", "th": "ตั้งแต่"},
        "until": {"en": "until", "th": "ถึง"},
        "digest": {
            "en": "Once a day at this hour, but for critical alerts",
            "th": "สรุปวันละครั้งเวลานี้ ยกเว้นระดับวิกฤต",
        },
        "digest-hint": {
            "en": "Leave it empty to be told at once.",
            "th": "เว้นว่างไว้หากต้องการรับทันที",
        },
        "consent": {
            "en": "I agree that my mail address and these choices are kept to send me alerts, "
            "until I stop. Each mail has a link that stops all of them at once. Nothing is given "
            "to others, and all of it is deleted after I stop.",
            "th": "ข้าพเจ้ายินยอมให้เก็บอีเมลและตัวเลือกเหล่านี้เพื่อส่งการแจ้งเตือนจนกว่าจะเลิกรับ "
            "อีเมลทุกฉบับมีลิงก์สำหรับเลิกรับทันที ไม่มีการส่งต่อข้อมูลให้ผู้อื่น "
            "และข้อมูลจะถูกลบหลังจากเลิกรับ",
        },
        "send": {"en": "Sign up", "th": "สมัครรับการแจ้งเตือน"},
        "sent-title": {"en": "Look into your mailbox", "th": "โปรดตรวจสอบอีเมลของท่าน"},
        "sent": {
            "en": "If the address can be reached, there is a mail with a link to confirm it. The "
            "link is good for two days; without it nothing is sent.",
            "th": "หากอีเมลนี้รับข้อความได้ ท่านจะได้รับลิงก์สำหรับยืนยัน ลิงก์ใช้ได้ 2 วัน "
            "หากไม่ยืนยันจะไม่มีการส่งข้อความใด ๆ",
        },
        "confirm-title": {"en": "Confirm your address", "th": "ยืนยันอีเมลของท่าน"},
        "confirm": {
            "en": "One more click, and you are told of what you chose.",
            "th": "กดอีกครั้งเดียวเพื่อเริ่มรับการแจ้งเตือนที่ท่านเลือก",
        },
        "confirm-button": {"en": "Confirm", "th": "ยืนยัน"},
        "confirmed-title": {"en": "You are signed up", "th": "สมัครเรียบร้อยแล้ว"},
        "confirmed": {
            "en": "You get a message when something of what you chose is wrong.",
            "th": "ท่านจะได้รับข้อความเมื่อเกิดเหตุผิดปกติตามที่ท่านเลือก",
        },
        "stale-title": {"en": "This link is used or too old", "th": "ลิงก์นี้ถูกใช้แล้วหรือหมดอายุ"},
        "stale": {
            "en": "If you are signed up already, all is well. If not, sign up once more.",
            "th": "หากท่านยืนยันแล้ว ไม่ต้องทำอะไรเพิ่ม หากยัง โปรดสมัครอีกครั้ง",
        },
        "leave-title": {"en": "Stop all messages", "th": "เลิกรับข้อความทั้งหมด"},
        "leave": {
            "en": "Nothing more is sent to you, by mail or in LINE. You can sign up again later.",
            "th": "ท่านจะไม่ได้รับข้อความอีก ทั้งทางอีเมลและ LINE และสามารถสมัครใหม่ได้ทุกเมื่อ",
        },
        "leave-button": {"en": "Stop all messages", "th": "เลิกรับข้อความ"},
        "left-title": {"en": "Done", "th": "เรียบร้อยแล้ว"},
        "left": {
            "en": "Nothing more is sent to you. What we kept of you is deleted after some days.",
            "th": "ท่านจะไม่ได้รับข้อความอีก ข้อมูลของท่านจะถูกลบภายในเวลาที่กำหนด",
        },
        "back": {"en": "Sign up", "th": "ไปยังหน้าสมัคร"},
        "wrong": {"en": "Please correct this", "th": "โปรดแก้ไข"},
        "wrong-email": {
            "en": "The mail address is not complete, as in somchai@example.com.",
            "th": "อีเมลไม่ถูกต้อง ตัวอย่าง somchai@example.com",
        },
        "wrong-places": {
            "en": "Choose at least one thing that concerns you.",
            "th": "โปรดเลือกอย่างน้อยหนึ่งเรื่อง",
        },
        "wrong-quiet": {
            "en": "Quiet hours need a beginning and another end, or neither.",
            "th": "โปรดระบุเวลาเริ่มและเวลาสิ้นสุดที่ต่างกัน หรือเว้นว่างทั้งคู่",
        },
        "wrong-digest": {
            "en": "The hour of the digest is none.",
            "th": "เวลาของสรุปประจำวันไม่ถูกต้อง",
        },
        "wrong-consent": {
            "en": "Without your consent nothing may be kept.",
            "th": "หากไม่ยินยอม ระบบจะไม่สามารถเก็บข้อมูลได้",
        },
        "too-many": {
            "en": "Too many sign-ups from here; try again later.",
            "th": "มีการสมัครจากที่นี่มากเกินไป โปรดลองใหม่ภายหลัง",
        },
        "no-mail": {
            "en": "Mails cannot be sent from here yet.",
            "th": "ระบบยังไม่สามารถส่งอีเมลได้",
        },
        # kinds of sites
        "kind-air": {"en": "Air", "th": "คุณภาพอากาศ"},
        "kind-beach": {"en": "Beaches", "th": "ชายหาด"},
        "kind-bin": {"en": "Waste bins", "th": "ถังขยะ"},
        "kind-lab": {"en": "Laboratory", "th": "ห้องปฏิบัติการ"},
        "kind-weather": {"en": "Weather", "th": "สภาพอากาศ"},
    }
)


def words(name: str, language: Language) -> str:
    """The phrase in that language; a kind of site that has none is called as it is.

    >>> words("kind-bin", "en"), words("kind-canal", "th")
    ('Waste bins', 'canal')
    """
    found = WORDS.get(name)
    return name.removeprefix("kind-") if found is None else found[language]
