"""People who asked to be told."""

from datetime import time

from core.alerts import Severity
from core.notices import Channel
from core.subscribers import (
    Consent,
    ConsentWay,
    Contact,
    Preferences,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)
from tests.service import NOW

USER = "U4af4980629f1d2b3c4d5e6f708192a3b"
MAIL = Contact(
    channel=Channel.EMAIL, address="a@example.com", state=SubscriberState.ACTIVE, since=NOW
)
SOMEBODY = Subscriber(
    id="s1",
    name="Somchai",
    language="en",
    contacts=(MAIL,),
    subscriptions=(
        Subscription(scope=Scope.ALL, least=Severity.CRITICAL),
        Subscription(scope=Scope.SITE, target="patong"),
    ),
    preferences=Preferences(
        quiet=(time(22), time(6, 30)), digest=time(8), muted_until=NOW, first=Channel.EMAIL
    ),
    consent=Consent(at=NOW, way=ConsentWay.OFFICER),
    made_at=NOW,
)
