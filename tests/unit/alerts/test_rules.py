"""Files of rules: what a rule means, and each mistake with its line and what to write."""

from pathlib import Path

import pytest

from alerts import rule_files
from alerts.levels import above, below
from alerts.rules import Rule
from core.alerts import Severity
from core.configuration import load as load_city
from core.errors import ConfigError
from core.registry import Series
from core.times import MINUTE, SECOND
from tests.world import write_configuration

RULE = """\
  - id: r
    kind: threshold
    name: {en: R, th: ร}
    parameter: fill_level
    above: {warning: 80}
"""
NAMED = "kind: composite, name: {en: C, th: ค}"
COMPOSITES = f"""{RULE}\
  - {{id: s, {NAMED}, need: any, of: [r, s]}}
  - {{id: t, {NAMED}, need: any, of: [s]}}
"""
KINDS = "'anomaly', 'composite', 'count', 'fault', 'missing', 'neighbours', 'rate' or 'threshold'"
LIMITS = """
limits:
  - {id: law, parameter: fill_level, value: 70, title: {en: Law, th: ก},
     source: A notice., date: "2017", verified: true}
  - {id: other-law, parameter: ph, value: 7, title: {en: Law, th: ก},
     source: A notice., date: "2017", verified: true}
"""


def load(folder: Path, text: str) -> tuple[Rule, ...]:
    """The rules of `text`, in a small city."""
    write_configuration(folder, rules=f"rules:\n{text}")
    (folder / "standards").mkdir()
    (folder / "standards" / "a.yaml").write_text(LIMITS, encoding="utf-8")
    return rule_files.load(folder, load_city(folder))


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return [
        problem.removeprefix(f"{folder}/rules/rules.yaml:") for problem in caught.value.problems
    ]


def test_what_is_left_out_has_a_meaning(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, RULE)
    assert rule.terms.levels.spans == {Severity.WARNING: above(80.0)}
    assert rule.terms.levels.clear == above(80.0)
    assert (rule.terms.hold, rule.terms.clear_hold) == (0, 0)
    assert rule.watches(series("fill_level"))


def test_a_rule_below_watches_the_other_side(tmp_path: Path) -> None:
    text = RULE.replace("above: {warning: 80}", "below: {critical: 5, warning: 10}")
    (rule,) = load(tmp_path, f"{text}    clear: 12\n    for: 90s\n    clear_for: 2m\n")
    levels = rule.terms.levels
    assert (levels.spans[levels.mildest], levels.clear) == (below(10.0), below(12.0))
    assert (rule.terms.hold, rule.terms.clear_hold) == (90 * SECOND, 2 * MINUTE)


