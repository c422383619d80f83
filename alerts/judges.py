"""The judges of all kinds together, fitted to one set of rules and one registry."""

from collections.abc import Mapping, Sequence

from alerts.absence import AbsenceJudge
from alerts.baselines import BASELINE, LATELY
from alerts.cases import Case, Draft, Key, Memory
from alerts.composites import CompositeJudge
from alerts.lateness import Lateness
from alerts.neighbourhood import APART
from alerts.operations import OPERATIONS, OperationsJudge
from alerts.rules import Rule
from alerts.series import SeriesJudge
from alerts.storms import Storms
from core.alerts import Reason
from core.registry import Series, Unit


class Judges:
    """Who judges what, and every case there is."""

    def __init__(self, rules: Sequence[Rule], lateness: Lateness) -> None:
        learned = (BASELINE, LATELY, APART)
        self.rules = dict(OPERATIONS) | {rule.id: rule for rule in (*learned, *rules)}
        self._districts: dict[str, str] = {}
        self._sites: dict[str, str] = {}
        self.series = SeriesJudge(rules, lateness)
        self.absence = AbsenceJudge(rules)
        self.composites = CompositeJudge(rules, self._districts, self._sites)
        self.operations = OperationsJudge()
        self.storms = Storms(self.rules.values())
        self._cases: dict[Key, Case] = {case.key: case for case in self.storms.cases.values()}

    def add(self, series: Sequence[Series]) -> None:
        """Take notice of more series; their indices go on from the last."""
        self._cases |= {case.key: case for case in self.series.add(series)}
        self.absence.add(series)
        self._districts |= {s.site: s.district for s in series}
        self._sites |= {s.device: s.site for s in series}

    def attend(self, units: Sequence[Unit], heard: Mapping[str, int], begins: int = 0) -> None:
        """Listen to these devices and their gateways; `heard` is when each was heard last. Rules
        that see them for the first time begin at the moment `begins`.
        """
        self._cases |= {case.key: case for case in self.absence.attend(units, heard, begins)}
        self._districts |= {unit.site: unit.district for unit in units}
        self._sites |= {unit.device: unit.site for unit in units}

    def find(self, key: Key, site: str) -> Case | None:
        """The case that the ledger calls so."""
        known = self._cases.get(key) or self.operations.case(key)
        return known or self.composites.case(key, site)

    def misfit(self, key: Key, version: str, site: str) -> Reason | None:
        """Why a case of a version and site is no more; None when there it is."""
        rule, case = self.rules.get(key[0]), self.find(key, site)
        if rule is None:
            return Reason.RULE_REMOVED
        if rule.version != version:
            return Reason.RULE_CHANGED
        if case is not None and case.site == site:
            return None
        stands = self._sites.get(key[1].partition("/")[0], "")
        return Reason.DEVICE_MOVED if stands not in {"", site} else Reason.RULE_REMOVED

    def restore(self, memory: Memory) -> None:
        """Take up what is remembered, all of it of cases that there are."""
        for case in dict.fromkeys([*memory.watches, *memory.notes]):
            self.series.restore(case, memory)
            self.absence.restore(case, memory)
        self.composites.restore(memory)
        self.storms.restore(memory)

    def accept(self, draft: Draft, memory: Memory) -> None:
        """The draft has been committed and is part of the memory now."""
        changed = list(dict.fromkeys([*draft.watches, *draft.notes]))
        self.series.accept(changed, memory)
        self.absence.accept(changed, memory)
        for step in draft.then:
            step()
