"""What the public may do without a key: sign up by mail, confirm, stop.

Nothing here says whether an address is known: the answer is the same. A GET changes nothing, since
programs that look for bad links open all of them.
"""

import logging
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response

from alerts.personal import message
from api import public_pages
from api.budget import doors_of, network_of
from api.context import ApiContext, Context
from api.problems import ApiError, bad_parameter, invalid
from api.public_pages import Choices, Filled, Place
from api.public_words import words
from api.subscribers import written
from api.wishes import AskedWishes, Email, Subscriptions, check_targets, districts
from core.groups import Planned
from core.languages import LANGUAGES, Language
from core.notices import Channel, NoticeReason
from core.subscribers import Subscriber, masked
from storage import joining, labels, notices, queries, surroundings
from storage.joining import WEB, Purpose
from storage.ledger import Ledger

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 300
Lang = Annotated[str | None, Query(max_length=5)]


class AskedSignUp(AskedWishes):
    """Who wants to be told of what."""

    email: Email
    consent: Literal[True]
    subscriptions: Annotated[Subscriptions, Field(min_length=1)]


@router.get("/public/subscribe")
def show_sign_up(context: Context, request: Request, lang: Lang = None) -> HTMLResponse:
    """The page to sign up."""
    language = _language(request, lang)
    problem = "" if Channel.EMAIL in context.channels else "no-mail"
    page = public_pages.sign_up(_choices(context, language), Filled(), language, problem)
    return _html(page)


@router.post("/public/subscriptions")
async def sign_up(context: Context, request: Request, lang: Lang = None) -> Response:
    """Take a sign-up, as a form or as JSON, and send a mail that asks for confirmation."""
    language, form = _language(request, lang), _is_form(request)
    filled = Filled()
    try:
        body = await request.body()
        filled = _filled(body) if form else filled
        asked = _asked(_as_json(filled) if form else body)
        _limit(context, request)
        await _take(context, request, asked)
    except ApiError as error:
        if not form:
            raise
        choices = await run_in_threadpool(_choices, context, language)
        problem = _problem(error)
        return _html(public_pages.sign_up(choices, filled, language, problem), error.status_code)
    if form:
        return _html(public_pages.note("sent", language), 202)
    return JSONResponse({"detail": words("sent", language)}, 202)


@router.get("/public/confirm/{token}")
def show_confirm(request: Request, token: str, lang: Lang = None) -> HTMLResponse:
    """A page with a button; it looks nothing up."""
    action = f"/public/confirm/{_plain(token)}"
    return _html(public_pages.note("confirm", _language(request, lang), action=action))


@router.post("/public/confirm/{token}")
async def confirm(
    context: Context, request: Request, token: str, lang: Lang = None
) -> HTMLResponse:
    """The address is theirs: they are told from now on."""
    doors_of(request).answers.require(_caller(request), context.clock())
    at = context.clock()
    done = await written(context, lambda ledger: joining.confirm(ledger, token, _wished, at))
    name = "stale" if done is None else "confirmed"
    page = public_pages.note(name, _language(request, lang), back=done is None)
    return _html(page)


@router.get("/u/{token}")
def show_leave(request: Request, token: str, lang: Lang = None) -> HTMLResponse:
    """A page with a button; it looks nothing up."""
    action = f"/u/{_plain(token)}"
    return _html(public_pages.note("leave", _language(request, lang), action=action))


@router.post("/u/{token}")
async def leave(context: Context, request: Request, token: str, lang: Lang = None) -> HTMLResponse:
    """Nothing more is sent to whoever has this link (RFC 8058): at once, and without a question."""
    doors_of(request).answers.require(_caller(request), context.clock())
    subscriber, at = context.links.subscriber(token), context.clock()
    if subscriber is not None:
        await written(context, lambda ledger: joining.stop(ledger, subscriber, by=WEB, at=at))
    return _html(public_pages.note("left", _language(request, lang), back=True))


async def _take(context: ApiContext, request: Request, asked: AskedSignUp) -> None:
    """Keep what they wish until it is confirmed, and have the mail sent."""
    at, word = context.clock(), joining.new_word(Purpose.CONFIRM)
    if doors_of(request).address.spend(asked.email, at):
        log.info("no further mail of confirmation to %s today", masked(asked.email))
        return
    language = asked.language or "th"
    body = asked.model_dump_json(exclude_unset=True, by_alias=True)

    def change(ledger: Ledger) -> None:
        with ledger.transaction() as connection:
            wishes = [one.subscription() for one in asked.subscriptions]
            check_targets(wishes, labels.places(connection))
            one = joining.sign_up(ledger, asked.email, language, word, body, at)
            contact = one and one.contact(Channel.EMAIL)
            if one and contact:
                asks = message(one, contact, NoticeReason.CONFIRM, at, token=word)
                notices.keep(connection, Planned(notices=[asks]))

    await written(context, change)


