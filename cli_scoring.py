"""`andaman score`: what alerts were worth, set against what was true."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from cli_reports import lasting, share
from cli_shared import Data, bytes_of, pages, told
from core.errors import ConfigError, StartError
from core.times import iso
from simulators import truth
from simulators.scoring import Alert, Figures, Score, alert_of, plain, score
from simulators.screen import items
from simulators.truth import Nature

SHOWN = 10  # of what was missed, and of the rules whose alerts were false


def score_command(
    account: Annotated[Path, typer.Argument(metavar="TRUTH", help="What `simulate` wrote.")],
    *,
    alerts: Annotated[
        Path | None,
        typer.Option(help="Alerts as JSON lines: items of the API, or what `replay` printed."),
    ] = None,
    api: Annotated[str | None, typer.Option(help="Ask this API: http://127.0.0.1:8080.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="File with an API key.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Data = None,
) -> None:
    """Set alerts against what was true: what was raised, how late, called what, and what was false.

    Without --alerts and --api it asks the system of the data folder.

    Example: andaman score truth.jsonl --api http://127.0.0.1:8080 --key-file key
    """
    with told():
        true = truth.read(account)
        query = {"since": iso(true.start), "limit": "1000"}
        if alerts is not None:
            found = _of_file(alerts)
        elif api is not None:
            found = fired(_asked(api, key_file, query))
        else:
            found = fired(pages(f"/v1/alerts?{urlencode(query)}", data))
        result = score(true, found)
    if as_json:
        typer.echo(json.dumps(plain(result), indent=2, ensure_ascii=False))
    else:
        Console().print(_table(result))
        typer.echo(_closing(result))


def fired(listed: Iterable[Mapping[str, Any]]) -> list[Alert]:
    """Of items of `/v1/alerts` those that fired."""
    return [alert for item in listed if (alert := alert_of(item)) is not None]


def _of_file(path: Path) -> list[Alert]:
    """Raises StartError, ConfigError: it cannot be read, or a line is no alert."""
    found = []
    for number, line in enumerate(bytes_of(path).splitlines(), 1):
        try:
            found.append(alert_of(msgspec.json.decode(line)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            words = "is neither an item of /v1/alerts nor a line of a replay"
            raise ConfigError([f"{path}:{number}: {words}"]) from error
    return [alert for alert in found if alert is not None]


def _asked(api: str, key_file: Path | None, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Raises StartError: no key, or the API does not answer, or refuses."""
    if key_file is None:
        raise StartError("say with --key-file which file holds a key of the API")
    key = bytes_of(key_file).decode("utf-8", "replace").strip()
    try:
        return asyncio.run(_items(api, key, query))
    except httpx.HTTPStatusError as error:
        words = f"{api} refuses ({error.response.status_code}); is the key in force?"
        raise StartError(words) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StartError(f"{api} does not answer; is Andaman up?") from error


async def _items(api: str, key: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=10) as client:
        return await items(client, "/v1/alerts", **query)


def _table(result: Score) -> Table:
    """A row for each kind, and one for all events and all faults that are to be told."""
    table = Table("kind", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("happened", "raised", "recall", "delay", "called right", "mistaken"):
        table.add_column(name, justify="right", no_wrap=True)
    kinds = result.kinds()
    for nature in Nature:
        for (of, kind), figures in kinds.items():
            if of is nature:
                table.add_row(kind, *_cells(figures))
        table.add_row(f"all {nature}s", *_cells(result.total(nature)), end_section=True)
    return table


def _cells(figures: Figures) -> list[str]:
    count = figures.count
    return [
        f"{count:,}",
        f"{figures.raised:,}",
        share(figures.raised / count if count else None),
        lasting(figures.delay),
        f"{figures.right:,}",
        f"{figures.mistaken:,}",
    ]


def _closing(result: Score) -> str:
    """What was false, and what was missed."""
    account, false = result.account, Counter(alert.rule for alert in result.false)
    rate = f"{result.false_per_sensor_month:.2f} per sensor and month"
    span = f"{len(account.devices):,} sensors, {result.months:.1f} months"
    said = [f"{result.alerts:,} alerts, {len(result.false):,} of them false: {rate} ({span})"]
    said += [f"  {count:,} by {rule}" for rule, count in false.most_common(SHOWN)]
    missed = result.missed()
    said += [f"not raised: {one.id}, {', '.join(one.sites)}" for one in missed[:SHOWN]]
    said += [f"and {len(missed) - SHOWN:,} more"] if len(missed) > SHOWN else []
    return "\n".join(said)
