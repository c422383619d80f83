"""Why an item was refused, in a sentence for people."""

from collections.abc import Mapping

from core.messages import Refusal

WORDS: Mapping[Refusal, tuple[str, str]] = {
    Refusal.CONFLICT: (
        "Another value is already stored for this device, parameter and time.",
        "มีค่าอื่นของอุปกรณ์ พารามิเตอร์ และเวลาเดียวกันนี้บันทึกไว้แล้ว",
    ),
    Refusal.INTERNAL_ERROR: (
        "Andaman failed on this message; the fault is ours.",
        "ระบบ Andaman ประมวลผลข้อความนี้ไม่สำเร็จ เป็นความผิดพลาดของระบบ",
    ),
    Refusal.MISSING: (
        "The gateway's counter says that this message was sent, but it never came.",
        "ตัวนับของเกตเวย์ระบุว่าส่งข้อความนี้แล้ว แต่ไม่เคยมาถึง",
    ),
    Refusal.NOT_A_NUMBER: (
        "A value is not a number, or too large for one.",
        "มีค่าที่ไม่ใช่ตัวเลข หรือเป็นตัวเลขที่ใหญ่เกินไป",
    ),
    Refusal.NOT_JSON: (
        "The message cannot be read: it is cut off, or of another format.",
        "อ่านข้อความไม่ได้ อาจขาดหายหรือเป็นรูปแบบอื่น",
    ),
    Refusal.QUOTA: (
        "Its gateway has begun as many new series, or devices, as it may in a day.",
        "เกตเวย์เริ่มชุดข้อมูลหรืออุปกรณ์ใหม่ครบจำนวนที่กำหนดต่อวันแล้ว",
    ),
    Refusal.RETAINED: (
        "The message had the retain flag, so it may be from any time.",
        "ข้อความถูกตั้งค่า retain ไว้ จึงอาจมาจากเวลาใดก็ได้",
    ),
    Refusal.TIME_IN_FUTURE: (
        "It says that it was measured later than it was received.",
        "เวลาที่วัดอยู่หลังเวลาที่ได้รับ",
    ),
    Refusal.TIME_INVALID: (
        "Its time cannot be read, or does not say its zone.",
        "อ่านเวลาไม่ได้ หรือไม่ระบุเขตเวลา",
    ),
    Refusal.TIME_TOO_OLD: (
        "It was measured too long before it was received.",
        "วัดไว้นานเกินไปก่อนที่จะได้รับ",
    ),
    Refusal.TOO_DEEP: (
        "The message is nested too deep to be read.",
        "ข้อความซ้อนกันลึกเกินกว่าจะอ่านได้",
    ),
    Refusal.TOO_LARGE: (
        "The message, or the number of its values, is too large.",
        "ข้อความใหญ่เกินไป หรือมีจำนวนค่ามากเกินไป",
    ),
    Refusal.UNKNOWN_DEVICE: (
        "The device is not registered.",
        "อุปกรณ์นี้ยังไม่ได้ลงทะเบียน",
    ),
    Refusal.UNKNOWN_PARAMETER: (
        "The parameter is neither in the catalogue nor in the device's profile.",
        "พารามิเตอร์นี้ไม่มีในรายการและไม่มีในโปรไฟล์ของอุปกรณ์",
    ),
    Refusal.UNKNOWN_PAYLOAD: (
        "The device's raw payload is of a form that its decoder does not know.",
        "ข้อมูลดิบของอุปกรณ์เป็นรูปแบบที่ตัวถอดรหัสไม่รู้จัก",
    ),
    Refusal.UNKNOWN_TOPIC: (
        "No source takes messages of this topic.",
        "ไม่มีแหล่งข้อมูลใดรับข้อความจากหัวข้อนี้",
    ),
    Refusal.UNKNOWN_UNIT: (
        "The unit is not known, or cannot be converted.",
        "ไม่รู้จักหน่วยนี้ หรือแปลงหน่วยไม่ได้",
    ),
    Refusal.WRONG_GATEWAY: (
        "The device belongs to another gateway.",
        "อุปกรณ์นี้เป็นของเกตเวย์อื่น",
    ),
    Refusal.WRONG_SHAPE: (
        "The message does not have the form of its dialect.",
        "ข้อความไม่เป็นไปตามรูปแบบที่กำหนด",
    ),
}
