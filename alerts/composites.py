"""Composites: rules about other rules, judged once for each moment at which an operand changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from alerts.cases import Case, Draft, Key, Memory, Told
from alerts.kinds.composite import Composite, holding
from alerts.lifecycle import Change, Sample, elapse, step
from alerts.rules import Rule
from core.alerts import STORM, State

Held = dict[Key, str]  # the alerts of operands that fire, with their sites


class CompositeJudge:
    """Runs the composites, those first whose operands are no composites."""

    def __init__(
        self, rules: Sequence[Rule], districts: Mapping[str, str], sites: Mapping[str, str]
    ) -> None:
        """`districts` are by site, `sites` by device."""
        self._rules = [rule for rule in rules if isinstance(rule.kind, Composite)]
        self._depths = depths(rules)
        self._districts, self._sites = districts, sites
        self._cases: dict[Key, Case] = {}
        self._held: dict[Case, Held] = {}
        self._renewed: tuple[int, int] | None = None
        self._lost = False
        self.deepest = max(self._depths.values(), default=0)

    def case(self, key: Key, site: str) -> Case | None:
        """The case that the ledger calls so; None when there is no such composite."""
        rule = next((rule for rule in self._rules if rule.id == key[0]), None)
        if rule is None or not isinstance(rule.kind, Composite):
            return None
        device = key[1] if rule.kind.over == "device" else ""
        return self._case(rule, key[1], self._sites.get(device, site), device)

    def restore(self, memory: Memory) -> None:
        """Take up which operands hold."""
        for case, watch in memory.watches.items():
            if watch.state is State.FIRING and case.subject != STORM:
                for composite in self._over(case):
                    self._held.setdefault(composite, {})[case.key] = case.site

    def renew(self, at: int, moment: int, *, lost: bool = False) -> None:
        """Judge the new ones at `at` (µs of the clock) and that moment, and all of them where
        operands were `lost` without a word.
        """
        self._renewed, self._lost = (at, moment), lost

    def judge(self, depth: int, draft: Draft) -> None:
        """Judge the composites of one depth by what was told of their operands."""
        seen: dict[Case, list[Told]] = {}
        if self._renewed is not None:
            seen = {case: [] for case in self._cases.values() if case.depth == depth}
            draft.then.append(self._settled)
        for told in sorted(draft.told, key=lambda told: told.order):
            change = told.change
            turned = (change.before is State.FIRING) != (change.after is State.FIRING)
            if turned and told.case.subject != STORM:
                for case in self._over(told.case):
                    if case.depth == depth:
                        seen.setdefault(case, []).append(told)
        for case, changes in seen.items():
            draft.try_out(case, partial(self._judge, case, changes, draft))

    def _judge(self, case: Case, told: Sequence[Told], draft: Draft) -> None:
        held, watch = dict(self._held.get(case, {})), draft.watch(case)
        changes = list[Change]()
        for moment, (least, group) in self._by_moment(told):
            if watch is not None:
                watch, more = elapse(watch, case.terms, moment)
                changes += more
            for operand, change in group:
                if change.after is State.FIRING:
                    held[operand.key] = operand.site
                else:
                    held.pop(operand.key, None)
            if watch is not None and watch.open and not group and not self._lost:
                continue  # it is no new one
            number = float(_number(case, held))
            # What is quiet has the value that it was resolved with.
            if watch is None or watch.idle or watch.quiet or watch.value != number:
                at = max([least, *(change.at for _, change in group)])
                at = at if watch is None or watch.idle else max(at, watch.measured_at)
                watch, more = step(watch, case.terms, Sample(at, moment, number))
                changes += more
        draft.keep(case, watch, changes)
        draft.then.append(partial(self._held.__setitem__, case, held))

    def _by_moment(self, told: Sequence[Told]) -> list[tuple[int, tuple[int, list[Told]]]]:
        """The moments at which to judge, in order: each with an event time, which that of what was
        told then may pass.
        """
        found: dict[int, tuple[int, list[Told]]] = {}
        if self._renewed is not None:
            at, moment = self._renewed
            found[moment] = at, []
        for one in told:
            found.setdefault(one.change.moment, (0, []))[1].append(one)
        return sorted(found.items())

    def _settled(self) -> None:
        self._renewed = None

    def _over(self, case: Case) -> list[Case]:
        """The composites' cases that an operand's case belongs to."""
        found = []
        for rule in self._rules:
            if isinstance(rule.kind, Composite) and case.rule.id in rule.kind.of:
                subject = self._subject(rule.kind.over, case)
                if subject:
                    found.append(self._case(rule, subject, case.site, case.device))
        return found

    def _subject(self, over: str, case: Case) -> str:
        """What the composite's alert is about; empty where the operand's has no such thing."""
        match over:
            case "device":
                return case.device
            case "site":
                return f"site/{case.site}" if case.site else ""
            case "district":
                district = self._districts.get(case.site)
                return f"district/{district}" if district else ""
        return over

    def _case(self, rule: Rule, subject: str, site: str, device: str) -> Case:
        case = self._cases.get((rule.id, subject))
        if case is None:
            over = rule.kind.over if isinstance(rule.kind, Composite) else ""
            place = site if over in {"device", "site"} else ""
            case = Case(
                rule=rule,
                subject=subject,
                site=place,
                terms=replace(rule.at(place), stale_after=None),
                device=device if over == "device" else "",
                depth=self._depths[rule.id],
            )
            self._cases[case.key] = case
        return case


def depths(rules: Sequence[Rule]) -> dict[str, int]:
    """How deep each rule lies: 0, or one more than the deepest operand. There are no cycles."""
    found: dict[str, int] = {}
    known = {rule.id: rule for rule in rules}

    def depth(identifier: str) -> int:
        if identifier not in found:
            kind = known[identifier].kind if identifier in known else None
            operands = kind.of if isinstance(kind, Composite) else ()
            found[identifier] = 1 + max(map(depth, operands)) if operands else 0
        return found[identifier]

    for rule in rules:
        depth(rule.id)
    return found


def _number(case: Case, held: Held) -> int:
    kind = case.rule.kind
    if not isinstance(kind, Composite):
        return 0
    return holding(kind, [(rule, site) for (rule, _), site in held.items()])
