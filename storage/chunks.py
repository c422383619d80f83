"""Many ids, a few at a time."""

from collections.abc import Iterable, Iterator, Sequence

_MOST = 500


def chunks(ids: Iterable[str]) -> Iterator[Sequence[str]]:
    """As many as one statement takes."""
    listed = list(ids)
    return (listed[start : start + _MOST] for start in range(0, len(listed), _MOST))
