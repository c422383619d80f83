"""All dashboards in both languages, and the files that hold them."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from core.languages import LANGUAGES
from dashboards.air import air
from dashboards.beach import beach
from dashboards.bins import bins
from dashboards.city import city
from dashboards.facts import Facts, Words
from dashboards.frame import linked
from dashboards.officers import officers
from dashboards.operations import operations
from dashboards.panels import Json
from dashboards.sensors import sensors

DASHBOARDS: tuple[Callable[[Words, Facts], Json], ...] = (
    city,
    beach,
    air,
    bins,
    officers,
    sensors,
    operations,
)
FOLDER = Path(__file__).parent / "built"


def build(facts: Facts, link: str) -> Mapping[str, Json]:
    """Every dashboard by its file below the folder of dashboards: `en/andaman-city-en.json`;
    `link` is the address of Andaman in their links.
    """
    made = ((Words(language), make) for language in LANGUAGES for make in DASHBOARDS)
    found = [(say.language, make(say, facts)) for say, make in made]
    return {f"{language}/{one['uid']}.json": linked(one, link) for language, one in found}


def text_of(dashboard: Json) -> str:
    """The file's content: the same dashboard is the same bytes."""
    return json.dumps(dashboard, ensure_ascii=False, indent=1) + "\n"


def write(folder: Path, built: Mapping[str, Json]) -> list[str]:
    """Make the folder hold exactly these; which files changed, came or went."""
    texts = {name: text_of(one) for name, one in built.items()}
    changed = stale(folder, texts)
    for name in changed:
        path = folder / name
        if name in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def stale(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """The files that are not as they should be."""
    there = {str(path.relative_to(folder)) for path in _files(folder)}
    differ = [
        name
        for name in texts
        if name not in there or (folder / name).read_text(encoding="utf-8") != texts[name]
    ]
    return sorted([*differ, *(there - texts.keys())])


def _files(folder: Path) -> Iterable[Path]:
    return folder.glob("*/andaman-*.json")
