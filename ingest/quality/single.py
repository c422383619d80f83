"""Tests that look at one reading alone."""

import numpy as np

from core.quality import Verdict
from ingest.quality.view import Verdicts, View

_CLOSE = 1e-6  # a sentinel that went through a float32 is still one


def gross_range(view: View) -> Verdicts:
    """FAIL beyond what the sensor can read, SUSPECT beyond what can be here."""
    value = view.columns.value
    low, high = view["sensor_span_low"], view["sensor_span_high"]
    least, most = view["user_span_low"], view["user_span_high"]
    verdicts = (~np.isnan(low) | ~np.isnan(least)).astype(np.uint8)
    verdicts[(value < least) | (value > most)] = Verdict.SUSPECT
    verdicts[(value < low) | (value > high)] = Verdict.FAIL
    return verdicts


def sentinel(view: View) -> Verdicts:
    """FAIL for a number that stands for `no reading`."""
    sentinels = view.settings.sentinels[view.columns.series]
    off = np.abs(sentinels - view.columns.value[:, np.newaxis])
    verdicts = (~np.isnan(sentinels[:, 0])).astype(np.uint8)
    verdicts[(off <= _CLOSE * np.abs(sentinels)).any(axis=1)] = Verdict.FAIL
    return verdicts


def timing(view: View) -> Verdicts:
    """SUSPECT when measured too long after, or before, it was received."""
    age = (view.columns.received_at - view.columns.measured_at).astype(np.float64)
    ahead, late = view["ahead"], view["late"]
    verdicts = (~np.isnan(ahead) | ~np.isnan(late)).astype(np.uint8)
    verdicts[(age < -ahead) | (age > late)] = Verdict.SUSPECT
    return verdicts
