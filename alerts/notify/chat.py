"""The chat of subscribers: what somebody wrote or tapped → what changes and is answered. Pure.

What is typed becomes one of a few commands, the same that buttons carry: a word, and what it is
about. A turn that needs more than the facts (a code to be looked up, an alert to be acknowledged,
the state of places) says so; who takes it then says how it went by a function below.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from types import MappingProxyType
from typing import TypeAlias
from zoneinfo import ZoneInfo

from alerts.notify import words
from alerts.notify.chat_messages import (
    MOST_TAPS,
    Facts,
    Json,
    menu,
    message,
    quiet_hours,
    said,
    subscribing,
    tap,
    which,
)
from alerts.notify.chat_places import Place, find, name_of
from alerts.notify.phrases import PHRASES
from alerts.speaking import Speaker, number
from core.alerts import Severity
from core.languages import LANGUAGES, Language
from core.notices import Told
from core.subscribers import Scope, Subscriber, SubscriberState, Subscription
from core.times import DAY

MOST_SUBSCRIPTIONS = 50
_MOST_LINES = 15  # alerts in the answer to "status"
_QUIETS = ("21:00-07:00", "22:00-06:00", "23:00-05:00")
_SPAN = re.compile(r"(\d{1,2})[:.](\d\d)\s*[-–]\s*(\d{1,2})[:.](\d\d)")
_CODE = re.compile(r"[2-9A-HJKMNP-Z]{8}", re.IGNORECASE)

# What people type → the command.
_TYPED: Mapping[str, str] = MappingProxyType(
    {
        "add": "add",
        "english": "language en",
        "help": "help",
        "language": "language",
        "list": "list",
        "menu": "help",
        "mute": "mute",
        "quiet": "quiet",
        "severity": "severity",
        "start": "start",
        "status": "status",
        "stop": "stop",
        "thai": "language th",
        "unmute": "start",
        "unsubscribe": "stop",
        "?": "help",
        "ช่วยเหลือ": "help",
        "ภาษา": "language",
        "ภาษาไทย": "language th",
        "ภาษาอังกฤษ": "language en",
        "เมนู": "help",
        "ยกเลิก": "stop",
        "ระดับ": "severity",
        "รายการ": "list",
        "เพิ่ม": "add",
        "พัก": "mute",
        "เงียบ": "quiet",
        "เริ่ม": "start",
        "เลิก": "stop",
        "สถานะ": "status",
        "หยุด": "stop",
        "ไทย": "language th",
    }
)
_SEVERITIES = {severity.label: severity for severity in Severity}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What follows: `change` makes the subscriber as they want it; `replies` are messages of LINE.
    Where one of `start`, `stop`, `status`, `code` and `acknowledge` is set, that is to be done.
    """

    replies: Sequence[Json] = ()
    change: Callable[[Subscriber], Subscriber] | None = None
    start: bool = False
    stop: bool = False
    status: bool = False
    code: str = ""
    acknowledge: str = ""


def typed(facts: Facts, text: str) -> Turn:
    """Somebody wrote this."""
    text = " ".join(text.split())
    word, _, rest = text.casefold().partition(" ")
    command = _TYPED.get(text.casefold()) or (_TYPED.get(word) == "quiet" and f"quiet {rest}")
    if command:
        return tapped(facts, command)
    found = find(facts.places, text)
    if len(found) == 1:
        return tapped(facts, f"subscribe {found[0].scope} {found[0].target}".strip())
    if found:
        return Turn(replies=[which(facts, found)])
    if _CODE.fullmatch(text):
        return Turn(code=text)
    return Turn(replies=[said(facts, "chat-unknown", text=text[:40])])


def tapped(facts: Facts, data: str) -> Turn:
    """Somebody tapped a button with this; what no button of ours carries is answered with help."""
    word, *rest = data.split(" ", 2) if data else ["help"]
    handle = _COMMANDS.get(word, _help)
    stopped = facts.subscriber.state is SubscriberState.STOPPED
    if stopped and word not in _WHILE_STOPPED:
        return Turn(replies=[said(facts, "chat-stopped", taps=())])
    return handle(facts, rest)


def welcome(zone: ZoneInfo) -> Sequence[Json]:
    """What new friends are told, in both languages, before anything is known of theirs."""
    greeting = "\n\n".join(
        Speaker(language, zone).say(PHRASES["chat-welcome"]) for language in reversed(LANGUAGES)
    )
    taps = [tap("ภาษาไทย", "language th"), tap("English", "language en")]
    return [message(greeting, taps)]


def joined(group: str, language: Language, zone: ZoneInfo) -> Sequence[Json]:
    """What a group of officers is told when we are added to it."""
    return [message(Speaker(language, zone).say(PHRASES["chat-joined"], group=group), ())]


