"""What the rules mean, said slowly: decision records 004 and 017, one input at a time.

It shares no line with `alerts/`. Whatever can be found out is found out anew each time, from all
that was ever heard: nothing is indexed, no timer is set, no memory is bounded.
"""

from collections.abc import Callable, Sequence
from itertools import count
from math import inf
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.reference.asked import FLAGS, MINUTE, Asked, Entry, duration, span
from tests.reference.case import GRACE, Case, Said

Input = Callable[[int], None]  # takes the moment


class Place(NamedTuple):
    """Where a device stands and since when, behind which gateway, how often it should report (µs, 0
    where nobody knows) and since when it is registered.
    """

    device: str
    gateway: str
    site: str
    kind: str
    district: str
    interval: int
    registered: int
    since: int = -(2**62)


class Heard(NamedTuple):
    """A reading as it came."""

    device: str
    parameter: str
    measured_at: int
    value: float
    flag: int


class Model:
    """All rules over all places. Inputs come in order of time, each at a moment of its own."""

    def __init__(
        self, entries: Sequence[Entry], places: Sequence[Place], lateness: int, zone: ZoneInfo
    ) -> None:
        self.entries = {entry["id"]: entry for entry in entries}
        self.places = {place.device: place for place in places}
        self.lateness = lateness
        self.zone = zone
        self.said: list[Said] = []  # all of it, in order
        self.cases: dict[tuple[str, str], Case] = {}
        self.newest: dict[tuple[str, str], tuple[Heard, int]] = {}  # and when it was received
        self.resumptions: list[tuple[int, int]] = []
        self.signs: dict[str, int] = {}  # the moment of the last sign of life, by subject
        self.storms: dict[str, Case] = {}
        self.folded: dict[str, list[str]] = {}
        self.firing: dict[tuple[str, str], Case] = {}
        self.numbers = count(1)
        self.last = 0  # moment

    # --- inputs ---

    def receive(self, readings: Sequence[Heard], now: int) -> None:
        """The readings of one message."""

        def judge(moment: int) -> None:
            for reading in readings:
                self._take(reading, now, moment)

        self._at(now, judge)

    def hear_status(self, gateway: str, now: int, *, online: bool) -> None:
        """A status of a gateway that says something new."""
        self._at(now, lambda moment: self._live(f"gateway/{gateway}", now, moment, online=online))

    def tick(self, now: int) -> None:
        """Time passes."""
        self._at(now, lambda _: None)

    def resume(self, since: int, at: int) -> None:
        """Nothing could be heard from `since`, when something came in last, until `at`."""
        self.resumptions.append((since, at))
        if len(self.resumptions) == 1:
            self._attend()
        for case in self.cases.values():  # a registration to come has another moment now
            if case.entry["kind"] == "missing" and case.subject not in self.signs:
                begins = self._begins(case.subject)
                if begins >= self.last:
                    self._await(case, begins)

    def act(self, kind: str, alert: int, now: int, until: int | None = None) -> None:
        """What an officer does to an alert, which must be the last of its rule and subject."""
        case = next((case for case in self._all() if case.alert == alert), None)

        def do(moment: int) -> None:
            if case is not None and case.alert == alert:
                case.act(kind, now, moment, until)

        self._at(now, do, case.depth if case else 0)

    def change(
        self, now: int, entries: Sequence[Entry] | None = None, places: Sequence[Place] = ()
    ) -> None:
        """Rules are others now, or devices stand elsewhere."""
        after = self.entries if entries is None else {entry["id"]: entry for entry in entries}
        moved = {place.device for place in places if place.site != self.places[place.device].site}
        gone: list[Case] = []

        def end(moment: int, depth: int) -> None:
            for case in self._of_depth(depth):
                why = self._misfit(case, after, moved)
                if why and case.subject != "storm":  # that ends with the last that is folded
                    if case.is_open:
                        case.end(why, now, moment)
                    gone.append(case)

        self._pass(now, end)
        for case in gone:
            del self.cases[case.entry["id"], case.subject]
        self.storms = {
            rule: c for rule, c in self.storms.items() if not self._misfit(c, after, set())
        }
        self.entries = after
        self.places |= {place.device: place for place in places}
        self.last += 1  # what begins, begins after what ended
        self._attend()
        self._renew(now + 1)

    def _renew(self, now: int) -> None:
        """New composites see at once what holds already."""
        self._pass(now, lambda moment, depth: self._recount_all(now, moment, depth))

    def _recount_all(self, now: int, moment: int, depth: int) -> None:
        for entry in self.entries.values():
            if entry["kind"] == "composite" and self._depth(entry["id"]) == depth:
                for operand in list(self.cases.values()):
                    if operand.entry["id"] in entry["of"] and operand.state == "firing":
                        self._over(entry, operand)
        for case in self._of_depth(depth):
            if case.entry["kind"] == "composite" and case.subject != "storm":
                self._judge_number(case, now, moment)

    def _misfit(self, case: Case, after: dict[str, Entry], moved: set[str]) -> str:
        """Why the case is no more."""
        entry = after.get(case.entry["id"])
        if entry is None:
            return "rule-removed"
        if meaning(entry) != meaning(case.entry):
            return "rule-changed"
        return "device-moved" if case.device in moved else ""

    # --- time ---

    def _moment(self, at: int) -> int:
        """Listening time: what the clock says, less all deafness until then."""
        return at - sum(min(end, at) - since for since, end in self.resumptions if since < at)

    @property
    def _deaf(self) -> int:
        return sum(end - since for since, end in self.resumptions)

    def _at(self, now: int, do: Input, depth: int = 0) -> None:
        """Something comes in, of cases of that depth."""
        self._pass(now, lambda moment, here: do(moment) if here == depth else None)

    def _pass(self, now: int, do: Callable[[int, int], None]) -> None:
        """Time passes, and then something happens at each depth."""
        moment = self._moment(now)
        while (due := self._due()) < moment:
            self.last = max(self.last, int(due))
            self._one(self.last, lambda *_: None)
        self.last = moment
        self._one(moment, do)

    def _due(self) -> float:
        """The first moment at which something comes by itself."""
        found = [due.moment for case in self._all() for due in case.due(self._deaf)]
        return min(found, default=inf)

    def _one(self, moment: int, do: Callable[[int, int], None]) -> None:
        """All of one moment: what comes by itself, what came in, and the composites of both."""
        told: list[tuple[int, Said]] = []
        for depth in range(1 + max(map(self._depth, self.entries), default=0)):
            for case in self._of_depth(depth):
                case.let_pass(moment, self._deaf)
            self._recount(moment, depth, [said for _, said in told])
            do(moment, depth)
            told += [(depth, said) for case in self._of_depth(depth) for said in case.taken()]
        told.sort(key=lambda one: (one[1].subject == "storm", one[0], one[1].rule, one[1].subject))
        for _, said in told:
            self._fold(said)

    def _all(self) -> list[Case]:
        return [*self.cases.values(), *self.storms.values()]

    def _of_depth(self, depth: int) -> list[Case]:
        return [case for case in self._all() if case.depth == depth]

    def _depth(self, rule: str) -> int:
        """How far above rules about readings and silence it stands."""
        entry = self.entries[rule]
        if entry["kind"] != "composite":
            return 0
        return 1 + max((self._depth(one) for one in entry["of"] if one in self.entries), default=0)

    # --- readings ---

    def _take(self, reading: Heard, now: int, moment: int) -> None:
        before = self.newest.get((reading.device, reading.parameter))
        fresh = before is None or reading.measured_at > before[0].measured_at
        for entry in self.entries.values():
            if self._watches(entry, reading):
                case = self._series_case(entry, reading)
                if self._counts(entry, reading, now):
                    if fresh:
                        case.hear(reading.measured_at, moment, _value(case, reading))
                    else:
                        self._take_old(case, reading, moment)
        if fresh:
            self.newest[reading.device, reading.parameter] = reading, now
            self._live(reading.device, now, moment)
            self._live(f"gateway/{self.places[reading.device].gateway}", now, moment)

    def _take_old(self, case: Case, reading: Heard, moment: int) -> None:
        """One out of order opens an alert where nothing goes on; then the newest speaks again."""
        plain = case.entry["kind"] == "threshold" and not case.asked.hold
        newest, received = self.newest[reading.device, reading.parameter]
        again = self._counts(case.entry, newest, received)
        closes = case.asked.closes(reading.measured_at)
        in_force = closes > (newest.measured_at if again else reading.measured_at)
        if plain and case.state == "calm" and case.asked.breached(reading.value) and in_force:
            case.hear(reading.measured_at, moment, reading.value)
            if again:
                case.hear(newest.measured_at, moment, newest.value)

    def _watches(self, entry: Entry, reading: Heard) -> bool:
        if entry["kind"] in {"missing", "composite"}:
            return False
        if entry.get("parameter", reading.parameter) != reading.parameter:
            return False
        return _selects(entry, self.places[reading.device])

    def _counts(self, entry: Entry, reading: Heard, received: int) -> bool:
        usual = FLAGS if entry["kind"] == "fault" else ["good", "not-evaluated"]
        flags = [FLAGS[name] for name in entry.get("flags", usual)]
        return (
            reading.flag in flags
            and received - reading.measured_at <= self.lateness
            and reading.measured_at >= self.places[reading.device].since
        )

    def _series_case(self, entry: Entry, reading: Heard) -> Case:
        place = self.places[reading.device]
        stale = max(3 * place.interval, 10 * MINUTE) if place.interval else inf
        if "stale_after" in entry:
            stale = duration(entry["stale_after"])
        return self._case(entry, f"{reading.device}/{reading.parameter}", place.site, stale, place)

    # --- silence ---

    def _attend(self) -> None:
        """Listen to every device and gateway that a rule watches, from when we first listened or it
        was registered.
        """
        for entry in self.entries.values():
            if entry["kind"] == "missing":
                for place in self.places.values():
                    self._listen(entry, place)

    def _listen(self, entry: Entry, place: Place) -> None:
        gateway = entry.get("of") == "gateway"
        subject = f"gateway/{place.gateway}" if gateway else place.device
        if self._interval(entry, subject) and self.resumptions and _selects(entry, place):
            fresh = (entry["id"], subject) not in self.cases
            site = "" if gateway else place.site
            case = self._case(entry, subject, site, inf, None if gateway else place)
            if fresh:
                self._await(case, self.signs.get(subject, self._begins(subject)))

    def _begins(self, subject: str) -> int:
        """The moment since which one that was never heard is listened to."""
        return min(
            self._moment(max(self.resumptions[0][1], place.registered))
            for place in self.places.values()
            if subject in {place.device, f"gateway/{place.gateway}"}
        )

    def _live(self, subject: str, now: int, moment: int, *, online: bool = True) -> None:
        """A sign of life."""
        self.signs[subject] = moment
        for case in self.cases.values():
            if case.entry["kind"] == "missing" and case.subject == subject:
                self._await(case, moment)
                gone = self._breach(case, min(case.asked.levels))
                case.hear(now, moment, 0.0 if online else gone)

    def _await(self, case: Case, moment: int) -> None:
        """The breaches that come when nothing more is heard."""
        interval = self._interval(case.entry, case.subject)
        breaches = [
            moment + round(high * interval) + GRACE
            for _, (_, high) in sorted(case.asked.levels.items())
        ]
        # What was breached before anybody asked is heard when somebody does.
        heard = sorted({max(breach, self.last) for breach in breaches})
        case.silences = [(breach, (breach - moment) / interval) for breach in heard]

    def _breach(self, case: Case, severity: int) -> float:
        """The silence, in intervals, with which a severity is breached."""
        interval = self._interval(case.entry, case.subject)
        return (round(case.asked.levels[severity][1] * interval) + GRACE) / interval

    def _interval(self, entry: Entry, subject: str) -> int:
        """How often it should be heard: a gateway as often as the most eager of its devices."""
        known = [
            place.interval
            for place in self.places.values()
            if subject in {place.device, f"gateway/{place.gateway}"} and place.interval
        ]
        return min(known, default=duration(entry.get("every", "0s")))

    # --- composites ---

    def _recount(self, moment: int, depth: int, told: list[Said]) -> None:
        """Composites whose number is another than before are judged."""
        touched: dict[tuple[str, str], int] = {}
        for said in told:
            if (said.before == "firing") != (said.after == "firing") and said.subject != "storm":
                operand = self.cases[said.rule, said.subject]
                for entry in self.entries.values():
                    if entry["kind"] == "composite" and said.rule in entry["of"]:
                        case = self._over(entry, operand)
                        if case is not None and case.depth == depth:
                            key = (entry["id"], case.subject)
                            touched[key] = max(touched.get(key, said.at), said.at)
        for key, at in touched.items():
            self._judge_number(self.cases[key], at, moment)

    def _judge_number(self, case: Case, at: int, moment: int) -> None:
        number = self._holding(case)
        if number != case.number:
            case.number = number
            before = 0 if case.state == "calm" else case.measured
            case.hear(max(at, before), moment, float(number))

    def _holding(self, case: Case) -> int:
        """How many operands hold there, or at how many sites one does."""
        entry = case.entry
        by_site = entry.get("over") in {"district", "city"} and isinstance(entry["need"], int)
        held = [
            operand
            for operand in list(self.cases.values())
            if operand.state == "firing"
            and operand.entry["id"] in entry["of"]
            and self._over(entry, operand) is case
        ]
        if by_site:
            return len({operand.site for operand in held if operand.site})
        return len({operand.entry["id"] for operand in held})

    def _over(self, entry: Entry, operand: Case) -> Case | None:
        """The composite's case that an operand's case belongs to."""
        over = entry.get("over", "site")
        site = operand.site if over in {"site", "device"} else ""
        place = next((p for p in self.places.values() if p.site == operand.site), None)
        subject = {
            "device": operand.device,
            "site": f"site/{operand.site}" if operand.site else "",
            "district": f"district/{place.district}" if place else "",
            "city": "city",
        }[over]
        device = self.places.get(operand.device) if over == "device" else None
        return self._case(entry, subject, site, inf, device) if subject else None

    # --- storms ---

    def _fold(self, said: Said) -> None:
        """What is told is told in order, and folded where too much of a rule fires."""
        key, rule = (said.rule, said.subject), said.rule
        if said.subject == "storm":
            self.said.append(said)
            return
        folded = self.folded.setdefault(rule, [])
        case = self.cases[key]
        if said.after == "firing" and key not in self.firing:
            plain = [k for k in self.firing if k[0] == rule and k[1] not in folded]
            self.firing[key] = case
            if len(plain) >= self.entries[rule].get("storm", 50):
                folded.append(said.subject)
                self._mark(said, case)
                self._grow(rule, said)
                return
        if said.subject not in folded:
            if said.after != "firing":
                self.firing.pop(key, None)
            self.said.append(said)
            return
        self._mark(said, case)
        if said.after != "firing":
            self.firing.pop(key)
            folded.remove(said.subject)
        self._grow(rule, said)

    def _mark(self, said: Said, case: Case) -> None:
        marks = tuple(sorted((*said.marks, "folded")))
        self.said.append(said._replace(marks=marks))

    def _grow(self, rule: str, said: Said) -> None:
        """The storm of a rule follows those that are folded into it."""
        asked = Asked(self.entries[rule], "", self.zone)
        storm = self.storms.setdefault(
            rule, Case(self.entries[rule], "storm", "", asked, inf, self.numbers)
        )
        if not self.folded[rule]:
            if storm.is_open:
                storm.end("storm-over", said.at, self.last)
            storm.state = "calm"
        elif storm.state == "calm":
            storm.alert, storm.state = next(self.numbers), "none"
            storm.severity, storm.since, storm.value = said.severity, said.at, 1.0
            storm.say("firing", "storm-began", said.at)
        elif storm.state == "firing":
            storm.value += said.before != "firing"
            if said.after == "firing" and said.severity > storm.severity:
                storm.severity = said.severity
                storm.say("firing", "worsened", said.at)
        self.said += storm.taken()

    # --- cases ---

    def _case(
        self, entry: Entry, subject: str, site: str, stale: float, place: Place | None
    ) -> Case:
        key = (entry["id"], subject)
        if key not in self.cases:
            self.cases[key] = Case(
                entry,
                subject,
                site,
                Asked(entry, site, self.zone),
                stale,
                self.numbers,
                device=place.device if place else "",
                depth=self._depth(entry["id"]),
            )
        return self.cases[key]


