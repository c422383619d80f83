"""Tests that look at what came before. Where too little is known they say nothing."""

import numpy as np

from core.readings import FloatColumn
from ingest.quality.past import Past
from ingest.quality.view import FAIL, GOOD, NOT_EVALUATED, SUSPECT, Verdicts, View


def attenuated_signal(view: View, past: Past) -> Verdicts:
    """SUSPECT when it has moved less in a day than it always does."""
    return _judged(past.windows.spread, view["attenuated"], below=True)


def flat_line(view: View, past: Past) -> Verdicts:
    """SUSPECT, then FAIL, when values have not left `flat_tolerance` for so long."""
    value, length = view.columns.value, past.runs.length
    expected = ~np.isnan(view["flat_tolerance"])
    verdicts = past.runs.seen.astype(np.uint8)
    verdicts[length >= view["flat_suspect"]] = SUSPECT
    verdicts[length >= view["flat_fail"]] = FAIL
    verdicts[(value >= view["rests_low"]) & (value <= view["rests_high"])] = GOOD
    verdicts[~expected] = NOT_EVALUATED
    return verdicts


def neighbours(_view: View, past: Past) -> Verdicts:
    """SUSPECT when the hour before was far from what the same hour was beside it."""
    return past.hours.verdicts


def rate_of_change(view: View, past: Past) -> Verdicts:
    """SUSPECT when it changed faster than `rate`, beside what the series' noise explains; never
    within the limit of `spike`, or sensors that move in tenths would be fast each second.
    """
    most = view["rate"] * past.steps.minutes
    if past.noisy:
        factor = view["noise_factor"]
        most = most + np.where(np.isnan(factor), 0.0, factor * past.windows.noise)
    return _judged(past.steps.step, np.maximum(most, np.nan_to_num(view["spike"])))


def spike(view: View, past: Past) -> Verdicts:
    """SUSPECT at once for a step beyond the limit; the next reading confirms or clears it."""
    return _judged(past.steps.step, np.fmin(view["spike"], view["spike_fail"]))


def _judged(found: FloatColumn, limit: FloatColumn, *, below: bool = False) -> Verdicts:
    """SUSPECT beyond the limit, GOOD within, nothing where one of both is NaN."""
    verdicts = (~(np.isnan(found) | np.isnan(limit))).astype(np.uint8)
    verdicts[found < limit if below else found > limit] = SUSPECT
    return verdicts
