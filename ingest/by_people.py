"""What people change: registry, rules, what they say of readings and do to alerts.

Each is one transaction on the pipeline's thread, between two batches, and a moment of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from core.model import Action, Transition
from ingest.pipeline import NOTHING_CHECKED, Pipeline
from ingest.review import remembered
from storage.annotations import said
from storage.ledger import store
from storage.registry import Change, Result, known


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
        pipeline.resume()
        self._settle_births()
        with pipeline.ledger.transaction() as connection:
            result = change(connection)
            city = known(connection)
            moved = pipeline.registry.moved(city)
            now = pipeline.moment()
            units = pipeline.registry.units(city)
            outcome = pipeline.engine.on_change(now, moved=moved, units=units)
            batch = pipeline.batch(outcome, heard_at=now)
            store(connection, batch)
        pipeline.registry.take(city)
        pipeline.fit()
        pipeline.accepted(batch, outcome)
        return result

    def rule(self, change: Change[Result], rules: Callable[[Result], Sequence[Any]]) -> Result:
        """Change the rules, which `rules` takes from the result: in the ledger, and for what comes
        from now on.

        Raises:
            StorageError, and whatever `change` raises: nothing changed.
        """
        pipeline = self._pipeline
        pipeline.resume()
        self._settle_births()
        with pipeline.ledger.transaction() as connection:
            result = change(connection)
            now = pipeline.moment()
            outcome = pipeline.engine.on_change(now, rules=rules(result))
            batch = pipeline.batch(outcome, heard_at=now)
            store(connection, batch)
        pipeline.accepted(batch, outcome)
        return result

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
        pipeline.resume()
        now = pipeline.moment()
        pipeline.listen(now)
        now = pipeline.moment()
        outcome = pipeline.engine.on_action(action, now)
        by_hand = (t for t in outcome.transitions if t.alert == action.alert and "by" in t.evidence)
        done = next(by_hand, None)
        if done is not None:
            acted = (action, now)
            pipeline.commit(outcome, acted=acted, heard_at=now)
        return done

    def _settle_births(self) -> None:
        """Those of a batch that failed, to come again."""
        pipeline = self._pipeline
        if pipeline.registry.newborn or pipeline.registry.arrived:
            pipeline.commit(pipeline.nothing())