def meaning(entry: Entry) -> Any:
    """What makes another version of a rule."""
    return {k: v for k, v in entry.items() if k not in {"name", "source", "inhibited_by"}}


def _selects(entry: Entry, place: Place) -> bool:
    """Whether the rule watches there; what is given must all match."""
    asked = entry.get("select", {})
    return (
        place.kind in asked.get("kinds", [place.kind])
        and place.site in asked.get("sites", [place.site])
        and place.device in asked.get("devices", [place.device])
    )


def _value(case: Case, reading: Heard) -> float | None:
    """What the rule's kind makes of a reading, with all those before."""
    match case.entry["kind"]:
        case "rate":
            return _rate(case, reading)
        case "count":
            ((side, level),) = case.entry["breach"].items()
            low, high = span(side, level)
            return _count(case, reading, bad=not low <= reading.value <= high)
        case "fault":
            return _count(case, reading, bad=reading.flag in {FLAGS["suspect"], FLAGS["fail"]})
    return reading.value


def _rate(case: Case, reading: Heard) -> float | None:
    window = duration(case.entry["window"])
    bucket = reading.measured_at // (window // 6)
    if bucket not in {at // (window // 6) for at, _ in case.points}:
        case.points.append((reading.measured_at, reading.value))
    at, value = min(point for point in case.points if reading.measured_at - point[0] <= window)
    lasted = reading.measured_at - at
    if lasted * 2 < window:
        return None
    per = MINUTE if case.entry["per"] == "minute" else 60 * MINUTE
    return (reading.value - value) * per / lasted


def _count(case: Case, reading: Heard, *, bad: bool) -> float:
    entry = case.entry
    case.counted.append((reading.measured_at, bad))
    if "of" in entry:
        recent = case.counted[-entry["of"] :]
    else:
        within = duration(entry["within"])
        recent = [one for one in case.counted if reading.measured_at - one[0] < within]
    return float(min(sum(bad for _, bad in recent), max(entry["times"].values())))
