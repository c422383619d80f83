"""The public pages as HTML: plain, without scripts or anything from elsewhere. Pure.

Whatever did not come from us is escaped.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from api.public_words import words
from core.alerts import Severity
from core.languages import LANGUAGES, Language

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_OTHER: dict[Language, Language] = {"en": "th", "th": "en"}
_STYLE = """
:root{color-scheme:light dark;--ink:#10323c;--sea:#0b6e82;--soft:#eef6f7;--line:#c9dee2;
--paper:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e3f0f2;--sea:#58bccf;--soft:#12272d;--line:#2b4a52;
--paper:#0c1a1e}}
*{box-sizing:border-box}
body{margin:0;background:var(--soft);color:var(--ink);
font:17px/1.6 system-ui,"Noto Sans Thai",sans-serif}
header{background:linear-gradient(160deg,#0b6e82,#053b48);color:#fff;padding:1.6rem 1rem 3.4rem}
header div,main{max-width:40rem;margin:0 auto}
header a{color:#d5f2f7;float:right}
h1{margin:.4rem 0 0;font-size:1.7rem;line-height:1.3}
main{background:var(--paper);margin-top:-2.2rem;padding:1.4rem;border-radius:14px;
border:1px solid var(--line)}
fieldset{border:0;border-top:1px solid var(--line);margin:1.2rem 0 0;padding:1rem 0 0}
legend,.label{font-weight:600;padding:0;display:block}
label{display:block;padding:.15rem 0}
details{border:1px solid var(--line);border-radius:10px;margin:.5rem 0;padding:.45rem .8rem}
summary{cursor:pointer}
input[type=email],input[type=time],select{font:inherit;color:inherit;background:var(--soft);
border:1px solid var(--line);border-radius:8px;padding:.5rem .7rem}
input[type=email]{width:100%}
input[type=checkbox]{width:1.1rem;height:1.1rem;margin-right:.5rem;accent-color:var(--sea)}
button{font:inherit;font-weight:600;color:#fff;background:#0b6e82;border:0;border-radius:10px;
padding:.75rem 1.4rem;margin-top:1.2rem;cursor:pointer}
:focus-visible{outline:3px solid var(--sea);outline-offset:2px}
.wrong{border-left:4px solid #c0392b;background:#c0392b22;padding:.6rem .9rem;border-radius:6px}
.hint{font-size:.9rem;opacity:.8}
"""


class Place(NamedTuple):
    """Something to choose: `value` is what the form sends, such as `site:patong-beach`."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from; sites by their kind."""

    kinds: Sequence[Place] = ()
    districts: Sequence[Place] = ()
    sites: Sequence[tuple[str, Sequence[Place]]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form as it was filled in, which is shown again when something is wrong."""

    email: str = ""
    language: str = ""
    places: Collection[str] = field(default_factory=frozenset)
    severity: str = "warning"
    quiet_from: str = ""
    quiet_until: str = ""
    digest: str = ""
    consent: bool = False


def sign_up(choices: Choices, filled: Filled, language: Language, problem: str = "") -> str:
    """The page to sign up; `problem` is the phrase that says what is wrong with `filled`."""
    body = "".join(_form(choices, filled, language, problem))
    return _page("title", body, language, switch="/public/subscribe")


def note(name: str, language: Language, *, action: str = "", back: bool = False) -> str:
    """A short page: a title, a sentence, and a button that sends a POST to `action`, or a way back
    to signing up.
    """
    body = f"<p>{escape(words(name, language))}</p>"
    if action:
        label = escape(words(f"{name}-button", language))
        body += f'<form method="post" action="{escape(action)}"><button>{label}</button></form>'
    if back:
        label = escape(words("back", language))
        body += f'<p><a href="/public/subscribe?lang={language}">{label}</a></p>'
    return _page(f"{name}-title", body, language, switch=action)


def _page(title: str, body: str, language: Language, *, switch: str = "") -> str:
    shown, other = escape(words(title, language)), _OTHER[language]
    link = ""
    if switch:
        label = escape(words("other-language", language))
        link = f'<a href="{escape(switch)}?lang={other}" hreflang="{other}">{label}</a>'
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
        f"<title>{shown} – Andaman</title><style>{_STYLE}</style>"
        f"<header><div>{link}Andaman<h1>{shown}</h1></div></header><main>{body}</main></html>"
    )


def _form(choices: Choices, filled: Filled, language: Language, problem: str) -> Iterator[str]:
    def say(name: str) -> str:
        return escape(words(name, language))

    if problem:
        yield f'<p class="wrong" role="alert"><b>{say("wrong")}:</b> {say(problem)}</p>'
    yield f"<p>{say('intro')}</p>"
    yield f'<form method="post" action="/public/subscriptions?lang={language}">'
    yield f'<label class="label" for="email">{say("email")}</label>'
    yield '<input type="email" id="email" name="email" required maxlength="254" '
    yield f'autocomplete="email" value="{escape(filled.email)}">'
    yield f"<fieldset><legend>{say('places')}</legend>"
    yield _box(Place("all", words("all", language)), filled)
    yield _boxes(words("kinds", language), choices.kinds, filled)
    for kind, places in choices.sites:
        title = f"{words('sites', language)}: {words(f'kind-{kind}', language)}"
        yield _boxes(title, places, filled)
    yield _boxes(words("districts", language), choices.districts, filled)
    yield f'<label class="label">{say("severity")} <select name="severity">'
    for severity in (s.label for s in Severity):
        yield _option(severity, words(severity, language), filled.severity)
    yield "</select></label></fieldset>"
    yield f"<fieldset><legend>{say('quiet')}</legend>"
    for name, value in (("from", filled.quiet_from), ("until", filled.quiet_until)):
        yield f"<label>{say(name)} {_time(f'quiet_{name}', value)}</label>"
    yield f"</fieldset><fieldset><legend>{say('digest')}</legend>"
    yield f'<label>{_time("digest", filled.digest)} <span class="hint">{say("digest-hint")}</span>'
    yield f"</label></fieldset><fieldset><legend>{say('language')}</legend>"
    yield '<select name="language">'
    for each, label in zip(LANGUAGES, ("English", "ภาษาไทย"), strict=True):
        yield _option(each, label, filled.language or language)
    yield "</select></fieldset><fieldset><label>"
    yield f'<input type="checkbox" name="consent" value="yes" required{_checked(filled.consent)}>'
    yield f"{say('consent')}</label></fieldset><button>{say('send')}</button></form>"


def _boxes(title: str, places: Sequence[Place], filled: Filled) -> str:
    """Things to choose from, folded away until one of them is chosen."""
    if not places:
        return ""
    opened = " open" if any(place.value in filled.places for place in places) else ""
    boxes = "".join(_box(place, filled) for place in places)
    return f"<details{opened}><summary>{escape(title)}</summary>{boxes}</details>"


def _box(place: Place, filled: Filled) -> str:
    checked = _checked(place.value in filled.places)
    value = escape(place.value)
    return (
        f'<label><input type="checkbox" name="places" value="{value}"{checked}>'
        f"{escape(place.label)}</label>"
    )


def _option(value: str, label: str, chosen: str) -> str:
    selected = " selected" if value == chosen else ""
    return f'<option value="{escape(value)}"{selected}>{escape(label)}</option>'


def _time(name: str, value: str) -> str:
    return f'<input type="time" name="{name}" value="{escape(value)}">'


def _checked(yes: bool) -> str:
    return " checked" if yes else ""
