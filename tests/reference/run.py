"""The long form of the comparison: `python -m tests.reference.run --examples 10000`."""

import argparse
import time
from collections import Counter

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from core.alerts import Transition
from tests.reference.machine import Both

SEEN: Counter[str] = Counter()


class Counted(Both):
    """It says what was compared."""

    def compared(self, told: list[Transition]) -> None:
        SEEN.update(transition.reason.value for transition in told)


def main() -> None:
    """Compare, and say what was seen; a difference ends it with the inputs that show it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--examples", type=int, default=10_000)
    asked.add_argument("--steps", type=int, default=30)
    options = asked.parse_args()
    began = time.monotonic()
    run_state_machine_as_test(
        Counted,
        settings=settings(
            max_examples=options.examples,
            stateful_step_count=options.steps,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    took = time.monotonic() - began
    print(f"{options.examples} examples of {options.steps} steps, equal, in {took:.0f} s")
    for reason, number in SEEN.most_common():
        print(f"{number:9,} {reason}")


if __name__ == "__main__":
    main()
