"""What a device that nobody registered says of itself, and which model it may be. Pure.

Each profile is tried on the device's own messages, the way that its readings would go. A model is
the likelier, the more of the keys it understands, and the more of its own keys are there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from core.errors import DecodeError
from core.messages import Message
from core.readings import Reading
from core.registry import Suggestion, Traits
from ingest.decode import decode
from ingest.dialects.shape import Raw, Refused
from ingest.profiles import NO_PROFILE, Profile
from ingest.retry import message_of
from ingest.sources import Sources
from ingest.translate import translate
from storage.quarantine import Held

MOST_SUGGESTIONS = 3
PAYLOAD = "payload"  # the key of a device's own bytes

Said: TypeAlias = Reading | Raw


def traits(
    held: Sequence[Held], device: str, *, sources: Sources, profiles: Mapping[str, Profile]
) -> Traits:
    """What the messages of these entries say of `device`, as its network calls it."""
    messages = [message_of([entry], None) for entry in held]
    said = [item for message in messages for item in _said(message, device, sources)]
    return Traits(keys=tuple(sorted(set(_keys(said)))), suggestions=tuple(suggest(said, profiles)))


def suggest(said: Sequence[Said], profiles: Mapping[str, Profile]) -> list[Suggestion]:
    """The models that understand something of it, the best first; the model without a name is a
    device that speaks the catalogue's own words.
    """
    raw = any(isinstance(item, Raw) for item in said)
    tried = [p for p in profiles.values() if not p.plain and (raw or not p.codec)]
    found = [suggestion for p in (NO_PROFILE, *tried) if (suggestion := _tried(said, p))]
    return sorted(found, key=lambda s: (-s.score, s.model))[:MOST_SUGGESTIONS]


def _said(message: Message, device: str, sources: Sources) -> Iterable[Said]:
    try:
        source, _ = sources.of(message.topic)
        items = decode(message, source).items
    except DecodeError:
        return []
    return [item for item in items if not isinstance(item, Refused) and item.device == device]


def _keys(said: Iterable[Said]) -> Iterable[str]:
    for item in said:
        if isinstance(item, Raw):
            yield from (i.parameter for i in item.decoded if isinstance(i, Reading))
            yield PAYLOAD
        else:
            yield item.parameter


def _tried(said: Sequence[Said], profile: Profile) -> Suggestion | None:
    fits: dict[str, bool] = {}
    read: set[str] = set()
    for item in said:
        key = PAYLOAD if isinstance(item, Raw) else item.parameter
        found = list(translate(item, item.device, profile))
        fits[key] = fits.get(key, True) and not any(isinstance(f, Refused) for f in found)
        read |= {f.parameter for f in found if isinstance(f, Reading)}
    own = {channel.parameter for channel in profile.channels.values()}
    there = len(read & own) / len(own) if own else 1.0
    if not read or not there:
        return None
    score = sum(fits.values()) / len(fits) * (3 + there) / 4
    return Suggestion(profile.id, round(score, 2), _why(fits, read))


def _why(fits: Mapping[str, bool], read: Iterable[str]) -> str:
    """In words.

    >>> _why({"ph": True, "colour": False}, {"ph"})
    '1 of 2 keys fit, read as ph; not colour'
    """
    strange = sorted(key for key, fit in fits.items() if not fit)
    words = f"{len(fits) - len(strange)} of {len(fits)} keys fit, read as {', '.join(sorted(read))}"
    return f"{words}; not {', '.join(strange)}" if strange else words
