"""Subscribers in the ledger: kept whole, changed whole, deleted whole; words that are good once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from core.access import Role
from core.errors import RegistryError
from core.notices import Channel
from core.subscribers import (
    Consent,
    ConsentWay,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)
from core.times import HOUR, MINUTE
from storage import joining, schema, subscribers
from storage.joining import Purpose, Word
from storage.ledger import Ledger
from storage.subscribers import OfficerLink
from tests.people import MAIL, SOMEBODY, USER
from tests.service import NOW


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    subscribers.add(made, SOMEBODY, by="k1", at=NOW)
    yield made
    made.close()


def kept(ledger: Ledger, identifier: str = "s1") -> Subscriber | None:
    with ledger.transaction() as connection:
        return subscribers.subscriber(connection, identifier)


def audited(ledger: Ledger) -> list[tuple[str, str, str, str]]:
    c = schema.audit.c
    with ledger.transaction() as connection:
        rows = connection.execute(select(c.key, c.action, c.subject, c.detail).order_by(c.id))
        return [tuple(row) for row in rows]


def test_somebody_is_kept_whole(ledger: Ledger) -> None:
    assert kept(ledger) == SOMEBODY
    assert kept(ledger, "s2") is None


def test_a_change_is_kept_whole_and_audited_without_anything_personal(ledger: Ledger) -> None:
    wish = Subscription(scope=Scope.KIND, target="air")
    changed = subscribers.change(
        ledger,
        "s1",
        lambda before: replace(before, name="Som", subscriptions=(wish,), stopped_at=NOW),
        by="k2",
        at=NOW,
    )
    assert changed == kept(ledger)
    assert changed is not None
    assert (changed.name, changed.subscriptions) == ("Som", (wish,))
    assert changed.state is SubscriberState.STOPPED
    assert audited(ledger) == [
        ("k1", "subscriber-made", "s1", ""),
        ("k2", "subscriber-changed", "s1", ""),
    ]


def test_what_changes_nothing_is_not_audited(ledger: Ledger) -> None:
    assert subscribers.change(ledger, "s1", lambda same: same, by="k2", at=NOW) == SOMEBODY
    assert subscribers.change(ledger, "s9", lambda same: same, by="k2", at=NOW) is None
    assert len(audited(ledger)) == 1


def test_an_address_belongs_to_one_subscriber(ledger: Ledger) -> None:
    rival = Subscriber(id="s2", contacts=(MAIL,), made_at=NOW)
    with pytest.raises(RegistryError, match="email: is another subscriber's already"):
        subscribers.add(ledger, rival, by="k1", at=NOW)
    assert kept(ledger, "s2") is None


def test_removing_leaves_nothing_of_a_person(ledger: Ledger) -> None:
    joining.keep_word(ledger, "word", Purpose.CONFIRM, "s1", at=NOW)
    assert subscribers.remove(ledger, "s1", by="k1", at=NOW)
    assert not subscribers.remove(ledger, "s1", by="k1", at=NOW)
    with ledger.transaction() as connection:
        for table in (
            schema.subscribers,
            schema.contacts,
            schema.subscriptions,
            schema.one_time_words,
        ):
            assert connection.execute(select(table)).all() == []
    assert "example.com" not in str(audited(ledger))


def test_subscribers_come_in_pages_in_their_order(ledger: Ledger) -> None:
    for number in (3, 2):
        later = Subscriber(id=f"s{number}", made_at=NOW + number)
        subscribers.add(ledger, later, by="k1", at=NOW)
    with ledger.transaction() as connection:
        first = subscribers.subscribers(connection, limit=2)
        rest = subscribers.subscribers(connection, after=(first[-1].made_at, first[-1].id))
        assert [one.id for one in (*first, *rest)] == ["s1", "s2", "s3"]


def test_whoever_cannot_be_reached_is_not_reachable(ledger: Ledger) -> None:
    for number, state in enumerate(SubscriberState):
        contact = replace(MAIL, address=f"{number}@example.com", state=state)
        one = Subscriber(id=f"x{number}", contacts=(contact,), made_at=NOW)
        subscribers.add(ledger, one, by="k1", at=NOW)
    joining.stop(ledger, "s1", by="web", at=NOW)
    with ledger.transaction() as connection:
        assert [one.id for one in subscribers.reachable(connection)] == ["x1"]


def test_an_address_that_bounces_says_why(ledger: Ledger) -> None:
    bounced = SubscriberState.BOUNCED
    words = "550 unknown"
    with ledger.transaction() as connection:
        gone = (connection, Channel.EMAIL)
        subscribers.mark_contact(*gone, MAIL.address, bounced, by="x", at=NOW + 1, words=words)
        subscribers.mark_contact(*gone, "b@x", bounced, by="x", at=NOW)
    one = kept(ledger)
    assert one is not None
    assert one.contacts == (replace(MAIL, state=bounced, since=NOW + 1, words="550 unknown"),)
    assert one.state is bounced


def test_a_word_is_good_once_and_for_a_while(ledger: Ledger) -> None:
    word = joining.new_word(Purpose.CONFIRM)
    joining.keep_word(ledger, word, Purpose.CONFIRM, "s1", at=NOW, body="{}")
    assert joining.word_made_at(ledger, Purpose.CONFIRM, "s1") == NOW
    assert joining.use_word(ledger, word, Purpose.LINK, NOW) is None
    assert joining.use_word(ledger, word, Purpose.CONFIRM, NOW + 48 * HOUR) is None
    assert joining.use_word(ledger, word, Purpose.CONFIRM, NOW + HOUR) == Word("s1", "", "{}")
    assert joining.use_word(ledger, word, Purpose.CONFIRM, NOW + HOUR) is None


def test_a_newer_word_ends_the_older_one(ledger: Ledger) -> None:
    for word in ("old", "new"):
        joining.keep_word(ledger, word, Purpose.CONFIRM, "s1", at=NOW)
    assert joining.use_word(ledger, "old", Purpose.CONFIRM, NOW) is None
    assert joining.use_word(ledger, "new", Purpose.CONFIRM, NOW)


def test_following_in_line_makes_a_subscriber_and_coming_back_wakes_them(ledger: Ledger) -> None:
    made = joining.follow(ledger, USER, "th", NOW)
    assert (made.state, made.language) == (SubscriberState.ACTIVE, "th")
    assert made.consent == Consent(at=NOW, way=ConsentWay.CHAT)
    with ledger.transaction() as connection:
        blocked = (Channel.LINE, USER, SubscriberState.BLOCKED)
        subscribers.mark_contact(connection, *blocked, by="line", at=NOW + 1)
    joining.stop(ledger, made.id, by="line", at=NOW + 1)
    back = joining.follow(ledger, USER, "en", NOW + 2)
    assert (back.id, back.state, back.language) == (made.id, SubscriberState.ACTIVE, "th")


def test_a_code_links_a_line_account_to_an_officer(ledger: Ledger) -> None:
    ledger.add_key("key1", "hash", Role.OFFICER, "Somchai", NOW)
    stranger = joining.follow(ledger, USER, "th", NOW)
    code = joining.new_word(Purpose.LINK)
    joining.keep_word(ledger, code, Purpose.LINK, "s1", at=NOW, key="key1")
    assert joining.link(ledger, "WRONGONE", USER, NOW) is None
    linked = joining.link(ledger, f" {code.lower()} ", USER, NOW + MINUTE)
    assert linked == OfficerLink("key1", "Somchai")
    assert joining.link(ledger, code, USER, NOW + MINUTE) is None
    assert kept(ledger, stranger.id) is None
    with ledger.transaction() as connection:
        one = subscribers.by_contact(connection, Channel.LINE, USER)
        assert one is not None
        assert (one.id, one.subscriptions) == ("s1", SOMEBODY.subscriptions)
    ledger.revoke_key("key1", NOW + HOUR, by="k1")
    with ledger.transaction() as connection:
        assert subscribers.officer_of(connection, "s1") is None
