"""`andaman influx …`: an InfluxDB 2 that Andaman can write to."""

from pathlib import Path
from typing import Annotated

import typer

from cli_shared import bytes_of, settings_of, told
from storage.influx_address import InfluxAddress
from storage.influx_setup import Retention, prepare

commands = typer.Typer(help="InfluxDB.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """InfluxDB."""


@commands.command("setup")
def setup(
    admin_token_file: Annotated[
        Path, typer.Option(help="File with a token of InfluxDB that may do everything.")
    ],
    *,
    tokens: Annotated[
        Path | None,
        typer.Option(help="Folder for `andaman_influx_token` and `grafana_influx_token`."),
    ] = None,
    days: Annotated[int, typer.Option(min=0, help="Keep readings so long; 0: for ever.")] = 730,
    hourly_days: Annotated[
        int, typer.Option(min=0, help="Keep hourly aggregates so long; 0: for ever.")
    ] = 0,
) -> None:
    """Make buckets, the task that aggregates by the hour, and tokens that may do no more than they
    need. It can be asked for again: what is right is left alone.

    Example: andaman influx setup --admin-token-file secrets/influx_admin_token --tokens tokens
    """
    with told():
        settings = settings_of(None)
        address = InfluxAddress(
            url=settings.influx_url,
            org=settings.influx_org,
            bucket=settings.influx_bucket,
            token=bytes_of(admin_token_file).decode("utf-8", "replace").strip(),
        )
        wanted = (
            {}
            if tokens is None
            else {tokens / "andaman_influx_token": "write", tokens / "grafana_influx_token": "read"}
        )
        for line in prepare(address, Retention(days=days, hourly_days=hourly_days), wanted):
            typer.echo(line)
