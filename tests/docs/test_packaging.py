"""The locks are complete, name no registry, and are what is installed."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from urllib3._version import __version__ as imported_urllib3

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"
ORACLE = ROOT / "requirements-oracle.lock"
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^\s;]+)")
# An address, a path of one machine, or an option of pip that names a registry.
ORIGIN = re.compile(r"\w+://|(?<!\S)/\w|--(extra-)?index|--find-links|--trusted-host|(?<!\S)-[fi] ")

LOCKS = (RUNTIME, DEVELOPMENT, ORACLE)
each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)


def requirements(lock: Path) -> list[str]:
    """The requirements of `lock`, each with its hashes on one line, without comments."""
    lines = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def pins(lock: Path) -> dict[str, str]:
    """Version of each package; a line that pins none fails."""
    matches = [PIN.match(line) or pytest.fail(f"no pin: {line}") for line in requirements(lock)]
    return {match["name"]: match["version"] for match in matches}


def declared(requirements: list[str]) -> set[str]:
    """The names in `requirements` of pyproject.toml, as the lock writes them."""
    return {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in requirements}


@each_lock
def test_it_has_a_hash_for_every_pin(lock: Path) -> None:
    assert [line for line in requirements(lock) if "--hash=sha256:" not in line] == []


@each_lock
def test_it_pins_each_package_once(lock: Path) -> None:
    assert len(requirements(lock)) == len(pins(lock)) > 0


@each_lock
def test_it_names_no_registry_and_no_path(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if ORIGIN.search(line)] == []


@each_lock
def test_it_leaves_out_what_overwrites_urllib3(lock: Path) -> None:
    """grafana-client brings niquests, whose urllib3-future replaces urllib3 when Python starts."""
    assert pins(lock).keys() & {"grafana-client", "niquests", "urllib3-future"} == set()


def test_the_locks_hold_what_pyproject_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert declared(project["dependencies"]) <= pins(RUNTIME).keys()
    assert declared(project["optional-dependencies"]["dev"]) <= pins(DEVELOPMENT).keys()
    assert declared(project["optional-dependencies"]["oracle"]) <= pins(ORACLE).keys()


def test_each_lock_repeats_the_one_before_it() -> None:
    assert pins(RUNTIME).items() <= pins(DEVELOPMENT).items() <= pins(ORACLE).items()


def test_urllib3_is_the_locked_one() -> None:
    """What imports is compared too: an overwritten package still has its old metadata."""
    assert imported_urllib3 == pins(RUNTIME)["urllib3"]
    assert importlib.metadata.version("urllib3") == pins(RUNTIME)["urllib3"]
