"""What the chat answers is made of: texts in the language of whom we talk to, and taps. Pure."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from alerts.notify.chat_places import Place, name_of
from alerts.notify.phrases import PHRASES
from alerts.speaking import Speaker
from core.alerts import Severity
from core.subscribers import Subscriber

Json: TypeAlias = dict[str, Any]

MOST_TAPS = 13  # quick replies of a message (Messaging API)
_LABEL = 20
_LONGEST = 2500  # characters of a text; none is more than two units as LINE counts them
_MENU = ("status", "add", "list", "severity", "quiet", "language", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when somebody writes; `officer` says that they may act on alerts."""

    subscriber: Subscriber
    places: Sequence[Place]
    now: int
    zone: ZoneInfo
    officer: bool = False

    @property
    def speaker(self) -> Speaker:
        """Speaks as they do."""
        return Speaker(self.subscriber.language, self.zone)

    @property
    def least(self) -> Severity:
        """From which severity on they hear of things."""
        return min((s.least for s in self.subscriber.subscriptions), default=Severity.WARNING)


def which(facts: Facts, places: Sequence[Place]) -> Json:
    """Ask which of these places is meant."""
    taps = [subscribing(place, facts.speaker) for place in places[:MOST_TAPS]]
    return said(facts, "chat-which", taps=taps)


def subscribing(place: Place, speaker: Speaker) -> Json:
    """A tap that asks for a place."""
    return tap(name_of(place, speaker), f"subscribe {place.scope} {place.target}".strip())


def menu(facts: Facts) -> Sequence[Json]:
    """All that can be done."""
    labels = {name: facts.speaker.say(PHRASES[f"tap-{name}"]) for name in _MENU}
    other = "en" if facts.subscriber.language == "th" else "th"
    data = {"language": f"language {other}"}
    return [tap(label, data.get(name, name)) for name, label in labels.items()]


def said(facts: Facts, phrase: str, taps: Sequence[Json] | None = None, **values: str) -> Json:
    """A phrase, with the menu below it unless there are other taps."""
    text = facts.speaker.say(PHRASES[phrase], **values)
    return message(text, menu(facts) if taps is None else taps)


def message(text: str, taps: Sequence[Json]) -> Json:
    """A text, and what can be tapped below it."""
    plain: Json = {"type": "text", "text": text[:_LONGEST]}
    return plain | ({"quickReply": {"items": list(taps)}} if taps else {})


def tap(label: str, data: str) -> Json:
    """A quick reply; what it says is shown as if it had been typed."""
    action = {"type": "postback", "label": _fitted(label), "data": data}
    action["displayText"] = label[:100]
    return {"type": "action", "action": action}


def quiet_hours(facts: Facts) -> str:
    """When they want quiet."""
    quiet = facts.subscriber.preferences.quiet
    if quiet is None:
        return facts.speaker.say(PHRASES["chat-quiet-none"])
    start, end = (f"{clock:%H:%M}" for clock in quiet)
    return facts.speaker.say(PHRASES["chat-quiet-is"], start=start, end=end)


def _fitted(label: str) -> str:
    """What fits: names often begin alike, so it is the middle that is left out.

    >>> _fitted("สถานีอุตุนิยมวิทยาป่าตอง"), _fitted("หาดป่าตอง")
    ('สถานีอุต…วิทยาป่าตอง', 'หาดป่าตอง')
    """
    if len(label) <= _LABEL:
        return label
    end = label[-11:]
    while end and unicodedata.category(end[0]) == "Mn":
        end = end[1:]  # a mark over or under a letter that is left out
    return f"{label[:8]}…{end}"
