"""A notice as a message of LINE: one bubble for an alert, several side by side for a group. Pure.

Severity is a colour, a sign and a word. The buttons carry what `alerts.notify.chat` understands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from alerts.notify import words
from alerts.notify.line_picture import picture
from alerts.notify.phrases import PHRASES
from alerts.speaking import Speaker, number
from core.alerts import Severity, State
from core.notices import Notice, Told

Json: TypeAlias = dict[str, Any]

DETAILED = 5  # alerts with a bubble of their own
_LISTED = 10  # alerts in the bubble that sums up
_BARS_OF_MANY = 16  # bars of a picture, where there are several
_LONGEST = 160  # characters of a name; a bubble has room for 30 KB, a carousel for 50 KB
_ALT_TEXT = 400
_DISPLAYED = 250
_COLOURS = {
    Severity.CRITICAL: "#B3261E",
    Severity.WARNING: "#8A5300",
    Severity.INFO: "#0B57D0",
}
_SIGNS = {Severity.CRITICAL: "‼", Severity.WARNING: "▲", Severity.INFO: "●"}
_ALL_CLEAR, _ENDED = ("#146C2E", "✓"), ("#5F6368", "■")
_DARK, _GREY = "#1F1F1F", "#5F6368"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """What can be done from a message: `page` is the address of the notice's page, empty where
    there is none; officers may acknowledge, subscribers may ask for quiet.
    """

    page: str = ""
    acknowledge: bool = False
    mute: bool = False


def message(notice: Notice, speaker: Speaker, buttons: Buttons) -> Json:
    """The notice as one message object."""
    if not notice.alerts or notice.reason in words.BESIDE_ALERTS:
        title, why = words.title(notice, speaker), words.why(notice, speaker)
        return {"type": "text", "text": f"{title}\n{why}"}
    return {
        "type": "flex",
        "altText": _cut(alt_text(notice, speaker), _ALT_TEXT),
        "contents": _contents(notice, speaker, buttons),
    }


def alt_text(notice: Notice, speaker: Speaker) -> str:
    """What lists of chats and notifications show, and screens that show no bubbles."""
    title = words.title(notice, speaker)
    if len(notice.alerts) == 1:
        return f"{title} – {words.measure(notice.alerts[0], speaker)}"
    return f"{title} ({words.counts(notice, speaker)})"


def _contents(notice: Notice, speaker: Speaker, buttons: Buttons) -> Json:
    alerts = words.worst_first(notice.alerts)
    if len(alerts) == 1:
        return _Bubble(notice, speaker, buttons).of(alerts[0])
    many = _Bubble(notice, speaker, buttons, bars=_BARS_OF_MANY)
    bubbles = [many.of(told) for told in alerts[:DETAILED]]
    if len(alerts) > DETAILED:
        bubbles.insert(0, many.summary(alerts))
    return {"type": "carousel", "contents": bubbles}


@dataclass(frozen=True, slots=True)
class _Bubble:
    """Makes the bubbles of a notice."""

    notice: Notice
    speaker: Speaker
    buttons: Buttons
    bars: int = 24

    def of(self, told: Told) -> Json:
        """One alert."""
        speaker, over = self.speaker, told.state is State.RESOLVED
        colour, sign = _look(told)
        rule = speaker.word(told.rule_name) or told.rule
        where = words.place(told, speaker)
        drawn = picture(told, _COLOURS[told.severity], self.bars)
        measure = words.capital(words.measure(told, speaker))
        judged = words.verdict(told, speaker)
        when = words.capital(words.when(told, speaker, self.notice.made_at))
        body = [
            _text(rule, size="lg", weight="bold", color=_DARK),
            *([_text(where, size="md", color=_DARK)] if where else []),
            _text(measure, size="md", color=_DARK, margin="md", weight="bold"),
            *([_text(judged, size="sm", margin="sm")] if judged else []),
            *([drawn, self._times(told)] if drawn else []),
            _text(when, size="xs", margin="md"),
        ]
        head = _head(f"{sign} {words.standing(told, speaker)}", self._why(), colour)
        return _bubble(head, body, self._footer(told, over=over))

    def summary(self, alerts: Sequence[Told]) -> Json:
        """All of them: how many, and the worst by name."""
        speaker = self.speaker
        colour, sign = _look(alerts[0])
        rows = [self._row(told) for told in alerts[:_LISTED]]
        more = len(alerts) - _LISTED
        if more > 0:
            said = speaker.say(PHRASES["more"], count=number(more))
            rows.append(_text(said, size="sm", margin="md", weight="bold", color=_DARK))
        body = [
            _text(words.about(self.notice, speaker), size="lg", weight="bold", color=_DARK),
            _text(words.counts(self.notice, speaker), size="sm", margin="sm"),
            {"type": "separator", "margin": "md"},
            *rows,
        ]
        standing = words.standing(alerts[0], speaker)
        return _bubble(_head(f"{sign} {standing}", self._why(), colour), body, self._footer())

    def _row(self, told: Told) -> Json:
        _, sign = _look(told)
        said = f"{sign} {words.standing(told, self.speaker)} · {words.what(told, self.speaker)}"
        return _text(said, size="sm", color=_DARK, margin="sm")

    def _why(self) -> str:
        return self.speaker.say(PHRASES[f"tag-{self.notice.reason}"])

    def _times(self, told: Told) -> Json:
        """Where the picture begins and ends."""
        first, last = (self.speaker.clock(told.recent[end].at) for end in (0, -1))
        ends = [_text(first, size="xxs"), _text(last, size="xxs", align="end")]
        return {"type": "box", "layout": "horizontal", "margin": "xs", "contents": ends}

    def _footer(self, told: Told | None = None, *, over: bool = False) -> Sequence[Json]:
        """What can be done now."""
        asked = self.buttons
        found = []
        if asked.acknowledge and told is not None and not over:
            shown = self.speaker.say(PHRASES["taking-on"], what=words.what(told, self.speaker))
            found.append(self._postback("acknowledge", f"acknowledge {told.alert}", shown))
        if asked.page:
            action = {"type": "uri", "label": self._label("details"), "uri": asked.page}
            found.append(_button(action, "link"))
        if asked.mute and not over:
            found.append(self._postback("mute", "mute", self._label("mute"), style="link"))
        return found

    def _postback(self, name: str, data: str, shown: str, style: str = "primary") -> Json:
        action = {
            "type": "postback",
            "label": self._label(name),
            "data": data,
            "displayText": _cut(shown, _DISPLAYED),
        }
        return _button(action, style)

    def _label(self, name: str) -> str:
        return self.speaker.say(PHRASES[f"button-{name}"])


def _look(told: Told) -> tuple[str, str]:
    """Colour and sign."""
    if told.state is State.RESOLVED:
        return _ALL_CLEAR if words.is_all_clear(told) else _ENDED
    return _COLOURS[told.severity], _SIGNS[told.severity]


def _head(said: str, why: str, colour: str) -> Json:
    return {
        "type": "box",
        "layout": "horizontal",
        "backgroundColor": colour,
        "paddingAll": "md",
        "contents": [
            _text(said, size="md", weight="bold", color="#FFFFFF", flex=3),
            _text(why, size="xs", color="#FFFFFF", align="end", gravity="center", flex=2),
        ],
    }


def _bubble(head: Json, body: Sequence[Json], footer: Sequence[Json]) -> Json:
    bubble: Json = {
        "type": "bubble",
        "size": "mega",
        "header": head,
        "body": {"type": "box", "layout": "vertical", "contents": list(body)},
    }
    if footer:
        bubble["footer"] = {
            "type": "box",
            "layout": "vertical",
            "spacing": "sm",
            "contents": list(footer),
        }
    return bubble


def _text(text: str, *, color: str = _GREY, **more: Any) -> Json:
    """Text is never empty: LINE refuses that."""
    return {
        "type": "text",
        "text": _cut(text, _LONGEST) or "–",
        "wrap": True,
        "color": color,
    } | more


def _button(action: Mapping[str, Any], style: str) -> Json:
    button = {"type": "button", "style": style, "height": "sm", "action": dict(action)}
    return button | ({"color": _DARK} if style == "primary" else {})


def _cut(text: str, most: int) -> str:
    """At most so many characters, as LINE counts them: in UTF-16."""
    raw = text.encode("utf-16-le")
    if len(raw) <= 2 * most:
        return text
    return raw[: 2 * (most - 1)].decode("utf-16-le", errors="ignore") + "…"
