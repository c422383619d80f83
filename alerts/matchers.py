"""Matchers: which alerts a silence or a maintenance window is about, in Alertmanager's words.

A matcher is `label op "value"`, the op one of `=`, `!=`, `=~`, `!~`; of several all must fit. The
last two take a pattern (`alerts.patterns`) that speaks of the whole value. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from alerts.patterns import Pattern
from core.alerts import Severity
from core.muting import Labels

LABELS = ("device", "district", "kind", "rule", "severity", "site", "verdict")
MOST = 20  # matchers of one silence
_SHAPE = re.compile(r"\s*(\w+)\s*(=~|!~|!=|=)\s*(?:\"([^\"]*)\"|([^\s\"]*))\s*")
# Values unlike each other: what fits them all fits everything.
_UNLIKE = ("a", "Z-9", "kathu/patong", "x.y:z_1")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; `pattern` where it is compared with one."""

    label: str
    value: str
    pattern: Pattern | None
    negated: bool

    def fits(self, labels: Labels) -> bool:
        """Whether an alert with these labels is meant."""
        found = getattr(labels, self.label)
        word = found.label if isinstance(found, Severity) else found
        return self._takes(word) is not self.negated

    @property
    def narrows(self) -> bool:
        """Whether it names something: what it does not exclude is not everything."""
        return not (self.negated or self._takes("") or all(map(self._takes, _UNLIKE)))

    def _takes(self, word: str) -> bool:
        return word == self.value if self.pattern is None else self.pattern.fits(word)


@lru_cache(maxsize=1024)
def matcher(text: str) -> Matcher:
    """Read one matcher.

    Raises:
        ValueError: with words on what to write.

    >>> matcher('site=~"patong-.*"').label
    'site'
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError('write a matcher such as site="patong-beach"')
    label, op, quoted, bare = found.groups()
    if label not in LABELS:
        raise ValueError(f"{label} is no label; write one of {', '.join(LABELS)}")
    value = bare if quoted is None else quoted
    if label == "severity" and "~" not in op:
        _check_severity(value)
    pattern = Pattern.of(value) if "~" in op else None
    return Matcher(label, value, pattern, op.startswith("!"))


def check(texts: Sequence[str], *, everything: bool) -> None:
    """Whether these may stand together; `everything` says that all alerts are meant.

    Raises:
        ValueError: one cannot be read, there are too many, or they match everything unsaid.
    """
    if len(texts) > MOST:
        raise ValueError(f"write at most {MOST} matchers")
    narrowing = [text for text in texts if matcher(text).narrows]
    if not narrowing and not everything:
        words = "these match everything; name something with = or =~, or say everything: true"
        raise ValueError(words)


def fit(texts: Iterable[str], labels: Labels) -> bool:
    """Whether all of the matchers fit an alert with these labels."""
    return all(matcher(text).fits(labels) for text in texts)


def _check_severity(value: str) -> None:
    words = [severity.label for severity in Severity]
    if value not in words:
        raise ValueError(f"severity is one of {', '.join(words)}")
