"""Published methods from maintained libraries on the series of NAB, as JSON for `detection`.

Each is judged as ours is: a score for each point as it comes, and the life of an alert over a
threshold. The threshold of each is the one that scores best on these very series, which favours it.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from benchmarks import nab
from benchmarks.detectors import detected, terms
from benchmarks.nab import LONGEST_PROBATION, PROBATION, Labelled
from core.readings import FloatColumn
from core.times import HOUR

TRIED = 60  # thresholds
Method = Callable[[Labelled], FloatColumn]


def _learning(one: Labelled) -> int:
    """How many points a method may look at before it is judged."""
    return min(int(PROBATION * len(one.at)), LONGEST_PROBATION)


def half_space_trees(one: Labelled) -> FloatColumn:
    """river: half-space trees over the last value and its change (Tan, Ting, Liu, 2011)."""
    from river.anomaly import HalfSpaceTrees  # noqa: PLC0415  not in the developers' environment
    from river.preprocessing import MinMaxScaler  # noqa: PLC0415

    scale, trees = MinMaxScaler(), HalfSpaceTrees(seed=1, window_size=_learning(one))
    found = []
    for value, change in zip(one.value, np.diff(one.value, prepend=one.value[0]), strict=True):
        point = {"value": float(value), "change": float(change)}
        scale.learn_one(point)
        scaled = scale.transform_one(point)
        found.append(trees.score_one(scaled))
        trees.learn_one(scaled)
    return np.array(found)


def holt_winters(one: Labelled) -> FloatColumn:
    """river: the error of a Holt-Winters forecast with a season of a day, beside its own spread."""
    from river.time_series import HoltWinters  # noqa: PLC0415

    model = HoltWinters(alpha=0.3, beta=0.01, gamma=0.1, seasonality=_a_day(one))
    spread, found = 0.0, []
    for number, value in enumerate(one.value.tolist()):
        try:
            error = abs(value - model.forecast(horizon=1)[0])
        except (IndexError, TypeError):  # it has not seen a season yet
            error = 0.0
        found.append(error / spread if spread > 0 and number > _learning(one) else 0.0)
        spread += (min(error, 5 * spread or error) - spread) / 100
        model.learn_one(value)
    return np.array(found)


def kalman(one: Labelled) -> FloatColumn:
    """statsmodels: one-step errors of a local level with autoregression and a daily course of three
    harmonics, whose variances are fitted to the probation (Harvey, 1989).
    """
    from statsmodels.tsa.statespace.structural import (  # noqa: PLC0415
        UnobservedComponents,
    )

    count = _learning(one)
    season = [{"period": _a_day(one), "harmonics": 3}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = UnobservedComponents(
            one.value[:count], level="llevel", freq_seasonal=season, autoregressive=1
        )
        known = model.fit(disp=False, maxiter=50)
        whole = known.append(one.value[count:])
    errors = np.abs(whole.filter_results.standardized_forecasts_error[0])
    found: FloatColumn = np.nan_to_num(errors)
    return found


def _a_day(one: Labelled) -> int:
    """How many points a day has."""
    return round(24 * HOUR / float(np.median(np.diff(one.at))))


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "half-space trees (river)": half_space_trees,
        "Holt-Winters (river)": holt_winters,
        "Kalman, structural (statsmodels)": kalman,
    }
)


def best(series: Sequence[Labelled], points: Sequence[FloatColumn]) -> list[float]:
    """The scores by series at the threshold that is best for all of them together."""
    every = np.concatenate([p[one.counts] for one, p in zip(series, points, strict=True)])
    tried = np.unique(np.quantile(every, 1 - np.logspace(-5, -1, TRIED)))
    return max((_scores(series, points, threshold) for threshold in tried.tolist()), key=sum)


def _scores(
    series: Sequence[Labelled], points: Sequence[FloatColumn], threshold: float
) -> list[float]:
    asked = terms(max(threshold, 1e-12))
    return [
        one.score(detected(one.at, found, asked)) for one, found in zip(series, points, strict=True)
    ]


def measured(series: Sequence[Labelled]) -> Iterator[tuple[str, list[float]]]:
    """The scores of each method; what it costs stands in its name."""
    for name, method in METHODS.items():
        begin = time.process_time()
        points = [method(one) for one in series]
        spent = (time.process_time() - begin) / sum(len(one.at) for one in series)
        yield f"{name}, {spent * 1e3:.2f} ms a point", best(series, points)


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the series and windows.json lie")
    json.dump(dict(measured(nab.load(parser.parse_args().folder))), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
