"""The documents as data: sections, code blocks, links."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,4}) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def text_of(page: Path) -> str:
    """The page as it is."""
    return page.read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced code of that language."""
    return [code for named, code in _FENCE.findall(text) if named == language]


def sections(page: str) -> Mapping[str, str]:
    """Heading → everything below it up to the next heading of its level or a higher one."""
    text = text_of(ROOT / page)
    found = [(m[2], len(m[1]), m.end(), m.start()) for m in _HEADING.finditer(_unfenced(text))]
    ends = [
        next((later[3] for later in found[n + 1 :] if later[1] <= level), len(text))
        for n, (_, level, _, _) in enumerate(found)
    ]
    return {title: text[start:end] for (title, _, start, _), end in zip(found, ends, strict=True)}


def names_below(page: str, heading: str) -> set[str]:
    """The names that have a heading of their own below `heading`, such as ### `name`."""
    return set(re.findall(r"^#{3,4} `([^`]+)`$", sections(page)[heading], re.MULTILINE))


def rows(text: str) -> Mapping[str, str]:
    """The rows of tables whose first cell is `name`: name → the whole row."""
    return {m[1]: m[0] for m in re.finditer(r"^\| `([^`]+)` \|.*$", text, re.MULTILINE)}


def links(page: Path) -> Iterator[tuple[str, str]]:
    """(text, target) of each link to a place in this repository."""
    for text, target in _LINK.findall(_unfenced(text_of(page))):
        if "://" not in target:
            yield text, target


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    titles = [title for _, title in _HEADING.findall(_unfenced(text_of(page)))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _unfenced(text: str) -> str:
    """The same with its code blanked out, so that positions stay: # there is no heading."""
    return _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
