"""Every error that Andaman raises on purpose.

AndamanError
├── BusyError        one thing at a time: say so, and try again later
├── BrokerError      the broker cannot be told whom to let in: say so, try again each second
├── ConfigError      refuse to start; one line for each problem, with file and line
├── DecodeError      quarantine the payload with its reason, acknowledge it, never retry
├── DeliveryError    a message was not taken: try again, give up or pause, by whose fault it is
├── RegistryError    a site or device cannot be changed so: say which field, and what to do
├── StorageError     roll back, do not acknowledge, try again
└── StartError       a port in use, a folder that cannot be written: say so and exit 1
"""

from collections.abc import Sequence
from enum import Enum

from core.messages import Refusal


class AndamanError(Exception):
    """The root: catch it where a sentence for a person is due."""


class BrokerError(AndamanError):
    """The broker could not be told whom to let in; the message says what to correct."""


class BusyError(AndamanError):
    """Something runs already of which there may be one; the message says so."""


class ConfigError(AndamanError):
    """The configuration is wrong; `problems` holds one line for each mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class DecodeError(AndamanError):
    """A message that holds no readings that we can read."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Blame(Enum):
    """Whose fault it is that a message was not taken, which decides what is done next."""

    ADDRESS = "address"  # of this recipient alone: never tried again
    CONTENT = "content"  # of the message: never tried again
    CREDENTIALS = "credentials"  # ours: the channel rests until they are mended, nothing is dropped
    QUOTA = "quota"  # the month's messages are spent: another way has to be found
    TEMPORARY = "temporary"  # the server's, or of the way to it: tried again


class DeliveryError(AndamanError):
    """A message that its server did not take; `words` are the server's, without any secret.

    `retry_after` (s) is how long the server asks us to wait, where it says so. With `alone` it says
    nothing of other recipients, who need not wait.
    """

    def __init__(
        self, words: str, blame: Blame, *, retry_after: float | None = None, alone: bool = False
    ) -> None:
        super().__init__(words)
        self.words = words
        self.blame = blame
        self.retry_after = retry_after
        self.alone = alone

    @property
    def permanent(self) -> bool:
        """Whether the very same message to the very same recipient has no chance any more."""
        return self.blame in {Blame.ADDRESS, Blame.CONTENT}


class RegistryError(AndamanError):
    """A change of the registry that cannot be made; `kind` is that of the problem that the API
    answers with: bad-parameter, conflict or not-found.
    """

    def __init__(self, kind: str, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.kind = kind
        self.field = field
        self.words = words


class StorageError(AndamanError):
    """The ledger did not take the batch: nothing of it is stored."""


class StartError(AndamanError):
    """A part could not start; the message says what to do about it."""