def started(facts: Facts) -> Sequence[Json]:
    """They get messages again."""
    return [said(facts, "chat-started")]


def status(facts: Facts, alerts: Sequence[Told]) -> Sequence[Json]:
    """How the places of somebody stand; `alerts` are those that they would be told of."""
    speaker = facts.speaker
    if not facts.subscriber.subscriptions:
        return [said(facts, "chat-none")]
    if not alerts:
        return [said(facts, "chat-well")]
    shown = words.worst_first(alerts)[:_MOST_LINES]
    lines = [words.line(told, speaker, facts.now) for told in shown]
    more = len(alerts) - len(shown)
    if more:
        lines.append(speaker.say(PHRASES["more"], count=number(more)))
    return [message("\n\n".join(lines), menu(facts))]


def linked(facts: Facts, owner: str | None) -> Sequence[Json]:
    """The code was `owner`'s, or no good."""
    if owner is None:
        return [said(facts, "chat-not-linked")]
    return [said(facts, "chat-linked", owner=owner)]


def acknowledged(facts: Facts, *, done: bool) -> Sequence[Json]:
    """The alert is theirs now, or it is over."""
    return [said(facts, "chat-acknowledged" if done else "chat-not-open", taps=())]


# --- commands: (facts, what it is about) → turn ---

_Args: TypeAlias = Sequence[str]


def _help(facts: Facts, _: _Args) -> Turn:
    return Turn(replies=[said(facts, "chat-help")])


def _language(facts: Facts, args: _Args) -> Turn:
    chosen = args[0] if args else ""
    if chosen not in LANGUAGES:
        taps = [tap("ภาษาไทย", "language th"), tap("English", "language en")]
        return Turn(replies=[said(facts, "chat-language", taps=taps)])
    language: Language = "th" if chosen == "th" else "en"
    after = replace(facts, subscriber=replace(facts.subscriber, language=language))
    now_so = after.speaker.say(PHRASES["chat-language"])
    add = _add(after, ()).replies[0]
    return Turn(
        change=lambda before: replace(before, language=language),
        replies=[add | {"text": f"{now_so}\n{add['text']}"}],
    )


def _add(facts: Facts, _: _Args) -> Turn:
    """Kinds first; what is of one kind when one is tapped."""
    speaker = facts.speaker
    wide = [place for place in facts.places if place.scope is not Scope.SITE]
    kinds = [p for p in wide if p.scope is Scope.KIND]
    rest = [p for p in wide if p.scope is not Scope.KIND and "/" not in p.target]
    taps = [tap(name_of(p, speaker), f"kind {p.target}") for p in kinds]
    taps += [subscribing(p, speaker) for p in rest]
    return Turn(replies=[said(facts, "chat-add", taps=taps[:MOST_TAPS])])


def _kind(facts: Facts, args: _Args) -> Turn:
    """All of a kind, or one of its places."""
    asked = args[0] if args else ""
    found = [p for p in facts.places if (p.scope, p.target) == (Scope.KIND, asked)]
    sites = [p for p in facts.places if p.scope is Scope.SITE and p.kind == asked]
    if not found:
        return _add(facts, ())
    return Turn(replies=[which(facts, [*found, *sites])])


def _subscribe(facts: Facts, args: _Args) -> Turn:
    place = _place(facts, args)
    if place is None:
        return _add(facts, ())
    if len(facts.subscriber.subscriptions) >= MOST_SUBSCRIPTIONS:
        return Turn(replies=[said(facts, "chat-full")])
    wish = Subscription(scope=place.scope, target=place.target, least=facts.least)

    def change(before: Subscriber) -> Subscriber:
        return replace(before, subscriptions=(*_without(before, place), wish))

    name, severity = name_of(place, facts.speaker), facts.speaker.severity(wish.least)
    answer = said(facts, "chat-subscribed", place=name, severity=severity)
    return Turn(change=change, replies=[answer])


def _unsubscribe(facts: Facts, args: _Args) -> Turn:
    named = [s for s in facts.subscriber.subscriptions if [s.scope, s.target] == _named(args)]
    if not named:
        return _list(facts, ())
    place = _known(facts, named[0])

    def change(before: Subscriber) -> Subscriber:
        return replace(before, subscriptions=_without(before, place))

    name = name_of(place, facts.speaker)
    return Turn(change=change, replies=[said(facts, "chat-unsubscribed", place=name)])


