"""Rules change while the system runs: files are read again, the API writes its own."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from alerts import rule_book, rule_files
from alerts.explanation import RuleFacts
from alerts.followup import FollowUp
from alerts.muting import Relations
from alerts.rule_book import Book
from alerts.rule_facts import rule_facts
from alerts.rules import Rule
from core.configuration import Configuration
from core.errors import ConfigError, RegistryError
from ingest.by_people import ByPeople
from storage.changes import note
from storage.ledger import Ledger
from storage.registry import known
from storage.rules import (
    OwnRule,
    in_force,
    keep_own_rule,
    keep_versions,
    own_rules,
    remove_own_rule,
)

FILES = "files"

log = logging.getLogger(__name__)

Changed = Mapping[str, tuple[str, str]]  # by rule its version before and now, empty for none


def first_book(folder: Path, city: Configuration, ledger: Ledger) -> tuple[Book, tuple[Rule, ...]]:
    """The rules as they are written at a start, and those that were in force before.

    Raises:
        ConfigError: the files have mistakes.
        StorageError: the ledger refuses.
    """
    with ledger.transaction() as connection:
        book, before = _read(folder, city, connection), in_force(connection)
        for rule in book.doubled:  # as with sites and devices
            log.warning("rule %s was made by the API; a file has it now, and wins", rule)
            remove_own_rule(connection, rule)
    now = {rule.id: rule for rule in book.rules}
    found = (rule_files.meant(meaning, v) or now.get(name) for name, (v, meaning) in before.items())
    return book, tuple(rule for rule in found if rule is not None)


class RuleDesk:
    """The rules that are in force; changed on the pipeline's thread, read from any."""

    def __init__(
        self,
        folder: Path,
        city: Configuration,
        by_people: ByPeople,
        follow_up: FollowUp,
        book: Book,
    ) -> None:
        self.book = book
        self._follow_up = follow_up
        self._folder = folder
        self._city = city
        self._by_people = by_people
        self._facts = rule_facts(book.rules, book.limits)

    def begin(self, before: Sequence[Rule]) -> None:
        """Let the rules of the start be in force instead of those `before`.

        Raises:
            StorageError: the ledger refuses.
        """
        book = self.book
        same = {rule.id: rule.version for rule in before} == {r.id: r.version for r in book.rules}
        self._by_people.begin(
            lambda connection, at: _keep(connection, book, FILES, at), None if same else book.rules
        )

    def facts(self) -> Mapping[str, RuleFacts]:
        """What is told of each rule."""
        return self._facts

    def reload(self, by: str) -> Changed:
        """Read the files again. Alerts of rules that are others now end; the rest goes on.

        Raises:
            ConfigError: the files have mistakes; nothing changed.
            StorageError: nothing changed.
        """
        return self._change(by, "rules-reload", "", lambda _: None)

    def keep(self, own: OwnRule, by: str, action: str) -> Changed:
        """Make a rule of the API so; `action` is for the audit.

        Raises:
            RegistryError: it is wrong, or a file has one of this name; nothing changed.
            ConfigError: the files have mistakes meanwhile; nothing changed.
            StorageError: nothing changed.
        """

        def write(connection: Connection) -> None:
            keep_own_rule(connection, own)

        return self._change(by, action, own.id, write)

    def remove(self, rule: str, by: str) -> Changed:
        """A rule of the API is no more.

        Raises:
            RegistryError: other rules need it; nothing changed.
            ConfigError: the files have mistakes meanwhile; nothing changed.
            StorageError: nothing changed.
        """
        return self._change(by, "rule-delete", rule, lambda c: remove_own_rule(c, rule))

    def trial(
        self, connection: Connection, bodies: Sequence[Mapping[str, Any]]
    ) -> tuple[Rule, ...]:
        """Rules that are meant to be tried, by what the registry is now.

        Raises:
            RegistryError: one of them is wrong.
        """
        return rule_book.trial(bodies, _place(self._city, connection), self.book.limits)

    def _change(
        self, by: str, action: str, subject: str, write: Callable[[Connection], None]
    ) -> Changed:
        def change(connection: Connection, at: int) -> tuple[Book, Changed]:
            write(connection)
            book = _read(self._folder, self._city, connection)
            if book.doubled:
                raise ConfigError(list(book.doubled.values()))
            if subject in book.listed:
                _refuse_strangers(book, subject)
            elif subject:
                _refuse_orphans(book, self.book)
            changed = _keep(connection, book, by, at)
            note(connection, at, by, action, subject, ", ".join(sorted(changed)))
            return book, changed

        book, changed = self._by_people.rule(change, lambda result: result[0].rules)
        self.book, self._facts = book, rule_facts(book.rules, book.limits)
        self._follow_up.arrangements = replace(
            self._follow_up.arrangements, relations=Relations.of(book.rules)
        )
        return changed


def _read(folder: Path, city: Configuration, connection: Connection) -> Book:
    """The rules as they are written now, in a city as it is now."""
    return rule_book.make(folder, own_rules(connection), _place(city, connection))


def _keep(connection: Connection, book: Book, by: str, at: int) -> Changed:
    said = {name: one.said for name, one in book.listed.items()}
    return keep_versions(connection, said, by=by, at=at)


def _place(city: Configuration, connection: Connection) -> Configuration:
    return replace(known(connection), zone=city.zone, country=city.country)


def _refuse_orphans(book: Book, before: Book) -> None:
    for name, one in book.listed.items():
        if one.problem and not before.listed[name].problem:
            words = f"the rule {name} needs it; change or delete that one first"
            raise RegistryError("conflict", "id", words)


def _refuse_strangers(book: Book, rule: str) -> None:
    listed = book.listed[rule]
    if listed.origin != rule_book.API:
        words = f"this rule is in {listed.origin}; change it there, then reload"
        raise RegistryError("conflict", "id", words)
    rule_book.check(book, rule)
