"""`andaman doctor`: looks at all that Andaman needs, and says what to do where it is not well.

Each look is a function that gives one finding or more and raises nothing: a part that is ill must
not hide the next.
"""

import asyncio
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

import httpx

import app
import brokers
from alerts.notify import email, line
from alerts.notify.line_api import LineApi
from alerts.notify.mail import sender_of
from alerts.notify.smtp import greet, server_of
from core.errors import AndamanError, ConfigError, DeliveryError, StartError
from core.settings import Settings
from dashboards.grafana import Grafana
from serving import LOCAL_FILE
from storage.backup import revision
from storage.database import newest_revision
from storage.influx_address import InfluxAddress
from watching import Seen, findings

SECONDS = 10.0
CLOCK_SECONDS = 30


class State(StrEnum):
    """How a part is."""

    WELL = "well"
    WARNING = "warning"
    ILL = "ill"
    OFF = "not used"


class Finding(NamedTuple):
    """One part, how it is, in words, and what to do about it."""

    part: str
    state: State
    words: str
    advice: str = ""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Every part in turn, as it is looked at."""
    for look in LOOKS:
        for finding in await look(settings):
            yield finding


async def _configuration(settings: Settings) -> list[Finding]:
    try:
        city = app.read_configuration(settings.config_dir)
    except ConfigError as error:
        advice = "correct each line; `andaman check` says them again"
        return [Finding("configuration", State.ILL, str(error), advice)]
    places, rules = len(city.registry.sites), len(city.rules)
    return [Finding("configuration", State.WELL, f"{places} sites, {rules} rules")]


async def _ledger(settings: Settings) -> list[Finding]:
    folder = settings.data_dir
    try:
        found = revision(folder)
    except StartError as error:
        return [Finding("ledger", State.ILL, str(error), "restore a backup")]
    if found is None:
        words = f"{folder.absolute()} holds none yet; the first start makes it"
        return [Finding("ledger", State.WARNING, words, "or name the right folder with --data")]
    if found != newest_revision():
        words = "written by another version of Andaman"
        return [Finding("ledger", State.WARNING, words, "the next start brings it up to date")]
    return [Finding("ledger", State.WELL, f"{folder.absolute()}")]


async def _disk(settings: Settings) -> list[Finding]:
    folder = settings.data_dir.absolute()
    place = next(path for path in (folder, *folder.parents) if path.exists())
    disk = shutil.disk_usage(place)
    words = f"{disk.free / 1e9:.1f} GB of {disk.total / 1e9:.1f} GB are free"
    wrong = findings(Seen(at=0, disk_total=disk.total, disk_free=disk.free))
    if any(wrong.values()):
        advice = "make room: a full disk stops everything, though it loses nothing"
        return [Finding("disk", State.ILL, words, advice)]
    return [Finding("disk", State.WELL, words)]


async def _running(settings: Settings) -> list[Finding]:
    """What the system that runs on the folder says of its own parts; else the way to its broker."""
    local = settings.data_dir / LOCAL_FILE
    try:
        place = json.loads(local.read_text(encoding="utf-8"))
        headers = {"Authorization": f"Bearer {place['key']}"}
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            answer = await client.get(f"{place['api']}/health/ready", headers=headers)
        checks = answer.json()["checks"]
    except (OSError, httpx.HTTPError, ValueError, KeyError):
        words = "does not run on this folder"
        stopped = Finding("andaman", State.WARNING, words, "start it: `andaman run`")
        return [stopped, await _broker(settings)]
    well = [Finding("andaman", State.WELL, f"runs; API on {place['api']}")]
    return well + [
        Finding(name, State.WELL if check["ok"] else State.ILL, check["words"])
        for name, check in sorted(checks.items())
    ]


async def _broker(settings: Settings) -> Finding:
    try:
        address = brokers.outside(settings)
    except ConfigError as error:
        return Finding("broker", State.ILL, str(error), "correct the setting")
    if address is None:
        return Finding("broker", State.WELL, "the embedded one starts with Andaman")
    place = f"{address.host}:{address.port}"
    try:
        with await asyncio.to_thread(
            socket.create_connection, (address.host, address.port), SECONDS
        ):
            return Finding("broker", State.WELL, f"{place} takes connections")
    except OSError as error:
        words = f"{place} cannot be reached ({error.strerror or error})"
        return Finding("broker", State.ILL, words, "is it up? check ANDAMAN_MQTT_URL")


async def _influx(settings: Settings) -> list[Finding]:
    part = "influxdb"
    if not settings.influx_url:
        return [Finding(part, State.OFF, "ANDAMAN_INFLUX_URL is not set")]
    try:
        address = InfluxAddress(
            url=settings.influx_url,
            org=settings.influx_org,
            bucket=settings.influx_bucket,
            token=settings.influx_token.get_secret_value(),
        )
        headers = {"Authorization": f"Token {address.token}"}
        asked = {"name": address.bucket, "org": address.org}
        async with httpx.AsyncClient(timeout=SECONDS, headers=headers) as client:
            answer = await client.get(f"{address.url}/api/v2/buckets", params=asked)
    except ConfigError as error:
        return [Finding(part, State.ILL, str(error), "correct the setting")]
    except httpx.HTTPError as error:
        words = f"{address.url} does not answer ({type(error).__name__})"
        return [Finding(part, State.ILL, words, "is it up? points wait in the ledger meanwhile")]
    if answer.is_success and answer.json().get("buckets"):
        return [Finding(part, State.WELL, f"{address.url}, bucket {address.bucket}")]
    words = (
        f"the token does not open bucket {address.bucket} of {address.org} ({answer.status_code})"
    )
    advice = "`andaman influx setup` makes buckets and tokens"
    return [Finding(part, State.ILL, words, advice)]


async def _grafana(settings: Settings) -> list[Finding]:
    part = "grafana"
    if not settings.grafana_url:
        return [Finding(part, State.OFF, "ANDAMAN_GRAFANA_URL is not set")]
    try:
        grafana = Grafana(settings.grafana_url, settings.grafana_token.get_secret_value())
        version = await asyncio.to_thread(grafana.greet)
        there = await asyncio.to_thread(grafana.has_folder, "andaman-en")
    except AndamanError as error:
        return [Finding(part, State.ILL, str(error))]
    words = f"version {version or 'unknown'} at {settings.grafana_url}"
    if not there:
        advice = "`andaman dashboards publish` brings them"
        return [Finding(part, State.WARNING, f"{words}, without our dashboards", advice)]
    return [Finding(part, State.WELL, words)]


async def _line(settings: Settings) -> list[Finding]:
    if not line.is_set_up(settings):
        return [Finding("line", State.OFF, "ANDAMAN_LINE_TOKEN is not set")]
    try:
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            token = settings.line_token.get_secret_value()
            limit, used = await LineApi(settings.line_url, token, client).usage()
    except (ConfigError, DeliveryError) as error:
        return [Finding("line", State.ILL, str(error), "check ANDAMAN_LINE_URL and its token")]
    if limit is not None and used >= limit:
        words = f"the {limit} messages of the month are spent"
        return [Finding("line", State.ILL, words, "buy more, or wait for the next month")]
    return [
        Finding("line", State.WELL, f"{used} of {limit or 'any number of'} messages this month")
    ]


async def _mail(settings: Settings) -> list[Finding]:
    if not email.is_set_up(settings):
        return [Finding("email", State.OFF, "ANDAMAN_SMTP_URL is not set")]
    password = settings.smtp_password.get_secret_value()
    try:
        sender = sender_of(settings.mail_from)
        server = server_of(settings.smtp_url, password, settings.smtp_ca_file)
        await greet(server, sender.addr_spec)
    except (ConfigError, DeliveryError) as error:
        return [Finding("email", State.ILL, str(error), "check ANDAMAN_SMTP_URL and its password")]
    return [Finding("email", State.WELL, f"{server.host} lets us in")]


async def _clock(settings: Settings) -> list[Finding]:
    """Beside the clock of whoever tells us theirs."""
    line_url = settings.line_url if line.is_set_up(settings) else ""
    for url in filter(None, (line_url, settings.influx_url, settings.grafana_url)):
        try:
            async with httpx.AsyncClient(timeout=SECONDS) as client:
                date = (await client.head(url)).headers.get("date", "")
            off = time.time() - parsedate_to_datetime(date).timestamp()
        except (httpx.HTTPError, TypeError, ValueError):
            continue
        host = httpx.URL(url).host
        if abs(off) > CLOCK_SECONDS:
            words = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the one of {host}"
            return [Finding("clock", State.ILL, words, "see that the machine keeps its time")]
        return [Finding("clock", State.WELL, f"as the one of {host}")]
    return [Finding("clock", State.OFF, "there is nobody to compare it with")]


LOOKS: tuple[Callable[[Settings], Awaitable[list[Finding]]], ...] = (
    _configuration,
    _disk,
    _ledger,
    _running,
    _influx,
    _grafana,
    _line,
    _mail,
    _clock,
)