def _list(facts: Facts, _: _Args) -> Turn:
    """What they hear of and when; a tap takes one away."""
    chosen, speaker = facts.subscriber.subscriptions, facts.speaker
    if not chosen:
        return Turn(replies=[said(facts, "chat-none")])
    places = [_known(facts, each) for each in chosen]
    head = speaker.say(PHRASES["chat-list"], severity=speaker.severity(facts.least))
    lines = [head, *(f"• {name_of(place, speaker)}" for place in places), quiet_hours(facts)]
    taps = [
        tap(f"✕ {name_of(p, speaker)}", f"unsubscribe {p.scope} {p.target}".strip())
        for p in places[:MOST_TAPS]
    ]
    return Turn(replies=[message("\n".join(lines), taps)])


def _severity(facts: Facts, args: _Args) -> Turn:
    chosen = _SEVERITIES.get(args[0] if args else "")
    speaker = facts.speaker
    if chosen is None:
        taps = [tap(speaker.severity(s), f"severity {s.label}") for s in Severity]
        return Turn(replies=[said(facts, "chat-severity", taps=taps)])
    if not facts.subscriber.subscriptions:
        return Turn(replies=[said(facts, "chat-none")])
    least = chosen

    def change(before: Subscriber) -> Subscriber:
        changed = tuple(replace(s, least=least) for s in before.subscriptions)
        return replace(before, subscriptions=changed)

    answer = said(facts, "chat-severity-is", severity=speaker.severity(least))
    return Turn(change=change, replies=[answer])


def _quiet(facts: Facts, args: _Args) -> Turn:
    asked = " ".join(args)
    span = None if asked == "off" else _span(asked)
    if span is None and asked != "off":
        taps = [tap(each, f"quiet {each}") for each in _QUIETS]
        taps.append(tap(facts.speaker.say(PHRASES["tap-quiet-off"]), "quiet off"))
        return Turn(replies=[said(facts, "chat-quiet", taps=taps)])
    quiet = replace(facts.subscriber.preferences, quiet=span)
    after = replace(facts, subscriber=replace(facts.subscriber, preferences=quiet))
    return Turn(
        change=lambda before: replace(before, preferences=replace(before.preferences, quiet=span)),
        replies=[message(quiet_hours(after), menu(after))],
    )


def _mute(facts: Facts, _: _Args) -> Turn:
    until = facts.now + DAY

    def change(before: Subscriber) -> Subscriber:
        return replace(before, preferences=replace(before.preferences, muted_until=until))

    answer = said(facts, "chat-muted", taps=(), until=facts.speaker.time(until))
    return Turn(change=change, replies=[answer])


def _start(_: Facts, __: _Args) -> Turn:
    def change(before: Subscriber) -> Subscriber:
        return replace(before, preferences=replace(before.preferences, muted_until=None))

    return Turn(start=True, change=change)


def _stop(facts: Facts, _: _Args) -> Turn:
    return Turn(stop=True, replies=[said(facts, "chat-stopped", taps=())])


def _status(_: Facts, __: _Args) -> Turn:
    return Turn(status=True)


def _acknowledge(facts: Facts, args: _Args) -> Turn:
    if not facts.officer:
        return Turn(replies=[said(facts, "chat-officers", taps=())])
    return Turn(acknowledge=args[0]) if args else _help(facts, ())


_COMMANDS: Mapping[str, Callable[[Facts, _Args], Turn]] = MappingProxyType(
    {
        "acknowledge": _acknowledge,
        "add": _add,
        "help": _help,
        "kind": _kind,
        "language": _language,
        "list": _list,
        "mute": _mute,
        "quiet": _quiet,
        "severity": _severity,
        "start": _start,
        "status": _status,
        "stop": _stop,
        "subscribe": _subscribe,
        "unsubscribe": _unsubscribe,
    }
)
_WHILE_STOPPED = {"acknowledge", "language", "start", "status"}


# --- places ---


def _named(args: _Args) -> list[str]:
    """Scope and target."""
    return [*args, ""][:2]


def _place(facts: Facts, args: _Args) -> Place | None:
    return next((p for p in facts.places if [p.scope, p.target] == _named(args)), None)


def _known(facts: Facts, wish: Subscription) -> Place:
    """The place of a subscription, also when it is gone."""
    found = _place(facts, [wish.scope, wish.target])
    return found or Place(scope=wish.scope, target=wish.target)


def _without(before: Subscriber, place: Place) -> tuple[Subscription, ...]:
    gone = (place.scope, place.target)
    return tuple(s for s in before.subscriptions if (s.scope, s.target) != gone)


def _span(text: str) -> tuple[time, time] | None:
    """Quiet hours as somebody types them; None where that is not what it is.

    >>> _span("22.00 – 6:30")
    (datetime.time(22, 0), datetime.time(6, 30))
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        return None
    hours = [int(part) for part in found.groups()]
    if hours[0] > 23 or hours[2] > 23 or hours[1] > 59 or hours[3] > 59:
        return None
    start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    return None if start == end else (start, end)
