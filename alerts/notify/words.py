"""What a notice says, in words: the same for every channel, which only lays it out. Pure.

A Speaker says in which language and by which clock; the sentences stand in `phrases`. Times in µs.
"""

from collections.abc import Sequence

from alerts import phrases as common
from alerts.notify.phrases import PHRASES
from alerts.speaking import Speaker, number
from alerts.verdict_words import summary
from core.alerts import BY_VERDICT, State
from core.notices import Notice, NoticeReason, Told
from core.times import SECOND
from core.verdicts import VerdictKind

_DIRECT = {"", "threshold"}  # kinds of rules that judge the value itself
_COUNTED = {
    "composite",
    "count",
    "fault",
    "rate",
}  # kinds whose value says something when it is over too
BESIDE_ALERTS = {NoticeReason.CONFIRM, NoticeReason.HEARTBEAT, NoticeReason.TEST}
_SAID_OF_REST = {
    NoticeReason.ESCALATION,
    NoticeReason.NEW,
    NoticeReason.REPEAT,
    NoticeReason.WORSENED,
}


def title(notice: Notice, speaker: Speaker) -> str:
    """The whole notice in one line: a mail's subject, a LINE message's alternative text."""
    if notice.reason in BESIDE_ALERTS:
        return speaker.say(PHRASES[f"title-{notice.reason}"])
    if not notice.alerts:
        return speaker.say(PHRASES["title-nothing"])
    subject = about(notice, speaker)
    if notice.reason is NoticeReason.DIGEST:
        return speaker.say(PHRASES["title-digest"], what=subject)
    if not firing(notice):
        over = "over" if all(map(is_all_clear, notice.alerts)) else "ended"
        return speaker.say(PHRASES[f"title-{over}"], what=subject)
    severity = capital(speaker.severity(notice.severity))
    rest = speaker.say(PHRASES["title"], severity=severity, what=subject)
    if notice.reason in _SAID_OF_REST:
        return speaker.say(PHRASES[f"title-{notice.reason}"], rest=rest)
    return rest


def about(notice: Notice, speaker: Speaker) -> str:
    """What the notice is about: one alert, or how many of what and where."""
    alerts, count = notice.alerts, len(notice.alerts)
    if count == 1:
        return what(alerts[0], speaker)
    places = {told.site or told.subject for told in alerts}
    if len(places) == 1 and alerts[0].site:
        here = place(alerts[0], speaker)
        return speaker.say(PHRASES["many-here"], count=number(count), place=here)
    if len({told.rule for told in alerts}) == 1:
        rule = _rule(alerts[0], speaker)
        return speaker.say(PHRASES["many-of-rule"], count=number(len(places)), rule=rule)
    return speaker.say(PHRASES["many"], count=number(count), places=number(len(places)))


def why(notice: Notice, speaker: Speaker) -> str:
    """Why people are told now, in a sentence."""
    return speaker.say(PHRASES[f"why-{notice.reason}"], level=notice.level)


def counts(notice: Notice, speaker: Speaker) -> str:
    """How many alerts go on, and how many are over."""
    going = len(firing(notice))
    return speaker.say(
        PHRASES["counts"], firing=number(going), over=number(len(notice.alerts) - going)
    )


def line(told: Told, speaker: Speaker, now: int) -> str:
    """One alert in a line, with all that matters."""
    said = speaker.say(
        PHRASES["line"],
        severity=standing(told, speaker),
        what=what(told, speaker),
        measure=measure(told, speaker),
        when=when(told, speaker, now),
    )
    return " ".join(filter(None, [said, verdict(told, speaker)]))


def standing(told: Told, speaker: Speaker) -> str:
    """How bad it is, or that it is over."""
    if told.state is not State.RESOLVED:
        return capital(speaker.severity(told.severity))
    over = "over" if is_all_clear(told) else "ended"
    return speaker.say(PHRASES[f"standing-{over}"])


