"""Why there is an alert, in words: facts → a text in Thai and one in English. Pure.

The facts were gathered by `storage.surroundings` and `api.explanation`; the sentences stand in
`alerts.phrases`. A fact that is not there leaves its sentence out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from alerts.anomaly.calendar import Clock
from alerts.anomaly.outlook import Outlook
from alerts.kinds.neighbours import Parting
from alerts.phrases import PHRASES
from alerts.speaking import Speaker, number
from alerts.standards import Limit
from alerts.verdict_words import summary
from core.alerts import STORM, Severity, State
from core.languages import LANGUAGES, Language
from core.readings import Flag
from core.surroundings import Names, Nearby, Reading, Surroundings
from core.times import SECOND
from core.verdicts import Verdict

_DIRECT = ("", "threshold")  # kinds that judge the value itself
_SIDED = ("device-clock",)  # kinds with words of their own for above and below


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What is to be told of a rule; `kind` is empty where nothing is known of it, and for alerts
    about the system the rule's own name.
    """

    name: Names
    kind: str = ""
    per: str = ""  # hour or minute, of a rate
    clock: Clock | None = None  # of an anomaly
    source: str = ""
    standards: Sequence[Limit] = ()
    of: Sequence[str] = ()  # the operands of a composite


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known about an alert; times in µs, values in `unit`.

    `until` is when it ended, or now. `level` and `clear` are those on `side` of the severity it
    has; None where the alert has no such thing.
    """

    rule: str
    version: str
    about: RuleFacts
    subject: str
    device: str
    site: Names
    parameter: Names
    unit: str
    state: State
    severity: Severity
    value: float
    since: int
    until: int
    zone: ZoneInfo
    side: str = ""
    level: float | None = None
    clear: float | None = None
    marks: Sequence[str] = ()
    recent: Sequence[Reading] = ()
    outlook: Outlook | None = None  # of a rule of kind `anomaly`
    parting: Parting | None = None  # of a rule of kind `neighbours`
    before: Sequence[Reading] = ()  # at this hour of the days before
    around: Surroundings = field(default_factory=Surroundings)
    rules: Mapping[str, Names] = field(default_factory=dict)  # the names of others
    verdict: Verdict | None = None

    @property
    def measures(self) -> bool:
        """Whether its values are those of a quantity, not of a count."""
        return bool(self.parameter) and self.about.kind in {"rate", *_DIRECT}


def explain(facts: Facts) -> dict[Language, str]:
    """The explanation, a sentence a line."""
    return {language: "\n".join(_sentences(facts, language)) for language in LANGUAGES}


def _sentences(facts: Facts, language: Language) -> Iterator[str]:
    say = _Explainer(language, facts.zone, facts)
    yield say.head()
    yield say.what()
    yield say.how_long()
    yield from say.expected()
    yield from say.parted()
    if facts.state is not State.RESOLVED and facts.clear is not None and facts.measures:
        yield say(f"clear-{facts.side}", clear=say.of_alert(facts.clear))
    yield from (say(f"mark-{mark}") for mark in facts.marks)
    yield from say.verdict()
    yield from say.readings()
    yield from say.around()
    yield from say.behind()


@dataclass(frozen=True, slots=True)
class _Explainer(Speaker):
    """Says things about an alert in one language."""

    facts: Facts

    def __call__(self, phrase: str, **values: object) -> str:
        return self.say(PHRASES[phrase], **values)

    def head(self) -> str:
        facts = self.facts
        severity, state = self.severity(facts.severity), self(f"state-{facts.state}")
        return self("head", name=self.word(facts.about.name), severity=severity, state=state)

    def what(self) -> str:
        """The value against the limit."""
        facts = self.facts
        if facts.subject == STORM:
            return self("what-storm", value=self.of_alert(facts.value))
        if facts.level is None:
            return self("what-else", subject=facts.subject, value=self.of_alert(facts.value))
        said = {
            "device": facts.device,
            "site": self.word(facts.site),
            "parameter": self.word(facts.parameter),
            "subject": facts.subject,
            "name": facts.subject.partition("/")[2],
            "offset": self.duration(round(abs(facts.value) * SECOND)),
            "value": self.of_alert(facts.value),
            "months": number(round(abs(facts.value), 1)),
            "limit": number(round(abs(facts.level), 1)),
            "level": self.of_alert(facts.level),
            "margin": self.of_alert(abs(facts.value - facts.level)),
            "per": self(f"per-{facts.about.per or 'hour'}"),
        }
        kind = facts.about.kind
        if kind == "missing" and not facts.device:
            return self("what-missing-gateway", **said)
        phrase = facts.side if kind in _DIRECT else kind
        return self(f"what-{phrase}{'-' + facts.side if kind in _SIDED else ''}", **said)

    def how_long(self) -> str:
        phrase = "lasted" if self.facts.state is State.RESOLVED else "since"
        duration = self.duration(self.facts.until - self.facts.since)
        return self(phrase, since=self.time(self.facts.since), duration=duration)

    def verdict(self) -> Iterator[str]:
        """Whether it is the place or the sensor, and what speaks for that."""
        found = self.facts.verdict
        if found is not None:
            yield summary(found, self.language)
            yield from (self.word(evidence) for evidence in found.evidence)

    def expected(self) -> Iterator[str]:
        """What a series is usually like, where the rule goes by that."""
        outlook, facts = self.facts.outlook, self.facts
        if outlook is None:
            return
        low, high = (self.quantity(one, facts.unit) for one in (outlook.low, outlook.high))
        yield self("expected", low=low, high=high)
        if facts.recent:
            value = facts.recent[-1].value
            out = max(outlook.low - value, value - outlook.high)
            where = "beyond" if out > 0 else "inside"
            quantities = self.quantity(value, facts.unit), self.quantity(max(out, 0.0), facts.unit)
            yield self(f"expected-{where}", value=quantities[0], out=quantities[1])
        yield self(f"symptom-{outlook.symptom.name.lower()}")
        if facts.before:
            values = [reading.value for reading in facts.before]
            low, high = (self.quantity(one, facts.unit) for one in (min(values), max(values)))
            yield self("hours-before", count=len(values), low=low, high=high)
        yield self("confidence", percent=number(round(100 * outlook.confidence)))

    def parted(self) -> Iterator[str]:
        """How a series has left its neighbours, where the rule goes by that."""
        found = self.facts.parting
        if found is not None and found.is_factor:
            yield self("parted-times", factor=number(found.change))
        elif found is not None:
            more = "more" if found.change > 0 else "less"
            change = self.quantity(abs(found.change), self.facts.unit)
            yield self(f"parted-{more}", change=change)

    def readings(self) -> Iterator[str]:
        """Of the alert's own series."""
        recent, facts = self.facts.recent, self.facts
        if not facts.parameter:
            return
        if not recent:
            yield self("recent-none")
            return
        values = [reading.value for reading in recent]
        yield self(
            "recent",
            count=len(recent),
            low=self.quantity(min(values), facts.unit),
            high=self.quantity(max(values), facts.unit),
            newest=self.quantity(recent[-1].value, facts.unit),
            at=self.time(recent[-1].at),
        )
        bad = Counter(Flag(reading.flag) for reading in recent if reading.flag > Flag.NOT_EVALUATED)
        if not bad:
            yield self("flags-good")
            return
        flags = [self(f"flag-{flag.name.lower()}", count=bad[flag]) for flag in sorted(bad)]
        yield self("flags-bad", count=bad.total(), flags=", ".join(flags))

    def around(self) -> Iterator[str]:
        """What others read, and what else goes on nearby."""
        around = self.facts.around
        if self.facts.parameter and not around.neighbours:
            yield self("neighbour-none", distance=number(around.km))
        for near in around.neighbours:
            here = "neighbour-here" if near.km == 0 else "neighbour"
            yield self._nearby(here, near, self.facts.unit)
        yield from (self._nearby("rain", near, around.rain_unit) for near in around.rain)
        for work in around.works:
            at = self.time(work.start)
            yield self("service", device=work.device, work=self(f"work-{work.work}"), at=at)
        for other in around.others:
            yield self(
                "other",
                site=self.word(other.site),
                name=self.word(self.facts.rules.get(other.rule, {})) or other.rule,
                severity=self.severity(other.severity),
                since=self.time(other.since),
            )

    def behind(self) -> Iterator[str]:
        """The standard, or whatever else the limit comes from, and the rule."""
        about = self.facts.about
        for limit in about.standards:
            yield self(
                "standard",
                title=limit.title.model_dump()[self.language],
                value=self.quantity(limit.value, self.facts.unit),
                source=limit.source,
                date=limit.date,
            )
        if about.source:
            yield self("source", source=about.source)
        yield self("rule", rule=self.facts.rule, version=self.facts.version)

    def of_alert(self, value: float) -> str:
        """A number that the rule judged: a count has no unit."""
        return self.quantity(value, self.facts.unit if self.facts.measures else "")

    def _nearby(self, phrase: str, nearby: Nearby, unit: str) -> str:
        values = {
            "site": self.word(nearby.site),
            "device": nearby.device,
            "distance": number(round(nearby.km, 1)),
            "value": self.quantity(nearby.value, unit),
            "at": self.time(nearby.at),
        }
        return self(phrase, **values)
