"""What is to be told of each rule: its name, its kind, and the standards behind it. Pure."""

from collections.abc import Mapping, Sequence

from alerts.explanation import RuleFacts
from alerts.kinds.anomaly import Anomaly
from alerts.kinds.composite import Composite
from alerts.kinds.rate import Rate
from alerts.operations import OPERATIONS
from alerts.rules import Rule
from alerts.standards import Limit
from core.times import MINUTE


def rule_facts(rules: Sequence[Rule], limits: Mapping[str, Limit]) -> Mapping[str, RuleFacts]:
    """By the id of the rule; also of those about the system itself, which stand in no file."""
    own = {name: RuleFacts(name=rule.name, kind=name) for name, rule in OPERATIONS.items()}
    return own | {rule.id: _facts(rule, limits) for rule in rules}


def _facts(rule: Rule, limits: Mapping[str, Limit]) -> RuleFacts:
    words, named = rule.source, list[Limit]()
    for limit in limits.values():
        cited = f"{limit.source} ({limit.date})"
        if limit.parameter == rule.parameter and cited in words:
            words = words.replace(cited, "").strip()
            named.append(limit)
    kind = rule.kind
    per = ("minute" if kind.per == MINUTE else "hour") if isinstance(kind, Rate) else ""
    clock = kind.clock if isinstance(kind, Anomaly) else None
    return RuleFacts(
        name=rule.name,
        kind=rule.kind_name,
        per=per,
        clock=clock,
        of=kind.of if isinstance(kind, Composite) else (),
        source=words,
        standards=named,
    )
