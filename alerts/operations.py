"""Alerts about the system itself: what no reading shows, found by those who run the parts.

A finding is a number that should be zero, by rule and subject. Its alert has the life of all
others; a finding that lasts says nothing new.
"""

from collections.abc import Container, Mapping
from types import MappingProxyType

from alerts.cases import Case, Draft, Key
from alerts.kinds.threshold import Threshold
from alerts.levels import Levels, Span
from alerts.lifecycle import Sample, step
from alerts.rules import Rule, Terms
from core.alerts import STORM, Severity

DEVICE_CLOCK = "device-clock"
GATEWAY_GAP = "gateway-gap"
NOTIFY_PAUSED = "notify-paused"
NOTIFY_STALLED = "notify-stalled"
SYSTEM_CERTIFICATE = "system-certificate"
SYSTEM_CLOCK = "system-clock"
SYSTEM_DISK = "system-disk"
SYSTEM_LAG = "system-lag"
SYSTEM_STALL = "system-stall"

_NOTHING = Span(0.0, 0.0)
_TERMS = Terms(levels=Levels(spans={Severity.WARNING: _NOTHING}, clear=_NOTHING))


def _rule(name: str, en: str, th: str) -> Rule:
    return Rule(id=name, version="1", name={"en": en, "th": th}, kind=Threshold(), terms=_TERMS)


# Every rule of operations, with its name in the languages of the officers.
OPERATIONS: Mapping[str, Rule] = MappingProxyType(
    {
        DEVICE_CLOCK: _rule(DEVICE_CLOCK, "The clock of a device is wrong", "นาฬิกาของอุปกรณ์ไม่ตรง"),
        GATEWAY_GAP: _rule(
            GATEWAY_GAP, "Messages of a gateway are missing", "ข้อความจากเกตเวย์ขาดหาย"
        ),
        NOTIFY_PAUSED: _rule(
            NOTIFY_PAUSED, "A way to tell people is closed", "ช่องทางแจ้งเตือนถูกระงับ"
        ),
        NOTIFY_STALLED: _rule(NOTIFY_STALLED, "Messages to people are stuck", "ข้อความแจ้งเตือนค้างส่ง"),
        SYSTEM_CERTIFICATE: _rule(
            SYSTEM_CERTIFICATE, "The broker's certificate ends soon", "ใบรับรองของโบรกเกอร์ใกล้หมดอายุ"
        ),
        SYSTEM_CLOCK: _rule(SYSTEM_CLOCK, "The clock of Andaman was set", "นาฬิกาของระบบถูกปรับ"),
        SYSTEM_DISK: _rule(SYSTEM_DISK, "The disk of Andaman is nearly full", "ดิสก์ของระบบใกล้เต็ม"),
        SYSTEM_LAG: _rule(SYSTEM_LAG, "InfluxDB takes no points", "InfluxDB ไม่รับข้อมูล"),
        SYSTEM_STALL: _rule(
            SYSTEM_STALL, "Nothing is heard from the broker", "ระบบหยุดรับข้อความจากโบรกเกอร์"
        ),
    }
)


class OperationsJudge:
    """Judges what is found wrong with the system."""

    def __init__(self) -> None:
        self._cases: dict[Key, Case] = {}

    def case(self, key: Key) -> Case | None:
        """The case that the ledger calls so; None when the rule is none of ours."""
        rule = OPERATIONS.get(key[0])
        if rule is None or key[1] == STORM:
            return None
        if key not in self._cases:
            self._cases[key] = Case(rule=rule, subject=key[1], site="", terms=rule.terms)
        return self._cases[key]

    def judge(
        self,
        rule: str,
        found: Mapping[str, float],
        undecided: Container[str],
        now: tuple[int, int],
        draft: Draft,
    ) -> None:
        """Of `rule` exactly the subjects in `found` are wrong `now` (µs of the clock, and the
        moment), and of those in `undecided` nothing is known.
        """
        for subject in found:
            self.case((rule, subject))
        for key, case in self._cases.items():
            if key[0] == rule and key[1] not in undecided:
                self._judge(case, Sample(*now, found.get(key[1], 0.0)), draft)

    def _judge(self, case: Case, sample: Sample, draft: Draft) -> None:
        watch, wrong = draft.watch(case), bool(sample.value)
        lasting = watch is not None and not watch.idle and watch.clear_since is None
        if wrong is not lasting:
            draft.try_out(case, lambda: draft.keep(case, *step(watch, case.terms, sample)))
