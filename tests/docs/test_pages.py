"""What the documents point to and tell people to type is there and works."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli import cli
from tests.docs.pages import PAGES, ROOT, anchors, blocks, links, rows, sections, text_of

COMMAND = typer.main.get_command(cli)
MAKEFILE = text_of(ROOT / "Makefile")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(command: Any = COMMAND, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command that does something, as its words."""
    below = getattr(command, "commands", None)
    if below is None:
        return [words]
    return [found for name in below for found in commands(below[name], (*words, name))]


def code_of(page: Path) -> str:
    """What a page shows as code, in lines and in words."""
    text = text_of(page)
    return "\n".join([*blocks(text, "sh"), *re.findall(r"`([^`\n]+)`", text)])


# --- links ---


@each_page
def test_its_links_lead_somewhere(page: Path) -> None:
    for _, target in links(page):
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.is_relative_to(ROOT), target
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


@each_page
def test_a_function_that_it_links_to_is_there(page: Path) -> None:
    """[`Class.method`](../module.py) names what that file defines."""
    for text, target in links(page):
        if target.endswith(".py") and re.fullmatch(r"`[\w.]+`", text):
            name = text.strip("`").rpartition(".")[2]
            defined = rf"^\s*(async )?(def|class) {name}\b"
            assert re.search(defined, text_of(page.parent / target), re.MULTILINE), text


def test_every_page_is_linked_from_another_one() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for _, target in links(page)
        if not target.startswith("#")
    }
    assert [page.name for page in PAGES if page not in linked] == ["README.md"]


# --- commands ---


@each_page
def test_its_make_targets_exist(page: Path) -> None:
    for target in re.findall(r"\bmake ([a-z-]+)\b", code_of(page)):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


@each_page
def test_its_commands_exist(page: Path) -> None:
    for line in re.findall(r"\bandaman (?!andaman)((?:[a-z]+ ?)+)", code_of(page)):
        words = tuple(line.split())
        both = [(words[: len(c)], c[: len(words)]) for c in commands()]  # one begins the other
        assert any(mine == theirs for mine, theirs in both), f"andaman {line}"


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_help_of_a_command_shows_an_example(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0
    words_of_help = re.sub(r"\x1b\[[\d;]*m", "", result.output).split()  # without colours
    shown = " ".join(word for word in words_of_help if not word.startswith("ANDAMAN_"))
    assert f"Example: andaman {' '.join(words)}" in shown


@each_page
def test_its_shell_can_be_read_by_a_shell(page: Path) -> None:
    for block in blocks(text_of(page), "sh"):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True, timeout=10)
        for script in re.findall(r"<<'EOT'\n(.*?)^EOT$", block, re.DOTALL | re.MULTILINE):
            compile(script, str(page), "exec")


def test_the_check_of_the_readme_runs_and_finds_the_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (b for b in blocks(text_of(ROOT / "README.md"), "sh") if "andaman check" in b)
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    results = []
    for line in block.splitlines():
        if line.startswith("andaman "):
            results.append(CliRunner().invoke(cli, shlex.split(line)[1:]))
        else:
            subprocess.run(["sh", "-c", line], check=True, timeout=10)
    good, bad = results
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert good.stdout.endswith(" all well\n")
    assert re.match(r"data/broken/rules/air\.yaml:\d+: parameter pm26 ", bad.stderr)


# --- the repository ---


def test_the_layout_of_contributing_is_the_layout() -> None:
    named = rows(sections("CONTRIBUTING.md")["Layout"])
    assert [place for place in named if not (ROOT / place).exists()] == []
    assert [place for place in named if place.endswith("/") != (ROOT / place).is_dir()] == []


def test_the_tables_of_contributing_are_where_it_says() -> None:
    words = sections("CONTRIBUTING.md")["Adding something"]
    tables = re.findall(r"`([A-Z_]+)` in `([a-z_/]+\.py)`", words)
    assert len(tables) >= 4
    for table, path in tables:
        assert re.search(rf"^{table}\b", text_of(ROOT / path), re.MULTILINE), (table, path)


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^##+ (.+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert headings[0] == "[Unreleased]"
    assert [h for h in headings if h not in kinds and not h.startswith("[")] == []


# Paths of one machine, and addresses of package registries; written so as not to name themselves.
ORIGIN = re.compile(
    r"(?<![\w.~-])/(?:work|home|root|Users|tmp/w)/"
    r"|https?://[\w.-]*(?:pypi\.|pythonhosted\.|npmjs\.|anaconda\.|docker\.io|quay\.|ghcr\.)"
    r"|https?://\S+/simple\b"
)


def test_no_file_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("git cannot list the files here")
    files = [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    assert files
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for file in files
        for number, line in enumerate(_lines(file), 1)
        if ORIGIN.search(line)
    ]
    assert found == []


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
