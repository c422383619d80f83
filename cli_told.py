"""How commands tell what went wrong; apart from the others, so that it loads at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from core.errors import AndamanError, ConfigError


@contextmanager
def told() -> Iterator[None]:
    """Turn our own errors into lines on stderr and exit 1."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(1) from error
    except AndamanError as error:
        typer.echo(f"andaman: {error}", err=True)
        raise typer.Exit(1) from error