def _wished(before: Subscriber, body: str) -> Subscriber:
    return AskedSignUp.model_validate_json(body).wished(before)


def _limit(context: ApiContext, request: Request) -> None:
    if Channel.EMAIL not in context.channels:
        raise ApiError("unavailable", "Mails cannot be sent from here: no mail server is set up.")
    doors, at = doors_of(request), context.clock()
    doors.caller.require(_caller(request), at)
    doors.everybody.require("", at)


def _asked(sent: Mapping[str, Any] | bytes) -> AskedSignUp:
    """What somebody wishes, from JSON or the fields of the form.

    Raises:
        ApiError: it is not what it should be; `field` says what.
    """
    try:
        if isinstance(sent, bytes):
            return AskedSignUp.model_validate_json(sent)
        return AskedSignUp.model_validate(sent)
    except ValidationError as error:
        raise invalid(error.errors()[0]) from None


def _filled(body: bytes) -> Filled:
    try:
        sent = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise bad_parameter("body", "is no form; send it from /public/subscribe") from None
    one = {name: values[-1].strip()[:300] for name, values in sent.items()}
    return Filled(
        email=one.get("email", ""),
        language=one.get("language", ""),
        places=frozenset(sent.get("places", ())),
        severity=one.get("severity", "warning"),
        quiet_from=one.get("quiet_from", ""),
        quiet_until=one.get("quiet_until", ""),
        digest=one.get("digest", ""),
        consent=one.get("consent") == "yes",
    )


def _as_json(filled: Filled) -> Mapping[str, Any]:
    """The form as the API would take it."""
    wishes: dict[str, Any] = {
        "email": filled.email,
        "language": filled.language or None,
        "consent": filled.consent,
        "subscriptions": [
            {"scope": scope, "target": target, "severity": filled.severity}
            for scope, _, target in (place.partition(":") for place in sorted(filled.places))
        ],
    }
    if filled.quiet_from or filled.quiet_until:
        wishes["quiet"] = {"from": filled.quiet_from, "until": filled.quiet_until}
    if filled.digest:
        wishes["digest"] = filled.digest
    return wishes


def _problem(error: ApiError) -> str:
    """The phrase for people who see the form."""
    if error.kind in {"too-many", "unavailable"}:
        return "too-many" if error.kind == "too-many" else "no-mail"
    field = (error.field or "").partition(".")[0]
    known = {"subscriptions": "wrong-places", "quiet": "wrong-quiet", "digest": "wrong-digest"}
    return known.get(field, "wrong-consent" if field == "consent" else "wrong-email")


def _choices(context: ApiContext, language: Language) -> Choices:
    with queries.snapshot(context.readers) as connection:
        sites = labels.places(connection).sites
        names = surroundings.names(connection, set(sites))
    kinds = sorted({kind for kind, _ in sites.values()})
    named = sorted((names[site][language], site) for site in sites)
    return Choices(
        kinds=[Place(f"kind:{kind}", words(f"kind-{kind}", language)) for kind in kinds],
        districts=[
            Place(f"district:{name}", name.replace("-", " ").replace("/", " / ").title())
            for name in districts(place for _, place in sites.values())
        ],
        sites=[
            (kind, [Place(f"site:{site}", name) for name, site in named if sites[site][0] == kind])
            for kind in kinds
        ],
    )


def _language(request: Request, asked: str | None) -> Language:
    """Which they asked for, or what their browser says; else Thai."""
    spoken = [asked or "", *request.headers.get("accept-language", "").lower().split(",")]
    for language in (word.strip()[:2] for word in spoken):
        for known in LANGUAGES:
            if language == known:
                return known
    return "th"


def _html(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status, headers={"Content-Security-Policy": public_pages.POLICY})


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


def _plain(token: str) -> str:
    """The token as a link may hold it: ours have no other letters."""
    return re.sub(r"[^A-Za-z0-9._-]", "", token)


def _caller(request: Request) -> str:
    return network_of(request.client.host if request.client else None)
