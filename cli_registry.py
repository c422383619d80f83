"""`andaman sites …` and `andaman devices …`: the registry of a running system."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from cli_shared import Data, ask, bytes_of, pages, shown, table, told, writing

sites_cli = typer.Typer(help="The places that are watched.", no_args_is_help=True)
devices_cli = typer.Typer(help="What measures, and where it stands.", no_args_is_help=True)

Since = Annotated[
    str | None, typer.Option(help="Since when: a day, or a time with its zone; now if not said.")
]
Gateway = Annotated[str, typer.Option(help="The gateway that it reports through.")]
Model = Annotated[str, typer.Option(help="Which profile says what its keys mean.")]
File = Annotated[Path, typer.Argument(help="The CSV file.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would become of it.")]
Address = Annotated[str, typer.Option(help="What its network calls it, such as a DevEUI.")]


@sites_cli.command("list")
def sites_list(data: Data = None) -> None:
    """Show the sites and how they stand.

    Example: andaman sites list
    """
    with told():
        _show(("id", "kind", "district", "origin", "state", "newest"), pages("/v1/sites", data))


@sites_cli.command("add")
def sites_add(
    site: Annotated[str, typer.Argument(help="Its id.")],
    *,
    kind: Annotated[str, typer.Option(help="beach, air, bin, weather, …")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    name_th: Annotated[str, typer.Option(help="Its name in Thai.")],
    position: Annotated[tuple[float, float], typer.Option(help="Latitude and longitude, WGS 84.")],
    district: Annotated[str, typer.Option(help="amphoe/tambon.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    data: Data = None,
) -> None:
    """Add a site.

    Example: andaman sites add laem-ka --kind beach --name-en "Laem Ka" --name-th แหลมกา
    --position 7.776 98.308 --district mueang/rawai
    """
    with told():
        asked: dict[str, Any] = dict(zip(("latitude", "longitude"), position, strict=True))
        asked |= {"id": site, "kind": kind, "name": {"en": name_en, "th": name_th}}
        ask("POST", "/v1/sites", data, asked | {"district": district, "owner": owner})
        typer.echo(f"{site} is added")


@devices_cli.command("list")
def devices_list(
    site: Annotated[str | None, typer.Option(help="Only those at this site.")] = None,
    data: Data = None,
) -> None:
    """Show the devices, where they stand, and since when.

    Example: andaman devices list --site patong-beach
    """
    with told():
        path = "/v1/devices" if site is None else f"/v1/devices?site={quote(site)}"
        columns = ("id", "gateway", "site", "since", "model", "address", "origin", "newest")
        _show(columns, pages(path, data))


@devices_cli.command("add")
def devices_add(
    device: Annotated[str, typer.Argument(help="Its id.")],
    *,
    gateway: Gateway,
    site: Annotated[str, typer.Option(help="Where it stands.")],
    since: Since = None,
    model: Model = "",
    address: Address = "",
    data: Data = None,
) -> None:
    """Add a device; its readings are taken at once.

    Example: andaman devices add laem-ka-probe-1 --gateway gw-karon --site laem-ka
    """
    with told():
        asked = {"id": device, "gateway": gateway, "site": site, "since": since}
        ask("POST", "/v1/devices", data, asked | {"model": model, "address": address})
        typer.echo(f"{device} is added")


@devices_cli.command("move")
def devices_move(
    device: Annotated[str, typer.Argument(help="Its id.")],
    *,
    site: Annotated[str, typer.Option(help="Where it stands now.")],
    since: Since = None,
    data: Data = None,
) -> None:
    """Tell that a device has moved; where it stood before is kept.

    Example: andaman devices move laem-ka-probe-1 --site rawai-beach --since 2026-11-22
    """
    with told():
        moved = ask(
            "POST",
            f"/v1/devices/{quote(device, safe='')}/moves",
            data,
            {"site": site, "since": since},
        )
        typer.echo(f"{device} stands at {moved['site']} since {moved['since']}")


@devices_cli.command("unknown")
def devices_unknown(data: Data = None) -> None:
    """Show the devices that report without being registered, and which model each may be.

    Example: andaman devices unknown
    """
    with told():
        listed = table("gateway", "device", "first seen", "last seen", "items", "keys", "model?")
        for found in pages("/v1/unknown-devices", data):
            seen = [found[name] for name in ("gateway", "device", "first_seen", "last_seen")]
            models = (f"{s['model'] or '(none)'} {s['score']:.0%}" for s in found["suggestions"])
            cells = [*seen, str(found["items"]), ", ".join(found["keys"]), "\n".join(models)]
            listed.add_row(*map(shown, cells))
        Console().print(listed)


@devices_cli.command("approve")
def devices_approve(
    device: Annotated[str, typer.Argument(help="What its network calls it.")],
    *,
    gateway: Gateway,
    site: Annotated[str, typer.Option(help="Where it stands.")],
    id_: Annotated[
        str | None, typer.Option("--id", help="Its id here; its name if not said.")
    ] = None,
    model: Model = "",
    since: Annotated[
        str | None, typer.Option(help="Since when it stands there; when first seen if not said.")
    ] = None,
    data: Data = None,
) -> None:
    """Register a device that reports already, and take what was kept of it.

    Example: andaman devices approve 24e124136b502217 --gateway gw-town
    --id thalang-road-bin-2 --site bin-thalang-road --model milesight-em400-mud
    """
    with told():
        asked = {"device": device, "gateway": gateway, "site": site, "model": model}
        more = {"id": id_, "since": since}
        made = ask("POST", "/v1/unknown-devices/approve", data, asked | more)
        name = made["device"]["id"]
        chosen = {"reason": "unknown-device", "gateway": gateway, "device": device}
        chosen["note"] = f"{name} is approved"
        done, sums = made["replayed"], Counter[str]()
        while True:
            following = done.pop("next")
            sums.update(done)
            if following is None:
                break
            done = ask("POST", "/v1/quarantine/replay", data, chosen | {"cursor": following})
        words = ", ".join(f"{sums[word]} {word}" for word in ("stored", "duplicate", "refused"))
        typer.echo(f"{name} is registered; of what was kept {words}")


@sites_cli.command("export")
def sites_export(file: File, data: Data = None) -> None:
    """Write the sites to a CSV file.

    Example: andaman sites export sites.csv
    """
    _export("/v1/sites.csv", file, data)


@sites_cli.command("import")
def sites_import(file: File, dry_run: DryRun = False, data: Data = None) -> None:
    """Add and change sites as a CSV file says, all of it or nothing; exit 1 if a line is refused.

    Example: andaman sites import sites.csv --dry-run
    """
    _import("/v1/sites.csv", file, dry_run, data)


@devices_cli.command("export")
def devices_export(file: File, data: Data = None) -> None:
    """Write the devices to a CSV file; one that has moved has a line for each place.

    Example: andaman devices export devices.csv
    """
    _export("/v1/devices.csv", file, data)


@devices_cli.command("import")
def devices_import(file: File, dry_run: DryRun = False, data: Data = None) -> None:
    """Add, change and move devices as a CSV file says, all of it or nothing; exit 1 if a line is
    refused.

    Example: andaman devices import devices.csv --dry-run
    """
    _import("/v1/devices.csv", file, dry_run, data)


def _export(path: str, file: Path, data: Path | None) -> None:
    with told():
        text = ask("GET", path, data)
        with writing(file):
            file.write_bytes(text.encode())
        typer.echo(f"{file} is written")


def _import(path: str, file: Path, dry_run: bool, data: Path | None) -> None:
    with told():
        asked = f"{path}?dry_run={str(dry_run).lower()}"
        report = ask("POST", asked, data, bytes_of(file))
        for line in report["lines"]:
            if line["done"] != "same":
                words = f": {line['detail']}" if line["detail"] else ""
                typer.echo(f"{file}:{line['line']}: {line['id']} {line['done']}{words}")
        sums = ", ".join(f"{report[n]} {n}" for n in ("added", "changed", "same", "refused"))
        typer.echo(sums if report["stored"] else f"{sums}; nothing is stored")
        raise typer.Exit(report["refused"] > 0)


def _show(columns: tuple[str, ...], items: list[Any]) -> None:
    listed = table(*columns)
    for item in items:
        listed.add_row(*(shown(item[name]) for name in columns))
    Console().print(listed)
