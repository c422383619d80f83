"""Patterns: they mean what regular expressions mean, and never take long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.patterns import LONGEST, Pattern

ATOMS = st.sampled_from(["a", "b", "ab", ".", "[ab]", "[^a]", r"\.", r"\d", "-"])


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda text: f"({text})")
    repeated = st.tuples(group, st.sampled_from("*+?")).map("".join)
    return st.one_of(
        repeated,
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: "(" + "|".join(pair) + ")"),
    )


@given(st.recursive(ATOMS, _more, max_leaves=6), st.text("ab.-1", max_size=6))
def test_it_fits_what_the_regular_expression_fits(text: str, word: str) -> None:
    assert Pattern.of(text).fits(word) == (re.fullmatch(text, word) is not None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a**", "repeat", id="a repeat of a repeat"),
        pytest.param("*a", "repeat", id="nothing to repeat"),
        pytest.param("(?:a)", "repeat", id="an extension"),
        pytest.param("(a", "not closed", id="open group"),
        pytest.param("a)", "closes nothing", id="closed group"),
        pytest.param("[a", "no meaning", id="open class"),
        pytest.param("[z-a]", "no class", id="backward class"),
        pytest.param("[a--z]", "no class", id="set difference"),
        pytest.param("[[:alpha:]]", "no meaning", id="named class"),
        pytest.param("a{2}", "no meaning", id="counted repeat"),
        pytest.param("^a$", "no meaning", id="anchors"),
        pytest.param(r"(a)\1", "not known", id="back reference"),
        pytest.param(r"\bat", "not known", id="word boundary"),
        pytest.param("a\\", "not known", id="escape of nothing"),
        pytest.param("(" * 30 + ")" * 30, "within groups", id="deep"),
        pytest.param("a" * (LONGEST + 1), "letters", id="long"),
    ],
)
def test_it_says_what_it_does_not_know(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Pattern.of(text)


@pytest.mark.parametrize("text", ["(a*)*b", "(a|a)*b", "(a|aa)+b", "a*" * 90 + "b", "(.*.*)*x"])
def test_what_is_catastrophic_elsewhere_takes_no_time(text: str) -> None:
    assert not Pattern.of(text).fits("a" * 64)
