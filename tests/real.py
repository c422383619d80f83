"""Real series beside the repository: tests that need them are skipped where they are missing."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults import Track
from benchmarks.quality_recall import DATA_SETS, tracks_of
from core.times import HOUR

DATA = Path(__file__).resolve().parents[2] / "shared/data"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


def real_tracks() -> list[Track]:
    """Every series of every data set."""
    return [
        track for data in DATA_SETS for found in data.sheets(DATA) for track in tracks_of(found)
    ]


def longest_regular(track: Track) -> Track:
    """Its longest stretch of one reading an hour."""
    breaks = np.flatnonzero(np.diff(track.measured_at) != HOUR) + 1
    ends = np.append(breaks, len(track.value))
    starts = np.insert(breaks, 0, 0)
    longest = int(np.argmax(ends - starts))
    rows = slice(int(starts[longest]), int(ends[longest]))
    return Track(
        device=track.device,
        parameter=track.parameter,
        measured_at=track.measured_at[rows],
        value=track.value[rows],
    )
