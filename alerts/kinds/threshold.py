"""`threshold`: the value of a reading, as it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Needs nothing but its levels."""
