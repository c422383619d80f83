"""Every error that Andaman raises on purpose.

AndamanError
├── BusyError        one thing at a time: say so, and try again later
├── BrokerError      the broker cannot be told whom to let in: say so, try again each second
├── ConfigError      refuse to start; one line for each problem, with file and line
├── DecodeError      quarantine the payload with its reason, acknowledge it, never retry
├── RegistryError    a site or device cannot be changed so: say which field, and what to do
├── StorageError     roll back, do not acknowledge, try again
└── StartError       a port in use, a folder that cannot be written: say so and exit 1
"""

from collections.abc import Sequence

from core.model import Refusal


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
