"""`andaman db`: the ledger's database."""

from pathlib import Path
from typing import Annotated

import typer

import verifying
from cli_shared import Data, settings_of, told
from core.times import MINUTE
from storage.backup import backup, restore
from storage.ledger import Ledger

commands = typer.Typer(help="The ledger's database.", no_args_is_help=True)


@commands.command("upgrade")
def db_upgrade(data: Data = None) -> None:
    """Bring the ledger's schema up to date (a start does so as well).

    Example: andaman db upgrade --data /var/lib/andaman
    """
    with told():
        Ledger(settings_of(data).data_dir).close()
        typer.echo("the ledger is up to date")


@commands.command("backup")
def db_backup(file: Annotated[Path, typer.Argument(help="A new file.")], data: Data = None) -> None:
    """Copy the ledger into one file, also while Andaman runs.

    Example: andaman db backup backups/ledger-2026-11-22.db --data /var/lib/andaman
    """
    with told():
        size = backup(settings_of(data).data_dir, file)
        typer.echo(f"{file}: {size / 1e6:.1f} MB")


@commands.command("restore")
def db_restore(file: Annotated[Path, typer.Argument(help="A backup.")], data: Data = None) -> None:
    """Make a backup the ledger of a data folder that has none.

    Example: andaman db restore backups/ledger-2026-11-22.db --data /var/lib/andaman-new
    """
    with told():
        folder = settings_of(data).data_dir
        restore(folder, file)
        typer.echo(f"{folder} is what it was when the backup was made")


@commands.command("verify")
def db_verify(data: Data = None) -> None:
    """Hold the ledger to its promise, also while Andaman runs; exit 1 with a line for each breach.

    The file is whole, every item is counted once, and the alerts are those that the rules raise
    when they see all readings again. A ledger of a year takes minutes.

    Example: andaman db verify --data /var/lib/andaman
    """
    with told():
        settings = settings_of(data)
        wrong = verifying.verify(settings.data_dir, settings.lateness_minutes * MINUTE)
        for line in wrong:
            typer.echo(line)
        if wrong:
            raise typer.Exit(1)
        typer.echo(f"{settings.data_dir}: whole, every item counted, every alert as a replay says")
