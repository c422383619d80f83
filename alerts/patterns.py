r"""Patterns of matchers: the plain part of regular expressions, tried in linear time.

There are letters, `.`, classes such as `[a-z]`, `\d`, `\w`, groups, `|`, `*`, `+` and `?`; a
pattern always speaks of the whole word. What a pattern can cost is bounded: for each letter of the
word all its places are gone through once (the position automaton of Glushkov), and no step is ever
taken back.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

LONGEST = 200  # letters of a pattern
_DEEPEST = 20  # groups within groups
_CLASS = r"\[\^?\]?(?:\\.|[^\[\]\\&~|])*\]"
_PIECE = re.compile(rf"{_CLASS}|\\.|.", re.DOTALL)
_REPEATS = ("*", "+", "?")


class _Part(NamedTuple):
    """A piece of a pattern: whether nothing fits it, and at which places it begins and ends."""

    empty: bool
    first: frozenset[int]
    last: frozenset[int]


_NOTHING = _Part(True, frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that can be tried; `places` accept one letter each."""

    text: str
    places: tuple[re.Pattern[str], ...]
    following: tuple[frozenset[int], ...]
    whole: _Part

    @staticmethod
    def of(text: str) -> "Pattern":
        """Read a pattern.

        Raises:
            ValueError: it cannot be read, or says more than the plain part of regular expressions.

        >>> Pattern.of("patong-.*|kata").fits("patong-probe-1")
        True
        """
        if len(text) > LONGEST:
            raise ValueError(f"a pattern may have {LONGEST} letters")
        reader = _Reader(text)
        whole = reader.either(0)
        if reader.piece:
            raise ValueError("a ) closes nothing; write \\) if it is meant")
        places = tuple(re.compile(atom) for atom in reader.atoms)
        return Pattern(text, places, tuple(map(frozenset, reader.following)), whole)

    def fits(self, word: str) -> bool:
        """Whether the whole of `word` is as the pattern says."""
        done, here = self.whole.empty, self.whole.first
        for letter in word:
            reached = [place for place in here if self.places[place].fullmatch(letter)]
            done = not self.whole.last.isdisjoint(reached)
            here = frozenset[int]().union(*(self.following[place] for place in reached))
        return done


class _Reader:
    """Reads a pattern from left to right, and notes which place may follow which."""

    def __init__(self, text: str) -> None:
        self._pieces = [*_PIECE.findall(text), ""]
        self._at = 0
        self.atoms: list[str] = []
        self.following: list[set[int]] = []

    @property
    def piece(self) -> str:
        """The one that comes; empty at the end."""
        return str(self._pieces[self._at])

    def either(self, depth: int) -> _Part:
        part = self._sequence(depth)
        while self.piece == "|":
            self._at += 1
            other = self._sequence(depth)
            empty = part.empty or other.empty
            part = _Part(empty, part.first | other.first, part.last | other.last)
        return part

    def _sequence(self, depth: int) -> _Part:
        part = _NOTHING
        while self.piece not in {"", "|", ")"}:
            then = self._repeated(depth)
            self._follow(part.last, then.first)
            part = _Part(
                part.empty and then.empty,
                part.first | then.first if part.empty else part.first,
                part.last | then.last if then.empty else then.last,
            )
        return part

    def _repeated(self, depth: int) -> _Part:
        part = self._group(depth) if self.piece == "(" else self._atom()
        if self.piece in _REPEATS:
            if self.piece != "?":
                self._follow(part.last, part.first)
            part = part._replace(empty=part.empty or self.piece != "+")
            self._at += 1
        return part

    def _group(self, depth: int) -> _Part:
        if depth == _DEEPEST:
            raise ValueError("too many groups within groups")
        self._at += 1
        part = self.either(depth + 1)
        if self.piece != ")":
            raise ValueError("a ( is not closed; write \\( if it is meant")
        self._at += 1
        return part

    def _atom(self) -> _Part:
        piece = self.piece
        if piece in _REPEATS:
            raise ValueError(f"nothing stands before {piece} that it could repeat")
        self.atoms.append(_one_letter(piece))
        self.following.append(set())
        self._at += 1
        place = frozenset({len(self.atoms) - 1})
        return _Part(False, place, place)

    def _follow(self, before: Iterable[int], after: frozenset[int]) -> None:
        for place in before:
            self.following[place] |= after


def _one_letter(piece: str) -> str:
    """The piece as a regular expression for one letter, or a ValueError."""
    for escaped in re.findall(r"\\(.?)", piece, re.DOTALL):
        if not escaped or (escaped.isalnum() and escaped not in "dw"):
            raise ValueError(f"\\{escaped} is not known in patterns")
    if piece in {"{", "}", "^", "$", "["}:
        raise ValueError(f"{piece} has no meaning here; write \\{piece} if the letter is meant")
    if len(piece) == 1:
        return piece if piece == "." else re.escape(piece)
    if piece.startswith("["):
        if "--" in piece:
            raise ValueError(f"{piece} is no class of letters; write \\- for a -")
        try:
            re.compile(piece)
        except re.error as error:
            raise ValueError(f"{piece} is no class of letters") from error
    return piece