def what(told: Told, speaker: Speaker) -> str:
    """What is wrong, and where."""
    rule, where = _rule(told, speaker), place(told, speaker)
    phrase = "one" if where else "one-nowhere"
    return speaker.say(PHRASES[phrase], rule=rule, place=where)


def place(told: Told, speaker: Speaker) -> str:
    """The name of the site, or what there is of it; empty where an alert has no place."""
    return speaker.word(told.site_name) or told.site or told.district


def measure(told: Told, speaker: Speaker) -> str:
    """The value against the limit, or why it ended where it did not end by itself."""
    over = told.state is State.RESOLVED
    if over and not is_all_clear(told):
        return speaker.say(PHRASES[_ended(told)])
    if told.folded:
        return speaker.say(PHRASES["measure-folded"], count=number(told.folded))
    unit = told.unit if told.kind_of_rule in {*_DIRECT, "rate"} else ""
    return speaker.say(
        PHRASES[f"measure-{_measured(told, over=over)}"],
        parameter=speaker.word(told.parameter_name),
        name=told.subject.partition("/")[2] or told.subject,
        offset=speaker.duration(round(abs(told.value) * SECOND)),
        value=speaker.quantity(told.value, unit),
        months=number(round(abs(told.value), 1)),
        level="" if told.level is None else speaker.quantity(told.level, unit),
        per=speaker.say(common.PHRASES[f"per-{told.per or 'hour'}"]),
    )


def verdict(told: Told, speaker: Speaker) -> str:
    """Whether it is the place or the sensor, and what speaks for that most; empty where nobody
    knows, or where it is over.
    """
    found = told.verdict
    if found is None or found.kind is VerdictKind.UNCLEAR or told.state is State.RESOLVED:
        return ""
    evidence = [speaker.word(one) for one in found.evidence[:1]]
    return " ".join([summary(found, speaker.language), *evidence])


def when(told: Told, speaker: Speaker, now: int) -> str:
    """Since when and for how long, or from when to when."""
    over = told.state is State.RESOLVED
    until = told.at if over else now
    same_day = speaker.day(told.since) == speaker.day(until)
    return speaker.say(
        PHRASES["lasted" if over else "since"],
        since=speaker.time(told.since),
        until=(speaker.clock if same_day else speaker.time)(until),
        duration=speaker.duration(until - told.since),
    )


def firing(notice: Notice) -> Sequence[Told]:
    """The alerts that go on."""
    return [told for told in notice.alerts if told.state is not State.RESOLVED]


def is_all_clear(told: Told) -> bool:
    """Whether it is over in itself; what ended otherwise, by hand say, may be as bad as before."""
    return told.state is State.RESOLVED and _ended(told) not in PHRASES


def worst_first(alerts: Sequence[Told]) -> Sequence[Told]:
    """What goes on before what is over, the worst first, the longest first."""
    return sorted(alerts, key=lambda t: (t.state is State.RESOLVED, -t.severity, t.since, t.alert))


def _ended(told: Told) -> str:
    """How it ended: for those whom it is not for, it does so when it is judged."""
    if told.reason in BY_VERDICT and told.verdict is not None:
        return f"ended-{told.verdict.kind}"
    return f"ended-{told.reason}"


def _rule(told: Told, speaker: Speaker) -> str:
    return speaker.word(told.rule_name) or told.rule


def _measured(told: Told, *, over: bool) -> str:
    """Which phrase says the value."""
    kind = told.kind_of_rule
    if kind in _DIRECT and told.level is not None:
        return "within" if over or not told.side else told.side
    if over and kind not in _COUNTED:
        return "heard" if kind == "missing" else "well"
    for phrase in (kind, f"{kind}-{told.side}"):
        if f"measure-{phrase}" in PHRASES:
            return phrase
    return "else"


def capital(text: str) -> str:
    """The same as the beginning of a sentence."""
    return text[:1].upper() + text[1:]