def test_a_level_may_be_a_limit_of_the_law(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, f"{RULE.replace('80', 'law')}    source: Ours.\n")
    assert rule.terms.levels.spans == {Severity.WARNING: above(70.0)}
    assert rule.source == "A notice. (2017) Ours."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            RULE.replace("threshold", "trend"),
            [f"3: rules.0.kind: Input should be {KINDS}, not 'trend'"],
            id="no such kind",
        ),
        pytest.param(
            RULE.replace("fill_level", "smell"),
            ["5: parameter smell is not in the catalogue; see docs/parameters.md"],
            id="no such parameter",
        ),
        pytest.param(
            RULE.replace("    above: {warning: 80}\n", ""),
            ["2: write one of above:, below: or outside:, with a level for each severity"],
            id="no level",
        ),
        pytest.param(
            RULE + "    below: {warning: 10}\n",
            ["2: write one of above:, below: or outside:, with a level for each severity"],
            id="levels on both sides",
        ),
        pytest.param(
            RULE.replace("80", "80, critical: 80"),
            ["6: a worse severity needs a level further out"],
            id="levels that do not differ",
        ),
        pytest.param(
            RULE.replace("above: {warning: 80}", "below: {warning: 10, critical: 20}"),
            ["6: a worse severity needs a level further out"],
            id="levels in the wrong order",
        ),
        pytest.param(
            RULE.replace("warning", "severe"),
            [
                (
                    "6: rules.0.above.severe.[key]: Input should be 'info', 'warning' or "
                    "'critical', not 'severe'"
                )
            ],
            id="no such severity",
        ),
        pytest.param(
            RULE + "    clear: 81\n",
            ["7: clear 81 is beyond the mildest level; write at most 80"],
            id="clear above the level",
        ),
        pytest.param(
            RULE.replace("above", "below") + "    clear: 79\n",
            ["7: clear 79 is beyond the mildest level; write at least 80"],
            id="clear below the level",
        ),
        pytest.param(
            RULE + "    clear: .nan\n",
            ["7: rules.0.clear: write a number or, beside outside:, [low, high], not nan"],
            id="a clear level that no value reaches",
        ),
        pytest.param(
            RULE + "    for: 5 min\n",
            ["7: rules.0.for: write a duration such as 30s, 5m, 2h or 1d, not '5 min'"],
            id="a duration in other words",
        ),
        pytest.param(
            RULE + "    clear_for: 30\n",
            ["7: rules.0.clear_for: write a duration such as 30s, 5m, 2h or 1d, not 30"],
            id="a duration without unit",
        ),
        pytest.param(
            RULE + "    hold: 5m\n",
            ["7: rules.0.hold is not known here; remove it or correct the name"],
            id="a key that is not known",
        ),
        pytest.param(
            RULE.replace("80", "laws"),
            ["6: laws is no limit in standards/; correct it or write a number"],
            id="no such limit",
        ),
        pytest.param(
            RULE.replace("80", "other-law"),
            ["6: other-law is a limit of ph, not of fill_level"],
            id="a limit of something else",
        ),
        pytest.param(
            RULE + "    select: {kinds: [pier], sites: [patong, nowhere], devices: [ghost]}\n",
            [
                "7: pier is none of the kinds in sites.yaml and devices.yaml; correct it",
                "7: nowhere is none of the sites in sites.yaml and devices.yaml; correct it",
                "7: ghost is none of the devices in sites.yaml and devices.yaml; correct it",
            ],
            id="a selection of what is not there",
        ),
        pytest.param(
            RULE + "    inhibited_by: [strange]\n",
            ["7: no rule is called strange; correct it"],
            id="a strange inhibitor",
        ),
        pytest.param(
            RULE + "    inhibited_by: [r]\n",
            ["7: r is inhibited by r; one of them must be heard"],
            id="inhibited by itself",
        ),
        pytest.param(
            RULE + "    for: 31d\n    clear_for: 31d\n    stale_after: 31d\n",
            [
                "7: for is longer than readings are taken back, 30d",
                "8: clear_for is longer than readings are taken back, 30d",
                "9: stale_after is longer than readings are taken back, 30d",
            ],
            id="longer than anything is known",
        ),
        pytest.param(
            RULE + "    flap: {times: 2, within: 31d}\n    overrides: {bin: {for: 31d}}\n",
            [
                "8: for is longer than readings are taken back, 30d",
                "7: within is longer than readings are taken back, 30d",
            ],
            id="longer than anything is known, elsewhere",
        ),
        pytest.param(
            RULE + "    overrides: {bin: {above: {warning: 50}, clear: 60}}\n",
            ["7: clear 60 is beyond the mildest level; write at most 50"],
            id="clear above the level of a site",
        ),
        pytest.param(
            COMPOSITES.replace("[r, s]", "[r, t]"),
            [
                "7: s needs t needs s; a composite must not need itself",
                "8: t needs s needs t; a composite must not need itself",
            ],
            id="composites in a circle",
        ),
        pytest.param(
            COMPOSITES.replace("[r, s]", "[s]"),
            ["7: s needs s; a composite must not need itself"],
            id="a composite of itself",
        ),
        pytest.param(
            COMPOSITES.replace("[r, s]", "[nobody]"),
            ["7: no rule is called nobody; correct it"],
            id="a composite of nothing",
        ),
        pytest.param(
            RULE + RULE,
            ["7: two rules are called r; rename this or that of rules.yaml:2"],
            id="an id twice",
        ),
    ],
)
def test_it_says_what_is_wrong(text: str, expected: list[str], tmp_path: Path) -> None:
    assert problems(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        pytest.param(RULE.replace("en: R", "en: Renamed"), True, id="a name"),
        pytest.param(RULE + "    source: Elsewhere.\n", True, id="a source"),
        pytest.param(RULE.replace("80", "81"), False, id="a level"),
        pytest.param(RULE + "    for: 1s\n", False, id="a duration"),
        pytest.param(RULE + "    select: {kinds: [bin]}\n", False, id="a selection"),
    ],
)
def test_a_version_changes_with_what_a_rule_does(changed: str, same: bool, tmp_path: Path) -> None:
    (before,) = load(tmp_path / "before", RULE)
    (after,) = load(tmp_path / "after", changed)
    assert (before.version == after.version) is same


def series(
    parameter: str, *, device: str = "bin-1", site: str = "bin", kind: str = "bin"
) -> Series:
    return Series(
        index=0, device=device, parameter=parameter, site=site, kind=kind, district="mueang"
    )


@pytest.mark.parametrize(
    ("select", "watched", "taken"),
    [
        pytest.param("{}", series("fill_level"), True, id="any"),
        pytest.param("{}", series("ph"), False, id="another parameter"),
        pytest.param("{}", series("fill_level", site="", kind=""), False, id="a device that left"),
        pytest.param("{kinds: [bin]}", series("fill_level"), True, id="its kind"),
        pytest.param("{kinds: [beach]}", series("fill_level"), False, id="another kind"),
        pytest.param("{sites: [bin, town]}", series("fill_level"), True, id="one of its sites"),
        pytest.param("{devices: [bin-2]}", series("fill_level"), False, id="another device"),
        pytest.param(
            "{kinds: [bin], devices: [bin-2]}",
            series("fill_level", device="bin-2"),
            True,
            id="all that is given",
        ),
        pytest.param(
            "{kinds: [beach], devices: [bin-2]}",
            series("fill_level", device="bin-2"),
            False,
            id="some of what is given",
        ),
    ],
)
def test_it_watches_what_it_selects(
    select: str, watched: Series, taken: bool, tmp_path: Path
) -> None:
    (rule,) = load(tmp_path, f"{RULE}    select: {select}\n")
    assert rule.watches(watched) is taken


def test_rules_of_all_files_are_one_set(tmp_path: Path) -> None:
    (write_configuration(tmp_path, rules="rules:\n" + RULE) / "rules" / "more.yaml").write_text(
        "rules:\n" + RULE.replace("id: r", "id: s"), encoding="utf-8"
    )
    city = load_city(tmp_path)
    assert [rule.id for rule in rule_files.load(tmp_path, city)] == ["s", "r"]
    (tmp_path / "rules" / "more.yaml").write_text("rules:\n" + RULE, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        rule_files.load(tmp_path, city)
    problem = "two rules are called r; rename this or that of more.yaml:2"
    assert caught.value.problems == (f"{tmp_path}/rules/rules.yaml:2: {problem}",)


def test_a_file_beside_the_folder_is_not_passed_over(tmp_path: Path) -> None:
    write_configuration(tmp_path)
    (tmp_path / "rules.yaml").write_text("rules: []\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"rules\.yaml: is not read; move it into .*/rules/"):
        rule_files.load(tmp_path, load_city(tmp_path))
