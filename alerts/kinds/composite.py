"""`composite`: how many of other rules hold at once, at one place or over many."""

from collections.abc import Collection
from dataclasses import dataclass

CITY = "city"
WIDE = ("district", CITY)  # where a number counts sites, not operands


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """`of` are ids of rules; an operand holds where an alert of it fires. `over` is device, site,
    district or city. `sites` says that the sites are counted at which one holds, not the operands.
    """

    of: tuple[str, ...]
    over: str = "site"
    sites: bool = False


def holding(kind: Composite, held: Collection[tuple[str, str]]) -> int:
    """The number that the levels judge; `held` are (operand, site) of each alert that fires, the
    site empty where it is about none.

    >>> both = Composite(of=("a", "b"))
    >>> holding(both, [("a", "patong"), ("a", "patong")]), holding(both, [("a", "p"), ("b", "p")])
    (1, 2)
    >>> holding(Composite(of=("a",), over="city", sites=True), [("a", "patong"), ("a", "kata")])
    2
    """
    if kind.sites:
        return len({site for _, site in held if site})
    return len({operand for operand, _ in held})
