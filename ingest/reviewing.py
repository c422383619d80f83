"""The reviews that are still to be done: the oldest first, one step at a time."""

from sqlalchemy import Connection

from core.annotations import Review
from core.readings import Cause, Revision
from ingest.overrule import Overrule
from ingest.quality.settings import QualitySettings
from ingest.reprocess import Reprocess, SettingsOf
from ingest.review import look_again


class Reviewing:
    """What a step has done counts once it is committed and accepted; else it is done again."""

    def __init__(
        self,
        waiting: tuple[Review, ...],
        settings: QualitySettings,
        overrule: Overrule,
        *,
        settings_of: SettingsOf,
    ) -> None:
        """Reviews that are not finished, and what they go by: the settings of all series, and those
        of some, numbered anew.
        """
        self.waiting = waiting
        self._settings = settings
        self._overrule = overrule
        self._settings_of = settings_of
        self._stepped: Reprocess | None = None
        self._accepted: Reprocess | None = None

    def step(self, connection: Connection, now: int) -> tuple[Review, list[Revision]]:
        """The oldest review after its next step, and what that changes."""
        review = self.waiting[0]
        self._stepped, self._accepted = self._accepted, None  # refused, it begins anew
        if review.cause is not Cause.REPROCESS:
            return look_again(connection, review, self._settings, self._overrule, now)
        if self._stepped is None:
            self._stepped = Reprocess(review, self._settings, self._settings_of)
        return self._stepped.step(connection, review, self._overrule, now)

    def accept(self, review: Review) -> None:
        """It is committed."""
        self.waiting = (() if review.finished else (review,)) + self.waiting[1:]
        self._accepted = None if review.finished else self._stepped
