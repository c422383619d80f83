"""What the comparison with real places counts, and that its page says what the coast does."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import calibration
from benchmarks.calibration import World, memory, noise, simulated, step, swing, warming
from benchmarks.plots import Axis, Line, plot

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "simulated-coast.md"
CHANCE = np.random.default_rng(1)
WHITE = CHANCE.normal(0, 0.5, 20_000)
CLOCK = np.tile(np.arange(24.0), 10)


@pytest.fixture(scope="module")
def world() -> World:
    return simulated()


def test_noise_and_step_of_white_noise_are_its_own() -> None:
    assert noise(WHITE) == pytest.approx(0.5, rel=0.05)
    assert step(WHITE) == pytest.approx(0.5 * np.sqrt(2), rel=0.05)


def test_gaps_are_left_out() -> None:
    holes = WHITE.copy()
    holes[::7] = np.nan
    assert noise(holes) == pytest.approx(0.5, rel=0.05)
    assert memory(holes, np.array([0, 5])) == pytest.approx([1, 0], abs=0.02)


def test_a_day_is_told_as_a_part_of_its_mean_or_off_it() -> None:
    assert swing(CLOCK)[[0, 23]] == pytest.approx([0, 2])
    assert warming(CLOCK)[[0, 23]] == pytest.approx([-11.5, 11.5])


def test_days_with_few_hours_do_not_count() -> None:
    broken = np.concatenate([CLOCK, np.full(5, 1000.0), np.full(19, np.nan)])
    assert warming(broken)[0] == -11.5


def test_a_plot_draws_the_simulated_over_the_real() -> None:
    across, up = Axis("hours", 0, 2, (0, 1, 2)), Axis("%", 0, 100, (0, 100))
    line = (np.array([0.0, 1, 2]), np.array([0.0, 50, 200]))
    svg = plot(across, up, [Line("simulated", *line), Line("real", *line)])
    colours = re.findall(r'<polyline .* stroke="(.*?)"', svg)
    assert colours == ["#8a8a8a", "#0072b2"]
    assert svg.count("628.0,28.0") == 2  # what is too high ends at the edge


def test_the_page_tells_what_the_simulated_coast_is_like(world: World) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for title, digits, of in calibration.ROWS:
        said = re.search(rf"^\| {re.escape(title)} \| .* \| (.*?) \|$", page, re.MULTILINE)
        assert said, title
        numbers = [float(number) for number in said[1].split(" to ")]
        values = [*of(world)]
        assert [min(values), max(values)] == pytest.approx(
            [numbers[0], numbers[-1]], abs=0.6 * 10**-digits
        ), title


def test_dust_in_the_streets_is_like_that_of_a_real_city(world: World) -> None:
    """What carries over: when there is most of it, its noise, and what two stations share."""
    for dust in world.dust.values():
        assert 12 <= np.argmin(swing(dust)) <= 17
        assert 21 <= np.argmax(swing(dust)) <= 23
        assert noise(calibration.logarithm(dust)) == pytest.approx(0.09, abs=0.02)
    assert max(calibration.neighbours(world.dust.values())) > 0.9
