"""Chance that can be asked again: a number for each key, the same in any order and any process.

A key that ends in a column of whole numbers (moments, days, rounds) gives a column: the names are
hashed once, the numbers by splitmix64, so that a year costs milliseconds.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.readings import FloatColumn, IntColumn

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


@dataclass(frozen=True, slots=True)
class Chance:
    """A seeded source of numbers without state; `key` is whatever names the number."""

    seed: int

    def uniform(self, *key: object) -> float:
        """A number between 0 and 1, both excluded."""
        return ((self._hash(*key) >> 12) + 0.5) / 2**52

    def between(self, low: float, high: float, *key: object) -> float:
        """A number between `low` and `high`."""
        return low + (high - low) * self.uniform(*key)

    def normal(self, *key: object) -> float:
        """A number of mean 0 and standard deviation 1."""
        return float(self.normals(np.zeros(1, np.int64), *key)[0])

    def uniforms(self, numbers: IntColumn, *key: object) -> FloatColumn:
        """For each number one between 0 and 1, both excluded."""
        return _uniforms(_bits(self._hash(*key), numbers))

    def normals(self, numbers: IntColumn, *key: object) -> FloatColumn:
        """For each number one of mean 0 and standard deviation 1 (Box and Muller)."""
        bits = _bits(self._hash(*key), numbers)
        far = (_floats(bits >> np.uint64(32)) + 0.5) / 2.0**32
        turn = _floats(bits & np.uint64(0xFFFFFFFF)) / 2.0**32
        normals: FloatColumn = np.sqrt(-2 * np.log(far)) * np.cos(2 * np.pi * turn)
        return normals

    def drift(self, times: IntColumn, period: int, *key: object) -> FloatColumn:
        """A curve between −1 and 1 that wanders to a new height each `period` (µs)."""
        drift: FloatColumn = self.drifts(times, period, [key])[0]
        return drift

    def drifts(
        self, times: IntColumn, period: int, keys: Iterable[Sequence[object]]
    ) -> FloatColumn:
        """The drift of each key, one below the other."""
        hashes = np.array([self._hash(*key) for key in keys], np.uint64)
        steps, rest = np.divmod(times, period)
        heights = 2 * _uniforms(_bits(hashes[:, None, None], np.stack([steps, steps + 1]))) - 1
        before, after = heights[:, 0], heights[:, 1]
        wandered: FloatColumn = before + (after - before) * smooth(rest / period)
        return wandered

    def _hash(self, *key: object) -> int:
        name = repr((self.seed, *key)).encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())


def _bits(hashed: int | NDArray[np.uint64], numbers: IntColumn) -> NDArray[np.uint64]:
    bits = np.uint64(hashed) + numbers.astype(np.uint64) * _GOLDEN
    for shift, factor in _MIX:
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def _uniforms(bits: NDArray[np.uint64]) -> FloatColumn:
    return (_floats(bits >> np.uint64(12)) + 0.5) / 2.0**52


def _floats(bits: NDArray[np.uint64]) -> FloatColumn:
    return bits.astype(np.float64)


def smooth(part: FloatColumn) -> FloatColumn:
    """From 0 to 1 without a corner, flat outside.

    >>> smooth(np.array([-1, 0.5, 2])).tolist()
    [0.0, 0.5, 1.0]
    """
    part = np.clip(part, 0.0, 1.0)
    return part * part * (3 - 2 * part)


def bell(distance: FloatColumn, width: float) -> FloatColumn:
    """1 in the middle, 0.61 at `width`, nearly 0 beyond three widths."""
    return np.exp(-0.5 * (distance / width) ** 2)
