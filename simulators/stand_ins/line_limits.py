"""What LINE's server refuses of messages: its documented limits, as the errors that it answers.

https://developers.line.biz/en/reference/messaging-api/ has them. Sizes of Flex containers are those
of their JSON in UTF-8; texts are counted in UTF-16 units.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
Error: TypeAlias = dict[str, str]

MESSAGES = 5
TEXT = 5000
ALT_TEXT = 1500
BUBBLE_BYTES = 30_000
CAROUSEL_BYTES = 50_000
CAROUSEL_BUBBLES = 12
QUICK_REPLIES = 13
QUICK_LABEL = 20
BUTTON_LABEL = 40
DATA = 300
URI = 1000
DEPTH = 10  # of boxes in each other
_KINDS = {"box", "button", "filler", "icon", "image", "separator", "span", "text"}
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?")


def units(text: str) -> int:
    """How LINE counts characters.

    >>> units("น้ำ"), units("🌊")
    (3, 2)
    """
    return len(text.encode("utf-16-le")) // 2


def errors(messages: object) -> list[Error]:
    """Everything that is wrong with the messages of a request; none where they are right."""
    if not isinstance(messages, list) or not 1 <= len(messages) <= MESSAGES:
        return [_error("messages", f"Size must be between 1 and {MESSAGES}")]
    return [e for place, each in enumerate(messages) for e in _message(f"messages[{place}]", each)]


def _message(place: str, message: Any) -> Iterator[Error]:
    match message:
        case {"type": "text", "text": str(text)}:
            yield from _length(f"{place}.text", text, TEXT)
        case {"type": "flex", "altText": str(text), "contents": dict(contents)}:
            yield from _length(f"{place}.altText", text, ALT_TEXT)
            yield from _container(f"{place}.contents", contents)
        case _:
            yield _error(place, "This message type is not available, or a property is missing")
            return
    if quick := message.get("quickReply"):
        yield from _quick(f"{place}.quickReply", quick.get("items"))


def _quick(place: str, items: object) -> Iterator[Error]:
    if not isinstance(items, list) or not 1 <= len(items) <= QUICK_REPLIES:
        yield _error(f"{place}.items", f"Size must be between 1 and {QUICK_REPLIES}")
        return
    for number, item in enumerate(items):
        yield from _action(f"{place}.items[{number}].action", item.get("action"), QUICK_LABEL)


def _container(place: str, contents: Json) -> Iterator[Error]:
    if contents.get("type") == "carousel":
        bubbles = contents.get("contents", [])
        if not 1 <= len(bubbles) <= CAROUSEL_BUBBLES:
            yield _error(f"{place}.contents", f"Size must be between 1 and {CAROUSEL_BUBBLES}")
        yield from _size(place, contents, CAROUSEL_BYTES)
        for number, bubble in enumerate(bubbles):
            yield from _bubble(f"{place}.contents[{number}]", bubble)
    else:
        yield from _bubble(place, contents)


def _bubble(place: str, bubble: Json) -> Iterator[Error]:
    if bubble.get("type") != "bubble":
        yield _error(f"{place}.type", "Must be bubble")
        return
    yield from _size(place, bubble, BUBBLE_BYTES)
    for part in ("header", "hero", "body", "footer"):
        if part in bubble:
            yield from _component(f"{place}.{part}", bubble[part], 0)


def _component(place: str, component: Json, depth: int) -> Iterator[Error]:
    kind = component.get("type")
    if kind not in _KINDS:
        yield _error(f"{place}.type", "Unknown component")
    elif kind == "box":
        yield from _box(place, component, depth)
    elif kind == "text" and not component.get("contents"):
        if not component.get("text"):
            yield _error(f"{place}.text", "May not be empty")
    elif kind == "button":
        yield from _action(f"{place}.action", component.get("action"), BUTTON_LABEL)
    for name in ("color", "backgroundColor"):
        if name in component and not _COLOUR.fullmatch(component[name]):
            yield _error(f"{place}.{name}", "Invalid color")


def _box(place: str, box: Json, depth: int) -> Iterator[Error]:
    if box.get("layout") not in {"baseline", "horizontal", "vertical"}:
        yield _error(f"{place}.layout", "Must be one of baseline, horizontal, vertical")
    if depth >= DEPTH:
        yield _error(place, "Too deep")
        return
    contents: Sequence[Json] | None = box.get("contents")
    if contents is None:
        yield _error(f"{place}.contents", "May not be null")
    for number, inner in enumerate(contents or ()):
        yield from _component(f"{place}.contents[{number}]", inner, depth + 1)


def _action(place: str, action: Any, label_limit: int) -> Iterator[Error]:
    match action:
        case {"type": "postback", "data": str(data)}:
            yield from _length(f"{place}.data", data, DATA)
            if shown := action.get("displayText"):
                yield from _length(f"{place}.displayText", shown, DATA)
        case {"type": "uri", "uri": str(uri)}:
            yield from _length(f"{place}.uri", uri, URI)
            if not re.match(r"(https?|line|tel|mailto):", uri):
                yield _error(f"{place}.uri", "Invalid uri scheme")
        case {"type": "message", "text": str(text)}:
            yield from _length(f"{place}.text", text, DATA)
        case _:
            yield _error(place, "Unknown action, or a property is missing")
            return
    yield from _length(f"{place}.label", action.get("label", ""), label_limit)


def _length(place: str, text: str, most: int) -> Iterator[Error]:
    if not 1 <= units(text) <= most:
        yield _error(place, f"Length must be between 1 and {most}")


def _size(place: str, contents: Json, most: int) -> Iterator[Error]:
    if len(json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode()) > most:
        yield _error(place, f"Must not be larger than {most} bytes")


def _error(place: str, words: str) -> Error:
    return {"property": place, "message": words}
