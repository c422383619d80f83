"""The engine says what the reference model says; `make model` is the long form."""

from hypothesis import HealthCheck, settings

from tests.reference.machine import Both

TestEngineAndModel = Both.TestCase
TestEngineAndModel.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
