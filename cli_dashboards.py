"""`andaman dashboards`: builds Grafana's dashboards and takes them to a Grafana that is there."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

import app as composition
from alerts import standards
from alerts.kinds.threshold import Threshold
from alerts.rules import Rule
from alerts.standards import Index
from cli_shared import settings_of, told, writing
from core.errors import StartError
from dashboards.build import FOLDER, build, stale, text_of, write
from dashboards.facts import Band, Bands, Facts, Level
from dashboards.frame import LINK
from dashboards.panels import Json
from dashboards.publish import Outcome, Report, publish

PM25 = "th-aqi-pm25-24h"
CREATED, UPDATED = Outcome.CREATED, Outcome.UPDATED
commands = typer.Typer(help="Dashboards for Grafana.", no_args_is_help=True)


@commands.command("build")
def build_dashboards(
    folder: Annotated[Path, typer.Option(help="Where the files go.")] = FOLDER,
    check: Annotated[bool, typer.Option(help="Change nothing; exit 1 if files are stale.")] = False,
) -> None:
    """Write the dashboards of the configuration as JSON files, for provisioning.

    Example: andaman dashboards build --folder /var/lib/grafana/dashboards
    """
    with told():
        built = dashboards_of(settings_of(None).config_dir)
        if check:
            old = stale(folder, {name: text_of(one) for name, one in built.items()})
            if old:
                raise StartError(f"run andaman dashboards build: {', '.join(old)}")
        else:
            with writing(folder):
                changed = write(folder, built)
            for name in changed:
                typer.echo(folder / name)
            typer.echo(f"{len(built)} dashboards, {len(changed)} files changed")


@commands.command("publish")
def publish_dashboards(
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite ours where they were edited by hand.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; show what would change.")
    ] = False,
) -> None:
    """Take the dashboards to the Grafana of ANDAMAN_GRAFANA_URL; exit 1 where one was left alone.

    Example: ANDAMAN_GRAFANA_URL=http://127.0.0.1:3000 andaman dashboards publish --dry-run
    """
    from dashboards.grafana import Grafana  # noqa: PLC0415  its client is needed here alone

    with told():
        settings = settings_of(None)
        built = dashboards_of(settings.config_dir, settings.public_url or LINK)
        grafana = Grafana(settings.grafana_url, settings.grafana_token.get_secret_value())
        version = grafana.greet()
        typer.echo(f"Grafana {version or 'of a version that it does not tell'}")
        left = 0
        for report in publish(grafana, built, force=force, dry_run=dry_run):
            _show(report, dry_run=dry_run)
            left += not report.outcome.done
        if left:
            raise StartError(f"{left} of {len(built)} dashboards are not as built")


def _show(report: Report, *, dry_run: bool) -> None:
    for line in report.diff if dry_run else ():
        typer.echo(line)
    words = f" ({report.words})" if report.words else ""
    would = "would be " if dry_run and report.outcome in (CREATED, UPDATED) else ""
    typer.echo(f"{report.uid}: {would}{report.outcome}{words}")


def dashboards_of(config: Path, link: str = LINK) -> Mapping[str, Json]:
    """The dashboards of a city's files; `link` is the address of Andaman in their links.

    Raises:
        ConfigError: the files have mistakes.
        StartError: they do not say how PM2.5 is judged.
    """
    city, indices = composition.read_configuration(config), standards.indices(config)
    if PM25 not in indices:
        raise StartError(f"no file of {config / 'standards'} has an index {PM25}; add it")
    levels = [level for rule in city.rules for level in levels_of(rule)]
    facts = Facts(levels=tuple(levels), pm25=_bands(indices[PM25]), zone=city.registry.zone.key)
    return build(facts, link)


def levels_of(rule: Rule) -> Iterable[Level]:
    """Where a rule calls values wrong at all places of its kinds at any time; nothing of one that
    judges no values, is on trial, or watches only some places or sometimes.
    """
    chosen = rule.selection
    narrow = rule.shadow or chosen.sites or chosen.devices or rule.terms.schedule
    if not isinstance(rule.kind, Threshold) or narrow:
        return
    for severity, span in sorted(rule.terms.levels.spans.items()):
        for side, value in (("below", span.low), ("above", span.high)):
            if math.isfinite(value):
                yield Level(
                    parameter=rule.parameter,
                    kinds=chosen.kinds,
                    severity=severity.label,
                    side=side,
                    value=value,
                    rule=rule.name,
                    source=rule.source,
                )


def _bands(index: Index) -> Bands:
    return Bands(
        title=index.title.model_dump(),
        source=f"{index.source} ({index.date})",
        steps=tuple(Band(up_to=step.up_to, name=step.name.model_dump()) for step in index.steps),
    )
