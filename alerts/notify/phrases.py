"""The sentences of messages, in both languages of those who get them: the one place where they
stand.

Both texts of a phrase name the same values in braces. Pure.
"""

from collections.abc import Mapping
from types import MappingProxyType

from alerts.phrases import Phrase

PHRASES: Mapping[str, Phrase] = MappingProxyType(
    {
        # the title of a message
        "title": Phrase("{severity}: {what}", "{severity}: {what}"),
        "title-over": Phrase("All clear: {what}", "กลับสู่ปกติ: {what}"),
        "title-ended": Phrase("Ended: {what}", "สิ้นสุด: {what}"),
        "title-digest": Phrase("Summary: {what}", "สรุป: {what}"),
        "title-escalation": Phrase("Nobody has taken it on – {rest}", "ยังไม่มีผู้รับเรื่อง – {rest}"),
        "title-new-in-group": Phrase("New – {rest}", "เพิ่มเติม – {rest}"),
        "title-repeat": Phrase("Still – {rest}", "ยังไม่สิ้นสุด – {rest}"),
        "title-severity-up": Phrase("Worse – {rest}", "รุนแรงขึ้น – {rest}"),
        "title-confirm": Phrase("Confirm that you want to be told", "โปรดยืนยันการรับการแจ้งเตือน"),
        "title-test": Phrase("Test message", "ข้อความทดสอบ"),
        "title-heartbeat": Phrase("Daily self-test", "การทดสอบระบบประจำวัน"),
        "title-nothing": Phrase("No alerts", "ไม่มีการแจ้งเตือน"),
        # what it is about
        "one": Phrase("{rule}, {place}", "{rule} {place}"),
        "one-nowhere": Phrase("{rule}", "{rule}"),
        "many-here": Phrase("{count} alerts, {place}", "{count} รายการ {place}"),
        "many-of-rule": Phrase("{rule} in {count} places", "{rule} {count} แห่ง"),
        "many": Phrase("{count} alerts in {places} places", "{count} รายการ ใน {places} แห่ง"),
        # why it comes now
        "why-first": Phrase("A new alert.", "การแจ้งเตือนใหม่"),
        "why-new-in-group": Phrase(
            "More has been added to what you were told.", "มีรายการเพิ่มเติมจากที่แจ้งไปแล้ว"
        ),
        "why-severity-up": Phrase("It has become worse.", "สถานการณ์รุนแรงขึ้น"),
        "why-resolved": Phrase("It is over.", "สถานการณ์สิ้นสุดแล้ว"),
        "why-repeat": Phrase(
            "A reminder: it goes on, and nobody has taken it on yet.",
            "แจ้งเตือนซ้ำ: ยังไม่สิ้นสุดและยังไม่มีผู้รับเรื่อง",
        ),
        "why-escalation": Phrase(
            "Nobody has acknowledged it in time: {level} is told now.",
            "ไม่มีผู้รับเรื่องภายในเวลาที่กำหนด จึงแจ้งถึงระดับ {level}",
        ),
        "why-digest": Phrase(
            "What happened in the meantime, in one message.", "สรุปเหตุการณ์ที่ผ่านมาในข้อความเดียว"
        ),
        "why-confirm": Phrase(
            "Somebody, probably you, asked Andaman to send alerts to this address. Only with the "
            "link below do they come; it is good for two days. If it was not you, do nothing.",
            "มีผู้ขอรับการแจ้งเตือนจาก Andaman ด้วยอีเมลนี้ หากเป็นท่าน โปรดกดลิงก์ด้านล่างภายใน 2 วัน "
            "หากไม่ใช่ท่าน ไม่ต้องทำอะไร",
        ),
        "why-test": Phrase(
            "Somebody asked for this test. Messages to you arrive.",
            "ข้อความนี้ส่งเพื่อทดสอบ ท่านได้รับข้อความตามปกติ",
        ),
        "why-heartbeat": Phrase(
            "Andaman runs and its messages arrive. You get this once a day.",
            "ระบบทำงานและส่งข้อความได้ตามปกติ ข้อความนี้ส่งวันละครั้ง",
        ),
        # one alert, in a line
        "line": Phrase(
            "{severity}: {what} – {measure}; {when}", "{severity}: {what} – {measure} {when}"
        ),
        "standing-over": Phrase("All clear", "กลับสู่ปกติ"),
        "standing-ended": Phrase("Ended", "สิ้นสุด"),
        "since": Phrase("since {since} ({duration})", "ตั้งแต่ {since} ({duration})"),
        "lasted": Phrase(
            "from {since} to {until} ({duration})", "ตั้งแต่ {since} ถึง {until} ({duration})"
        ),
        "counts": Phrase("{firing} ongoing, {over} over", "กำลังเกิด {firing} สิ้นสุด {over}"),
        # the value against the limit
        "measure-above": Phrase(
            "{parameter} {value}, above the limit of {level}",
            "{parameter} {value} สูงกว่าเกณฑ์ {level}",
        ),
        "measure-below": Phrase(
            "{parameter} {value}, below the limit of {level}",
            "{parameter} {value} ต่ำกว่าเกณฑ์ {level}",
        ),
        "measure-within": Phrase(
            "{parameter} {value} (limit {level})", "{parameter} {value} (เกณฑ์ {level})"
        ),
        "measure-rate": Phrase(
            "{parameter} changes by {value} per {per} (limit {level})",
            "{parameter} เปลี่ยน {value} ต่อ{per} (เกณฑ์ {level})",
        ),
        "measure-count": Phrase(
            "{parameter} out of range {value} times (limit {level})",
            "{parameter} ออกนอกช่วง {value} ครั้ง (เกณฑ์ {level})",
        ),
        "measure-fault": Phrase(
            "{parameter}: {value} of its last readings are in doubt (limit {level})",
            "{parameter}: ค่าล่าสุดน่าสงสัย {value} ค่า (เกณฑ์ {level} ค่า)",
        ),
        "measure-anomaly": Phrase(
            "{parameter} is unlike itself, as about once in {months} months",
            "{parameter} ผิดไปจากปกติ ระดับที่พบราว {months} เดือนต่อครั้ง",
        ),
        "measure-neighbours": Phrase(
            "{parameter} has left its neighbours, by {value} of its usual spreads (limit {level})",
            "{parameter} ต่างไปจากจุดใกล้เคียง {value} เท่าของความต่างปกติ (เกณฑ์ {level} เท่า)",
        ),
        "measure-missing": Phrase(
            "nothing heard of {name} for {value} intervals (limit {level})",
            "ไม่ได้รับข้อมูลจาก {name} {value} รอบ (เกณฑ์ {level} รอบ)",
        ),
        "measure-heard": Phrase("{name} is heard again", "ได้รับข้อมูลจาก {name} อีกครั้งแล้ว"),
        "measure-composite": Phrase(
            "{value} of its conditions hold (limit {level})",
            "เข้าเงื่อนไข {value} ข้อ (เกณฑ์ {level} ข้อ)",
        ),
        "measure-device-clock-above": Phrase(
            "the clock of {name} is {offset} behind", "นาฬิกาของ {name} ช้าไป {offset}"
        ),
        "measure-device-clock-below": Phrase(
            "the clock of {name} is {offset} ahead", "นาฬิกาของ {name} เร็วไป {offset}"
        ),
        "measure-gateway-gap": Phrase(
            "{value} messages of {name} have not come", "ข้อความจาก {name} ยังมาไม่ถึง {value} ข้อความ"
        ),
        "measure-notify-paused": Phrase(
            "nothing goes out by {name}, its server refuses us",
            "หยุดส่งทาง {name} เพราะเซิร์ฟเวอร์ปฏิเสธเรา",
        ),
        "measure-notify-stalled": Phrase(
            "messages by {name} have waited for {value} minutes",
            "ข้อความทาง {name} ค้างส่งมาแล้ว {value} นาที",
        ),
        "measure-folded": Phrase(
            "{count} more at the same time, told as one",
            "อีก {count} รายการในเวลาเดียวกัน รวมแจ้งครั้งเดียว",
        ),
        "measure-else": Phrase("{name}: {value}", "{name}: {value}"),
        "measure-well": Phrase("{name}: well again", "{name}: เป็นปกติแล้ว"),
        # how it ended, where it did not end by itself
        "ended-by-hand": Phrase("closed by an officer", "เจ้าหน้าที่ปิดเรื่องแล้ว"),
        "ended-event": Phrase("it is no fault of the sensor", "ไม่ใช่ความผิดปกติของอุปกรณ์"),
        "ended-device-moved": Phrase("the device was moved", "อุปกรณ์ถูกย้าย"),
        "ended-out-of-schedule": Phrase("the rule rests at this hour", "อยู่นอกเวลาของกฎ"),
        "ended-rule-changed": Phrase("the rule was changed", "กฎถูกแก้ไข"),
        "ended-rule-removed": Phrase("the rule was removed", "กฎถูกยกเลิก"),
        "ended-sensor-fault": Phrase(
            "it was the sensor, not the place", "เกิดจากอุปกรณ์ ไม่ใช่เหตุการณ์จริง"
        ),
        "ended-unclear": Phrase("it is unclear what it is", "ยังไม่ชัดเจนว่าเกิดจากอะไร"),
        # tags and buttons of a LINE message
        "tag-first": Phrase("New", "ใหม่"),
        "tag-new-in-group": Phrase("More", "เพิ่มเติม"),
        "tag-severity-up": Phrase("Worse", "รุนแรงขึ้น"),
        "tag-resolved": Phrase("Over", "สิ้นสุด"),
        "tag-repeat": Phrase("Reminder", "แจ้งซ้ำ"),
        "tag-escalation": Phrase("Nobody has taken it on", "ยังไม่มีผู้รับเรื่อง"),
        "tag-digest": Phrase("Summary", "สรุป"),
        "button-acknowledge": Phrase("Take it on", "รับเรื่อง"),
        "button-details": Phrase("Details", "ดูรายละเอียด"),
        "button-mute": Phrase("Quiet for a day", "พักแจ้งเตือน 1 วัน"),
        "taking-on": Phrase("I take it on: {what}", "ขอรับเรื่อง: {what}"),
        "more": Phrase("and {count} more", "และอีก {count} รายการ"),
        # around the alerts of a mail
        "mail-more": Phrase("{count} more", "อีก {count} รายการ"),
        "mail-rest": Phrase(
            "… and {count} more: the text of this mail names them all.",
            "… และอีก {count} รายการ ดูรายชื่อทั้งหมดได้ในส่วนข้อความของอีเมลนี้",
        ),
        "mail-confirm": Phrase("Confirm", "ยืนยัน"),
        "mail-all": Phrase("Show all details", "ดูรายละเอียดทั้งหมด"),
        "mail-as-of": Phrase("As of {time}", "ข้อมูล ณ {time}"),
        "mail-asked": Phrase(
            "You get this because you asked Andaman to tell you.",
            "ท่านได้รับอีเมลนี้เพราะสมัครรับการแจ้งเตือนจาก Andaman",
        ),
        "mail-named": Phrase(
            "You get this because your address is in the list “{receiver}” of Andaman.",
            "ท่านได้รับอีเมลนี้เพราะอยู่ในรายชื่อ “{receiver}” ของ Andaman",
        ),
        "mail-stop": Phrase("Unsubscribe", "ยกเลิกการรับแจ้งเตือน"),
        # what the chat answers
        "chat-welcome": Phrase(
            "Hello! I tell you when something is wrong with the sea, the air or the bins of your "
            "places. Which language do you want?",
            "สวัสดี ระบบจะแจ้งท่านเมื่อน้ำทะเล อากาศ หรือถังขยะในพื้นที่ของท่านมีสิ่งผิดปกติ ท่านต้องการใช้ภาษาใด",
        ),
        "chat-language": Phrase("We speak English.", "ใช้ภาษาไทย"),
        "chat-help": Phrase(
            "Type the name of a place to hear of it, or tap what you want. STOP ends all messages.",
            "พิมพ์ชื่อสถานที่เพื่อรับการแจ้งเตือน หรือแตะเลือกเมนู พิมพ์ หยุด เพื่อเลิกรับข้อความทั้งหมด",
        ),
        "chat-unknown": Phrase(
            "I do not know “{text}”. Type the name of a place, or tap what you want.",
            "ไม่พบ “{text}” โปรดพิมพ์ชื่อสถานที่ หรือแตะเลือกเมนู",
        ),
        "chat-which": Phrase("Which one?", "เลือกสถานที่"),
        "chat-add": Phrase(
            "Of what do you want to hear? Tap, or type the name of a place.",
            "ต้องการรับการแจ้งเตือนเรื่องใด แตะเลือก หรือพิมพ์ชื่อสถานที่",
        ),
        "chat-subscribed": Phrase(
            "You will hear of: {place} ({severity} or worse).",
            "ท่านจะได้รับการแจ้งเตือนของ {place} (ระดับ{severity}ขึ้นไป)",
        ),
        "chat-full": Phrase(
            "That is as many as I can remember. Choose less, such as all of one kind.",
            "รายการเต็มแล้ว โปรดลดรายการ เช่น เลือกทั้งประเภทแทน",
        ),
        "chat-unsubscribed": Phrase(
            "You hear no more of: {place}.", "ยกเลิกการแจ้งเตือนของ {place} แล้ว"
        ),
        "chat-list": Phrase(
            "You hear of ({severity} or worse):", "ท่านรับการแจ้งเตือนของ (ระดับ{severity}ขึ้นไป):"
        ),
        "chat-none": Phrase("You have not chosen anything yet.", "ท่านยังไม่ได้เลือกรายการใด"),
        "chat-quiet-is": Phrase(
            "Quiet hours: {start} to {end}.", "ช่วงเวลางดรบกวน: {start} ถึง {end}"
        ),
        "chat-quiet-none": Phrase("No quiet hours.", "ไม่มีช่วงเวลางดรบกวน"),
        "chat-quiet": Phrase(
            "When do you want quiet? What is critical comes all the same. Tap, or type "
            "“quiet 22:00-06:00”.",
            "ต้องการงดรบกวนเวลาใด การแจ้งเตือนวิกฤตยังส่งตามปกติ แตะเลือก หรือพิมพ์ “เงียบ 22:00-06:00”",
        ),
        "chat-severity": Phrase(
            "From which severity on do you want to hear?", "ต้องการรับการแจ้งเตือนตั้งแต่ระดับใด"
        ),
        "chat-severity-is": Phrase(
            "You hear of what is {severity} or worse.", "ท่านจะได้รับการแจ้งเตือนระดับ{severity}ขึ้นไป"
        ),
        "chat-muted": Phrase(
            "Quiet until {until}. Write START to hear of alerts again.",
            "พักการแจ้งเตือนถึง {until} พิมพ์ เริ่ม เพื่อรับอีกครั้ง",
        ),
        "chat-stopped": Phrase(
            "You get no more messages from us. Write START if you want them again.",
            "ยกเลิกการส่งข้อความทั้งหมดแล้ว พิมพ์ เริ่ม หากต้องการรับอีกครั้ง",
        ),
        "chat-started": Phrase("You get messages again.", "ท่านจะได้รับข้อความอีกครั้ง"),
        "chat-well": Phrase("All is well at your places.", "ทุกแห่งที่ท่านเลือกเป็นปกติ"),
        "chat-linked": Phrase(
            "Your account is linked to {owner}. You may take alerts on.",
            "เชื่อมบัญชีกับ {owner} แล้ว ท่านสามารถรับเรื่องได้",
        ),
        "chat-not-linked": Phrase(
            "That code is not good, or no more. Ask for another one.",
            "รหัสไม่ถูกต้องหรือหมดอายุ โปรดขอรหัสใหม่",
        ),
        "chat-officers": Phrase(
            "That is for officers. Ask for a code to link your account, and write it here.",
            "สำหรับเจ้าหน้าที่เท่านั้น โปรดขอรหัสเพื่อเชื่อมบัญชี แล้วพิมพ์รหัสที่นี่",
        ),
        "chat-acknowledged": Phrase("Noted: you have taken it on.", "บันทึกแล้ว: ท่านรับเรื่องนี้"),
        "chat-not-open": Phrase("The alert is over already.", "การแจ้งเตือนนี้สิ้นสุดแล้ว"),
        "chat-joined": Phrase(
            "This chat is {group}. Put that under line: in notify.yaml, and alerts come here.",
            "รหัสของห้องนี้คือ {group} ใส่ไว้ที่ line: ใน notify.yaml เพื่อรับการแจ้งเตือนในห้องนี้",
        ),
        # what can be tapped in the chat
        "tap-status": Phrase("Status", "สถานะ"),
        "tap-add": Phrase("Add a place", "เพิ่มสถานที่"),
        "tap-list": Phrase("My places", "รายการของฉัน"),
        "tap-severity": Phrase("Severity", "ระดับ"),
        "tap-quiet": Phrase("Quiet hours", "เวลางดรบกวน"),
        "tap-quiet-off": Phrase("No quiet hours", "ไม่งดรบกวน"),
        "tap-language": Phrase("ภาษาไทย (Thai)", "อังกฤษ (English)"),
        "tap-stop": Phrase("Stop", "หยุด"),
        "kind-air": Phrase("All air stations", "สถานีอากาศทั้งหมด"),
        "kind-all": Phrase("Everything", "ทุกอย่าง"),
        "kind-beach": Phrase("All beaches", "ชายหาดทั้งหมด"),
        "kind-bin": Phrase("All bins", "ถังขยะทั้งหมด"),
        "kind-weather": Phrase("All weather masts", "เสาวัดอากาศทั้งหมด"),
    }
)
