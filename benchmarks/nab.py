"""The Numenta Anomaly Benchmark: its series, and its scoring by the standard profile.

Written from the published description (Lavin and Ahmad, 2015). Each labelled window counts once,
by the earliest point in it: 1 at its left edge, falling along a sigmoid to 0 at the right one, -1
when it is missed. A point outside costs up to 0.11, less just behind a window. The first 15 % of a
series, at most 750 points, do not count. 100 is all that can be had, 0 is silence.
"""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.readings import BoolColumn, FloatColumn, IntColumn

FALSE = 0.11
STEEPNESS = 5.0
FAR_BEHIND = 3.0  # widths of the window
PROBATION, LONGEST_PROBATION = 0.15, 750


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series: `worth` is what a detection at each point counts, `window` the label's number or
    -1, `counts` whether the point is behind the probation.
    """

    name: str
    at: IntColumn
    value: FloatColumn
    window: IntColumn
    worth: FloatColumn
    counts: BoolColumn

    @property
    def windows(self) -> int:
        """How many anomalies there are."""
        return int(self.window.max(initial=-1)) + 1

    def score(self, detected: BoolColumn) -> float:
        """What these detections count; `windows` at the most, minus that for silence."""
        hits = detected & self.counts
        found = float(self.worth[hits & (self.window < 0)].sum())
        for number in range(self.windows):
            inside = hits & (self.window == number)
            found += float(self.worth[inside].max()) if inside.any() else -1.0
        return found


def normal(scores: Sequence[float], windows: int) -> float:
    """The scores of series with so many windows together, from 0 for silence to 100."""
    return 100 * (sum(scores) + windows) / (2 * windows)


def load(folder: Path) -> list[Labelled]:
    """The series that lie in a folder beside `windows.json`."""
    labels = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    return [_labelled(folder / name, labels[name]) for name in sorted(labels)]


def _labelled(path: Path, labels: Sequence[Sequence[str]]) -> Labelled:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    at = _times([row["timestamp"] for row in rows])
    window, worth = np.full(len(at), -1), np.full(len(at), -FALSE)
    edges = [np.flatnonzero(np.isin(at, _times(label))) for label in labels]
    for number, (first, last) in enumerate(edges):
        width = last - first + 1
        inside = np.arange(first, last + 1)
        window[inside] = number
        worth[inside] = [_sigmoid((i - last - 1) / width) / _sigmoid(-1.0) for i in inside]
        end = edges[number + 1][0] if number + 1 < len(edges) else len(at)
        worth[last + 1 : end] = [
            FALSE * _sigmoid((i - last) / (width - 1)) for i in range(last + 1, end)
        ]
    probation = min(math.floor(PROBATION * len(at)), LONGEST_PROBATION)
    value = np.array([float(row["value"]) for row in rows])
    return Labelled(path.stem, at, value, window, worth, np.arange(len(at)) >= probation)


def _times(texts: Sequence[str]) -> IntColumn:
    return np.array(texts, "datetime64[us]").astype(np.int64)


def _sigmoid(place: float) -> float:
    """By the place in a window, -1 at the left edge and 0 at the right one, or behind it."""
    return -1.0 if place > FAR_BEHIND else 2 / (1 + math.exp(STEEPNESS * place)) - 1


# Of NAB's own detectors, by the scores of each point that its repository publishes, at the limit
# that it publishes for the standard profile: that is the best for all 58 series, these six among
# them. In the order of `load`.
PUBLISHED = {
    "Numenta TM": (1.11, 0.86, 0.86, 0.0, 0.86, 3.35),
    "HTM Java": (1.34, 0.82, 0.86, 0.0, 0.53, 3.33),
    "ARTime": (1.66, 0.80, 0.86, 0.0, 0.36, 3.11),
    "CAD OSE": (-0.32, 0.91, 0.86, -0.11, 0.75, 3.36),
    "Numenta HTM": (-0.76, 0.50, 0.86, -0.22, 0.86, 3.20),
    "Random Cut Forest": (1.76, -1.0, 0.86, 0.0, 0.86, 1.47),
    "earthgecko Skyline": (1.73, -1.0, 0.84, 0.0, 0.67, 1.56),
    "Relative Entropy": (-1.40, 0.89, 0.86, -0.55, -0.37, 3.35),
    "Etsy Skyline": (-2.0, -1.0, 0.84, 0.0, 0.76, 3.39),
    "KNN CAD": (-0.77, 0.62, 0.64, -0.44, 0.31, 1.25),
    "Twitter ADVec": (-2.0, 0.53, 0.76, -0.88, 0.75, -0.34),
    "Windowed Gaussian": (-2.0, -1.0, -1.0, 0.0, -1.0, 3.47),
    "EXPoSE": (-2.0, 0.48, 0.78, 0.0, -1.11, -0.40),
    "Bayesian Changepoint": (-2.0, -1.23, -1.26, -2.42, -1.0, 1.64),
}
