"""Gateways' credentials by API: shown once, kept as hashes, ended at once."""

from typing import Any

import bcrypt
import pytest
from sqlalchemy import select

from core.access import Role
from core.errors import BrokerError
from storage import schema
from storage.credentials import adopt, in_force, without
from tests.service import CITY, NOW, Service

KATA = {"id": "gw-kata", "name": {"en": "Kata", "th": "กะตะ"}}


def post(served: Service, path: str, body: Any = None, **context: Any) -> Any:
    http = served.with_context(**context) if context else served.http
    return http.post(f"/v1/gateways{path}", json=body, headers=served.headers(Role.ADMIN))


def credentials(served: Service) -> dict[str, str]:
    """The hash for nats-server of each that is in force."""
    with served.ledger.transaction() as connection:
        return {found.gateway: found.bcrypt for found in in_force(connection)}


def audit(served: Service) -> list[tuple[str, str, str]]:
    c = schema.audit.c
    return [tuple(row) for row in served.ledger.read(select(c.action, c.subject, c.detail))]


def test_a_made_gateway_has_a_secret_that_is_kept_as_hashes_alone(served: Service) -> None:
    response = post(served, "", KATA)
    assert response.status_code == 201
    answer = response.json()
    assert (answer["id"], answer["note"]) == ("gw-kata", None)
    assert len(bytes.fromhex(answer["secret"])) == 32
    assert bcrypt.checkpw(answer["secret"].encode(), credentials(served)["gw-kata"].encode())
    assert answer["secret"] not in str(served.ledger.read(select(schema.credentials)))
    assert ("gateway-made", "gw-kata", "") in audit(served)
    (gateway,) = (g for g in served.get("/v1/gateways")["items"] if g["id"] == "gw-kata")
    assert gateway["name"] == KATA["name"]
    assert gateway["credential"] == {"issued_at": "2026-11-22T01:00:00Z", "revoked_at": None}


def test_a_gateway_of_the_files_gets_its_first_secret_by_rotation(served: Service) -> None:
    assert served.get("/v1/gateways")["items"][0]["credential"] is None
    first = post(served, "/gw/rotate").json()["secret"]
    second = post(served, "/gw/rotate").json()["secret"]
    assert first != second
    assert bcrypt.checkpw(second.encode(), credentials(served)["gw"].encode())
    assert [line[0] for line in audit(served)[-2:]] == ["gateway-rotated"] * 2


def test_a_revocation_ends_the_credential_and_the_keys_of_the_gateway(served: Service) -> None:
    post(served, "/gw/rotate")
    answer = post(served, "/gw/revoke").json()
    assert answer == {"id": "gw", "credential": True, "keys": 1, "note": None}
    assert credentials(served) == {}
    pushed = served.http.post("/v1/readings", json={}, headers=served.headers(Role.GATEWAY))
    assert pushed.status_code == 401
    assert served.http.get("/v1/sites", headers=served.headers()).status_code == 200
    assert audit(served)[-1] == ("gateway-revoked", "gw", "1 API keys with it")
    post(served, "/gw/rotate")
    assert list(credentials(served)) == ["gw"]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        pytest.param("/nobody/rotate", None, 404, "There is no gateway nobody", id="unknown"),
        pytest.param("/nobody/revoke", None, 404, "There is no gateway nobody", id="unknown too"),
        pytest.param("/g.w/rotate", None, 400, "gateway: should match", id="a dot"),
        pytest.param("", KATA | {"id": "g.w"}, 400, "without dot or colon", id="an id with a dot"),
        pytest.param("", KATA | {"id": "g:w"}, 400, "without dot or colon", id="with a colon"),
        pytest.param("", KATA | {"id": "x" * 65}, 400, "up to 64 letters", id="a long id"),
        pytest.param("", KATA | {"id": "gw"}, 409, "rotate it", id="taken"),
        pytest.param("", {"id": "gw-kata"}, 400, "name: is missing", id="no name"),
        pytest.param("", KATA | {"name": {"en": "", "th": "x"}}, 400, "name.en", id="empty name"),
        pytest.param("", KATA | {"secret": "mine"}, 400, "not known here", id="a chosen secret"),
    ],
)
def test_it_says_what_is_wrong(
    served: Service, path: str, body: Any, status: int, words: str
) -> None:
    response = post(served, path, body)
    assert response.status_code == status
    assert words in response.json()["detail"]
    assert credentials(served) == {}


def test_who_is_out_cannot_be_revoked_again(served: Service) -> None:
    post(served, "/gw/revoke")
    response = post(served, "/gw/revoke")
    assert response.status_code == 409
    assert "nothing in force" in response.json()["detail"]


def test_it_says_that_the_broker_could_not_be_told(served: Service) -> None:
    async def admit() -> str:
        raise BrokerError("/etc/passwords: cannot be written (Permission denied)")

    response = post(served, "/gw/rotate", admit=admit)
    assert response.status_code == 503
    assert "/etc/passwords: cannot be written (Permission denied)" in response.json()["detail"]
    assert "tries again" in response.json()["detail"]
    assert list(credentials(served)) == ["gw"]


def test_it_says_what_is_left_to_do_by_hand(served: Service) -> None:
    async def admit() -> str:
        return "tell the broker"

    assert post(served, "/gw/rotate", admit=admit).json()["note"] == "tell the broker"
    assert post(served, "/gw/revoke", admit=admit).json()["note"] == "tell the broker"


def test_nobody_takes_the_name_of_andamans_own_user(served: Service) -> None:
    response = post(served, "", KATA | {"id": "ingest"}, reserved=frozenset({"ingest"}))
    assert response.status_code == 400
    assert "Andaman's own user" in response.json()["detail"]


def test_what_was_made_stays_when_the_files_are_read_again(served: Service) -> None:
    post(served, "", KATA)
    served.ledger.register(CITY)
    assert served.ledger.gateways() == {"gw", "gw-kata"}
    assert list(credentials(served)) == ["gw-kata"]


def test_a_gateway_that_left_the_files_is_out_and_its_secret_waits(served: Service) -> None:
    post(served, "/gw/rotate")
    served.ledger.register(type(CITY)(sites={}, gateways={}, devices={}))
    assert credentials(served) == {}
    served.ledger.register(CITY)
    assert list(credentials(served)) == ["gw"]


def test_secrets_of_an_earlier_version_are_taken_over_once(served: Service) -> None:
    adopt(served.ledger, {"gw": "old"}, NOW)
    assert bcrypt.checkpw(b"old", credentials(served)["gw"].encode())
    adopt(served.ledger, {"gw": "other"}, NOW)
    assert bcrypt.checkpw(b"old", credentials(served)["gw"].encode())
    with served.ledger.transaction() as connection:
        assert without(connection, ["gw", "gw-9"]) == ["gw-9"]
