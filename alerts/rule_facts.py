"""What is to be told of each rule: its name, its kind, and the standards behind it. Pure."""

from collections.abc import Mapping, Sequence

from alerts.explanation import RuleFacts
from alerts.operations import OPERATIONS
from alerts.rules import Threshold
from alerts.standards import Limit


def rule_facts(rules: Sequence[Threshold], limits: Mapping[str, Limit]) -> Mapping[str, RuleFacts]:
    """By the id of the rule; also of those about the system itself, which stand in no file."""
    own = {rule: RuleFacts(name=name) for rule, name in OPERATIONS.items()}
    return own | {rule.id: _facts(rule, limits) for rule in rules}


def _facts(rule: Threshold, limits: Mapping[str, Limit]) -> RuleFacts:
    words, named = rule.source, list[Limit]()
    for limit in limits.values():
        cited = f"{limit.source} ({limit.date})"
        if limit.parameter == rule.parameter and cited in words:
            words = words.replace(cited, "").strip()
            named.append(limit)
    return RuleFacts(name=rule.name, kind="threshold", source=words, standards=named)
