"""The broker follows the ledger; what could not be told is told later, and said once."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.errors import BrokerError
from ingest.follower import Follower
from storage.credentials import Credential, credential_of, rotate
from tests.service import NOW, service


class Door:
    """A broker that can be out of order."""

    def __init__(self) -> None:
        self.broken = False
        self.told: list[list[str]] = []

    def admit(self, credentials: Sequence[Credential]) -> None:
        if self.broken:
            raise BrokerError("the file cannot be written")
        self.told.append([found.gateway for found in credentials])


def test_it_tells_again_until_the_broker_knows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ingest.follower")
    with service(tmp_path) as served:
        door = Door()
        follower = Follower(served.context.readers, door)
        follower.follow()
        door.broken = True
        rotate(served.ledger, credential_of("gw", "secret"), NOW, by="k")
        with pytest.raises(BrokerError):
            follower.follow()
        follower.check()
        assert follower.failing == "the file cannot be written"
        door.broken = False
        follower.check()
        follower.check()
    assert door.told == [[], ["gw"]]
    assert follower.failing == ""
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
