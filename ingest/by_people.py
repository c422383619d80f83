"""What people change: registry, rules, what they say of readings and do to alerts.

Each is one transaction on the pipeline's thread, between two batches, and a moment of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from core.alerts import Action, Transition
from ingest.pipeline import NOTHING_CHECKED, Pipeline
from ingest.review import remembered
from storage.annotations import said
from storage.registry import Change, Result, known
from storage.units import differing


class ByPeople:
    """Changes that people ask for; called from the pipeline's thread only."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def enrol(self, change: Change[Result]) -> Result:
        """Change the registry: in the ledger, in what is known here and in what the rules watch.

        Raises:
            StorageError, and whatever `change` raises: nothing changed.
        """
        pipeline = self._pipeline
        now = self._moment()
        self._settle_births()
        with pipeline.ledger.transaction() as connection:
            result = change(connection)
            city = known(connection)
            moved, units = pipeline.registry.moved(city), pipeline.registry.units(city)
            committed = pipeline.refit(connection, now, moved=moved, units=units)
        pipeline.registry.take(city)
        pipeline.fit()
        committed()
        return result

    def rule(
        self, change: Callable[[Connection, int], Result], rules: Callable[[Result], Sequence[Any]]
    ) -> Result:
        """Change the rules, which `rules` takes from the result, from a moment on, which `change`
        is told: in the ledger, and for what comes then.

        Raises:
            StorageError, and whatever `change` raises: nothing changed.
        """
        pipeline = self._pipeline
        now = self._moment()
        self._settle_births()
        with pipeline.ledger.transaction() as connection:
            result = change(connection, now)
            committed = pipeline.refit(connection, now, rules=rules(result))
        committed()
        return result

    def begin(
        self, change: Callable[[Connection, int], object], rules: Sequence[Any] | None
    ) -> None:
        """At a start, let what files now say of devices and `rules` (None where they are as they
        were) count from a moment on, which `change` is told.

        Raises:
            StorageError, and whatever `change` raises: nothing changed.
        """
        pipeline = self._pipeline
        series, units = pipeline.registry.series, pipeline.registry.units()
        if rules is None and not differing(pipeline.ledger.units(), units):
            with pipeline.ledger.transaction() as connection:
                change(connection, pipeline.clock())
            return
        now = self._moment()
        with pipeline.ledger.transaction() as connection:
            change(connection, now)
            committed = pipeline.refit(connection, now, rules=rules, moved=series, units=units)
        committed()

    def amend(self, change: Change[Result]) -> Result:
        """Change what people say of readings: in the ledger, and for those that come from now on.

        Raises:
            StorageError, and whatever `change` raises: nothing changed.
        """
        pipeline = self._pipeline
        with pipeline.ledger.transaction() as connection:
            result = change(connection)
            now = said(connection)
        pipeline.said = now
        pipeline.fit()
        return result

    def review(self) -> bool:
        """Look again at some of the readings that the oldest review asks for; whether there is more
        to look at.

        Raises:
            StorageError: nothing changed.
        """
        pipeline = self._pipeline
        if not pipeline.reviewing.waiting:
            return False
        with pipeline.ledger.transaction() as connection:
            review, revisions = pipeline.reviewing.step(connection, pipeline.clock())
        moved = remembered(pipeline.state, revisions)
        checked = replace(NOTHING_CHECKED, revisions=revisions, moved=moved)
        pipeline.commit(pipeline.nothing(), checked, review=review)
        pipeline.reviewing.accept(review)
        pipeline.said = replace(pipeline.said, reviews=pipeline.reviewing.waiting)
        return bool(pipeline.reviewing.waiting)

    def act(self, action: Action) -> Transition | None:
        """What an officer does to an alert; the transition, or None when it does not apply to the
        alert as it is.

        Raises:
            StorageError: nothing changed.
        """
        pipeline = self._pipeline
        now = self._moment()
        outcome = pipeline.engine.on_action(action, now)
        by_hand = (t for t in outcome.transitions if t.alert == action.alert and "by" in t.evidence)
        done = next(by_hand, None)
        if done is not None:
            acted = (action, now)
            pipeline.commit(outcome, acted=acted, heard_at=now)
        return done

    def _moment(self) -> int:
        """The present; no timer counts a silence up to now that we could not hear."""
        pipeline = self._pipeline
        pipeline.resume()
        pipeline.listen(pipeline.moment())
        return pipeline.moment()

    def _settle_births(self) -> None:
        """Those of a batch that failed, to come again."""
        pipeline = self._pipeline
        if pipeline.registry.newborn or pipeline.registry.arrived:
            pipeline.commit(pipeline.nothing())
