"""What is learned of a series, as a row of numbers: under a kilobyte, whatever comes.

Rows are float32, so that they are small; all arithmetic is done in float64.
"""

import base64
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Learned: TypeAlias = NDArray[np.float32]  # one row a series

# Where things stand in a row: of the series as a whole,
SLOT = 0  # the last that was learned from
SEEN = 1  # how many were
CENTRE = 2
SPREAD = 3  # about what is usual
ERROR = 4  # about what was forecast
LEVEL = 5  # how far the series is off what is usual
COVARIANCE = 6  # of the level with the one before it
VARIANCE = 7
SLOW = 8  # means of what it is off, over a week
FAST = 9  # and over hours
RISING = 10  # sums of what is above the forecast
FALLING = 11  # and below
UNREST = 12  # means of the error over hours
USUAL_UNREST = 13  # and over weeks
EPISODE = 14  # the last slot in which something was rare
BOUND = 15  # of each symptom: what one in twenty exceeds
SYMPTOMS = 7
EXCESS = BOUND + SYMPTOMS  # and by how much then
WHOLE = EXCESS + SYMPTOMS
# of an hour of the day, of an hour of a kind of day, of a phase of the tide:
HOURS, PHASES = 24, 12
BY_HOUR = WHOLE
BY_DAY = BY_HOUR + HOURS
BY_TIDE = BY_DAY + 2 * HOURS
SPREAD_BY_HOUR = BY_TIDE + PHASES
ERROR_BY_HOUR = SPREAD_BY_HOUR + HOURS
SEEN_BY_HOUR = ERROR_BY_HOUR + HOURS
SEEN_BY_DAY = SEEN_BY_HOUR + HOURS
SEEN_BY_TIDE = SEEN_BY_DAY + 2 * HOURS
WIDTH = SEEN_BY_TIDE + PHASES

FIRST_BOUNDS, FIRST_EXCESS = (2.5, 2.5, 1.2, 1.0, 4.0, 1.8, 1.8), 0.3


def nothing(count: int) -> Learned:
    """Of `count` series, before anything is learned."""
    rows = np.zeros((count, WIDTH), np.float32)
    rows[:, BOUND:EXCESS] = FIRST_BOUNDS
    rows[:, EXCESS:WHOLE] = FIRST_EXCESS
    return rows


def written(row: Learned) -> str:
    """A row as text; what is read from it is equal to the bit."""
    return base64.b64encode(row.astype("<f4").tobytes()).decode()


def read(text: str) -> Learned:
    """The opposite.

    Raises:
        ValueError: it was written in another layout.
    """
    kept = base64.b64decode(text)
    if len(kept) != 4 * WIDTH:
        raise ValueError(f"{len(kept)} bytes instead of {4 * WIDTH}")
    return np.frombuffer(kept, "<f4").astype(np.float32)
