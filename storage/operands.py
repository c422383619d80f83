"""The alerts that composites count, and what each is judged to be."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from core.alerts import State, Transition
from core.surroundings import Names
from core.verdicts import Operand, Verdict
from storage import schema
from storage.surroundings import names
from storage.verdicts import verdicts

_A = schema.alerts.c


def operands(
    connection: Connection,
    rules: Mapping[str, Names],
    transitions: Sequence[Transition],
    said: Mapping[str, Verdict],
) -> dict[str, Operand]:
    """The alerts of these rules, which are called so, that fire once these transitions are done;
    `said` is what they are judged to be with them.
    """
    statement = select(_A.id, _A.rule, _A.subject, _A.site)
    firing = statement.where(_A.state == State.FIRING.value, _A.rule.in_(rules))
    found: dict[str, Any] = {row.id: row for row in connection.execute(firing)}
    for transition in transitions:
        found.pop(transition.alert, None)
        if transition.after is State.FIRING and transition.rule in rules:
            found[transition.alert] = transition
    places = names(connection, {one.site for one in found.values()})
    before = {alert: one.verdict for alert, one in verdicts(connection, found).items()}
    known = {**before, **said}
    return {
        alert: Operand(
            rule=one.rule,
            subject=one.subject,
            site=one.site,
            name=rules[one.rule],
            place=places.get(one.site) or _as_it_is(one.subject),
            verdict=known.get(alert),
        )
        for alert, one in found.items()
    }


def _as_it_is(subject: str) -> Names:
    """What is at no site is called as it is."""
    which = subject.rpartition("/")[2]
    return {"en": which, "th": which}
