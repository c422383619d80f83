"""What somebody can subscribe to in the chat, and how it is found by what they type. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from alerts.notify.phrases import PHRASES
from alerts.speaking import Speaker
from core.registry import Site
from core.subscribers import Scope
from core.surroundings import Names

_SHORTEST = 2  # characters that are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site, all of a kind, a district or everything; `kind` is that of a site."""

    scope: Scope
    target: str = ""
    names: Names = field(default_factory=dict)
    kind: str = ""


def places_of(sites: Iterable[Site]) -> Sequence[Place]:
    """All that there is: kinds, districts, everything, and each site."""
    known = sorted(sites, key=lambda site: site.id)
    kinds = sorted({site.kind for site in known})
    districts = sorted({part for site in known for part in _districts(site.district)})
    return [
        *(Place(scope=Scope.KIND, target=kind, names=_kind_names(kind)) for kind in kinds),
        *(Place(scope=Scope.DISTRICT, target=each, names=_written(each)) for each in districts),
        Place(scope=Scope.ALL, names=PHRASES["kind-all"]._asdict()),
        *(
            Place(scope=Scope.SITE, target=site.id, names=site.name, kind=site.kind)
            for site in known
        ),
    ]


def name_of(place: Place, speaker: Speaker) -> str:
    """What it is called."""
    return speaker.word(place.names) or place.target or speaker.say(PHRASES["kind-all"])


def find(places: Sequence[Place], text: str) -> Sequence[Place]:
    """The places that somebody may mean; those called so where a name was typed in full."""
    wanted = _plain(text)
    if len(wanted) < _SHORTEST:
        return []
    called = [(place, {_plain(name) for name in _called(place)}) for place in places]
    exactly = [place for place, names in called if wanted in names]
    partly = [place for place, names in called if any(wanted in name for name in names)]
    return exactly or partly


def _called(place: Place) -> Iterable[str]:
    return [*place.names.values(), place.target]


def _plain(text: str) -> str:
    """Without what people leave out.

    >>> _plain("Patong  Beach"), _plain("หาด ป่าตอง")
    ('patongbeach', 'หาดป่าตอง')
    """
    return re.sub(r"[\s/_-]+", "", text.casefold())


def _districts(slug: str) -> Iterable[str]:
    """kathu/patong lies in kathu."""
    parts = slug.split("/")
    return ["/".join(parts[: n + 1]) for n in range(len(parts)) if slug]


def _written(slug: str) -> Names:
    """A slug as a name."""
    said = " – ".join(part.replace("-", " ").title() for part in reversed(slug.split("/")))
    return {"en": said, "th": said}


def _kind_names(kind: str) -> Names:
    known = PHRASES.get(f"kind-{kind}")
    return known._asdict() if known else {"en": kind, "th": kind}
