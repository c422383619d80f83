"""Chance that can be asked again: a number for each key, the same in any order and any process."""

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Chance:
    """A seeded source of numbers without state; `key` is whatever names the number."""

    seed: int

    def uniform(self, *key: object) -> float:
        """A number between 0 and 1, both excluded."""
        digest = hashlib.blake2b(repr((self.seed, *key)).encode(), digest_size=6).digest()
        return (int.from_bytes(digest) + 0.5) / 2**48

    def between(self, low: float, high: float, *key: object) -> float:
        """A number between `low` and `high`."""
        return low + (high - low) * self.uniform(*key)

    def normal(self, *key: object) -> float:
        """A number of mean 0 and standard deviation 1."""
        return _NORMAL.inv_cdf(self.uniform(*key))

    def drift(self, time: int, period: int, *key: object) -> float:
        """A curve between −1 and 1 that wanders to a new height each `period` (µs)."""
        step, rest = divmod(time, period)
        before, after = (self.between(-1, 1, *key, step + n) for n in (0, 1))
        return before + (after - before) * smooth(rest / period)


def smooth(part: float) -> float:
    """From 0 to 1 without a corner, flat outside.

    >>> [smooth(x) for x in (-1, 0.5, 2)]
    [0.0, 0.5, 1.0]
    """
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)


def bell(distance: float, width: float) -> float:
    """1 in the middle, 0.61 at `width`, nearly 0 beyond three widths."""
    return math.exp(-0.5 * (distance / width) ** 2)
