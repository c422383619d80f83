"""E-mail: `mail` writes, `smtp` hands over; both are loaded when there is a mail server."""

from functools import partial
from typing import TYPE_CHECKING

from core.settings import Settings

if TYPE_CHECKING:
    from alerts.notify.smtp import Smtp
    from alerts.notify.table import Means


def is_set_up(settings: Settings) -> bool:
    """Whether there is a mail server."""
    return bool(settings.smtp_url)


def notifier(means: "Means") -> "Smtp":
    """What sends mails.

    Raises:
        ConfigError: a setting that cannot be used.
    """
    from alerts.notify.mail import Letterhead, sender_of, write  # noqa: PLC0415
    from alerts.notify.smtp import Smtp, server_of  # noqa: PLC0415

    settings = means.settings
    letterhead = Letterhead(
        sender=sender_of(settings.mail_from),
        zone=means.zone,
        public_url=settings.public_url,
        unsubscribe=means.links.unsubscribe,
    )
    password = settings.smtp_password.get_secret_value()
    server = server_of(settings.smtp_url, password, settings.smtp_ca_file)
    return Smtp(server, partial(write, letterhead=letterhead))
