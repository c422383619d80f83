"""What the public may do without a key: nothing is given away, nothing changes by a look."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from api.public_words import WORDS
from core.access import Role
from core.languages import LANGUAGES
from core.notices import Channel
from core.subscribers import ConsentWay, Subscriber, SubscriberState
from storage import joining, subscribers
from storage.notify_schema import notices
from tests.people import MAIL, SOMEBODY
from tests.service import LINKS, NOW, Service

ADDRESS = "nok@example.com"
FORM: dict[str, Any] = {
    "email": ADDRESS,
    "language": "en",
    "places": ["site:bay", "kind:bin"],
    "severity": "critical",
    "quiet_from": "22:00",
    "quiet_until": "06:30",
    "digest": "",
    "consent": "yes",
}


def send(served: Service, path: str = "/public/subscriptions?lang=en", **changes: Any) -> Any:
    body = urlencode(FORM | changes, doseq=True)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return served.http.post(path, content=body, headers=kind)


def somebody(served: Service, address: str = ADDRESS) -> Subscriber | None:
    with served.ledger.transaction() as connection:
        return subscribers.by_contact(connection, Channel.EMAIL, address)


def asked(served: Service) -> list[str]:
    """The words of the mails that ask for confirmation."""
    with served.ledger.transaction() as connection:
        rows = connection.execute(notices.select().order_by(notices.c.made_at)).all()
    assert {row.reason for row in rows} <= {"confirm"}
    return [row.token for row in rows]


@pytest.mark.parametrize("name", WORDS)
def test_every_phrase_is_there_in_each_language(name: str) -> None:
    assert {language for language, text in WORDS[name].items() if text} == set(LANGUAGES)


def test_a_sign_up_is_nothing_until_it_is_confirmed(served: Service) -> None:
    answer = send(served)
    assert (answer.status_code, "Look into your mailbox" in answer.text) == (202, True)
    one = somebody(served)
    assert one is not None
    assert (one.state, one.subscriptions) == (SubscriberState.UNCONFIRMED, ())
    (word,) = asked(served)
    looked = served.http.get(f"/public/confirm/{word}?lang=en")
    assert 'method="post"' in looked.text
    unchanged = somebody(served)
    assert unchanged == one
    done = served.http.post(f"/public/confirm/{word}?lang=en")
    assert "You are signed up" in done.text
    one = somebody(served)
    assert one is not None
    assert (one.state, one.language) == (SubscriberState.ACTIVE, "en")
    assert {s.target for s in one.subscriptions} == {"bay", "bin"}
    assert one.preferences.quiet is not None
    assert one.consent is not None
    assert one.consent.way is ConsentWay.WEB
    assert "used or too old" in served.http.post(f"/public/confirm/{word}?lang=en").text


def test_the_answer_does_not_say_whether_an_address_is_known(served: Service) -> None:
    subscribers.add(served.ledger, SOMEBODY, by="k1", at=NOW)
    known, stranger = send(served, email=MAIL.address), send(served)
    assert known.text == stranger.text
    assert known.headers == stranger.headers
    again = send(served)
    assert (again.status_code, again.text) == (202, stranger.text)
    assert len(asked(served)) == 2  # no second mail to the same a moment later


def test_who_is_known_changes_nothing_before_confirming(served: Service) -> None:
    subscribers.add(served.ledger, SOMEBODY, by="k1", at=NOW)
    joining.stop(served.ledger, SOMEBODY.id, by="web", at=NOW)
    send(served, email=MAIL.address)
    before = somebody(served, MAIL.address)
    assert before is not None
    assert before.state is SubscriberState.STOPPED
    (word,) = asked(served)
    served.http.post(f"/public/confirm/{word}")
    after = somebody(served, MAIL.address)
    assert after is not None
    assert (after.id, after.state, after.name) == ("s1", SubscriberState.ACTIVE, "Somchai")
    assert {s.target for s in after.subscriptions} == {"bay", "bin"}


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        pytest.param({"email": "nok"}, "wrong-email", id="no address"),
        pytest.param({"email": "a@b.th\nBcc: c@d.th"}, "wrong-email", id="a second header"),
        pytest.param({"places": []}, "wrong-places", id="nothing chosen"),
        pytest.param({"places": ["site:atlantis"]}, "wrong-places", id="no place"),
        pytest.param({"quiet_until": ""}, "wrong-quiet", id="no end of the night"),
        pytest.param({"quiet_until": "22:00"}, "wrong-quiet", id="a night without hours"),
        pytest.param({"digest": "8"}, "wrong-digest", id="no hour"),
        pytest.param({"consent": ""}, "wrong-consent", id="no consent"),
    ],
)
def test_the_form_comes_back_with_what_is_wrong(
    served: Service, change: dict[str, Any], phrase: str
) -> None:
    answer = send(served, **change)
    assert answer.status_code == 400
    assert WORDS[phrase]["en"] in answer.text
    assert asked(served) == []


def test_what_was_typed_comes_back_escaped(served: Service) -> None:
    answer = send(served, email='"><script>alert(1)</script>', places=["kind:bin"])
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert 'value="kind:bin" checked' in answer.text


def test_programs_may_send_json(served: Service) -> None:
    body = {"email": ADDRESS, "consent": True, "subscriptions": [{"scope": "all"}]}
    answer = served.http.post("/public/subscriptions", json=body)
    assert (answer.status_code, list(answer.json())) == (202, ["detail"])
    wrong = served.http.post("/public/subscriptions", json=body | {"digest": "8"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "digest")
    (word,) = asked(served)
    served.http.post(f"/public/confirm/{word}")
    one = somebody(served)
    assert one is not None
    assert one.state is SubscriberState.ACTIVE


def test_nobody_signs_up_the_whole_town(served: Service) -> None:
    answers = [send(served, email=f"{n}@example.com") for n in range(11)]
    assert [a.status_code for a in answers] == [202] * 10 + [429]
    assert "try again later" in answers[-1].text
    assert len(asked(served)) == 10


def test_without_a_mail_server_nothing_is_promised(served: Service) -> None:
    http = served.with_context(channels=frozenset())
    assert "cannot be sent" in http.get("/public/subscribe?lang=en").text
    body = {"email": ADDRESS, "consent": True, "subscriptions": [{"scope": "all"}]}
    assert http.post("/public/subscriptions", json=body).status_code == 503


def test_one_click_stops_everything_and_a_look_stops_nothing(served: Service) -> None:
    subscribers.add(served.ledger, SOMEBODY, by="k1", at=NOW)
    path = f"/u/{LINKS.token(SOMEBODY.id)}"
    assert 'method="post"' in served.http.get(path).text
    assert somebody(served, MAIL.address) == SOMEBODY
    done = served.http.post(path, content="List-Unsubscribe=One-Click")
    assert done.status_code == 200
    stopped = somebody(served, MAIL.address)
    assert stopped is not None
    assert stopped.state is SubscriberState.STOPPED
    assert served.http.post(path).text == done.text


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("s1f0c2b7e9a3d4586.AAAAAAAAAAAAAAAAAAAAAA", id="forged"),
        pytest.param("s1", id="an id alone"),
        pytest.param("x" * 300, id="long"),
        pytest.param("%3Cscript%3E", id="a script"),
        pytest.param("é", id="no ASCII"),
    ],
)
def test_a_forged_link_is_answered_like_a_good_one(served: Service, token: str) -> None:
    subscribers.add(served.ledger, SOMEBODY, by="k1", at=NOW)
    good = served.http.post(f"/u/{LINKS.token(SOMEBODY.id)}")
    assert served.http.post(f"/u/{token}").text == good.text
    shown = served.http.get(f"/u/{token}")
    assert "<script" not in shown.text
    assert shown.status_code == 200


@pytest.mark.parametrize("path", ["/public/subscribe", "/u/x", "/public/confirm/x"])
def test_the_pages_need_nothing_from_elsewhere(served: Service, path: str) -> None:
    answer = served.http.get(path)
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|https?://|javascript:", answer.text)
    assert '<html lang="th">' in answer.text
    assert '<html lang="en">' in served.http.get(path, headers={"Accept-Language": "en-GB"}).text
    assert '<html lang="th">' in served.http.get(f"{path}?lang=th").text


def test_somebody_stopped_shows_in_the_list(served: Service) -> None:
    subscribers.add(served.ledger, SOMEBODY, by="k1", at=NOW)
    served.http.post(f"/u/{LINKS.token(SOMEBODY.id)}")
    (one,) = served.get("/v1/subscribers", Role.OFFICER, state="stopped")["items"]
    assert one["id"] == SOMEBODY.id
