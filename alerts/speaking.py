"""How numbers, units, times and durations are said, in the languages of those we serve. Pure."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from alerts.phrases import PHRASES, Phrase
from core.alerts import Severity
from core.languages import Language
from core.surroundings import Names
from core.times import DAY, HOUR, MINUTE, SECOND, from_micros

_UNITS = {
    "1": "",
    "Cel": "°C",
    "W/m2": "W/m²",
    "dB[SPL]": "dB",
    "deg": "°",
    "ug/L": "µg/L",
    "ug/m3": "µg/m³",
    "{flag}": "",
}
_DURATIONS = {"days": DAY, "hours": HOUR, "minutes": MINUTE, "seconds": SECOND}
_BUDDHIST_ERA = 543  # years before the common era
_MONTHS = {
    "en": "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec",
    "th": "ม.ค.,ก.พ.,มี.ค.,เม.ย.,พ.ค.,มิ.ย.,ก.ค.,ส.ค.,ก.ย.,ต.ค.,พ.ย.,ธ.ค.",
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Speaks one language and goes by the clock of `zone`; times are in µs."""

    language: Language
    zone: ZoneInfo

    def say(self, phrase: Phrase, **values: object) -> str:
        """A phrase with its values."""
        text: str = getattr(phrase, self.language)
        return text.format(**values)

    def word(self, names: Names) -> str:
        """A name, empty where there is none in this language."""
        return names.get(self.language, "")

    def severity(self, severity: Severity) -> str:
        """How bad."""
        return self.say(PHRASES[f"severity-{severity.label}"])

    def quantity(self, value: float, unit: str) -> str:
        """A number with its unit (UCUM), as people write it."""
        return f"{number(value)} {_UNITS.get(unit, unit.strip('[]'))}".rstrip()

    def day(self, at: int) -> str:
        """A date on the city's calendar; Thai years are those of the Buddhist era.

        >>> Speaker("th", ZoneInfo("Asia/Bangkok")).day(1_795_305_600_000_000)
        '22 พ.ย. 2569'
        """
        there = from_micros(at).astimezone(self.zone)
        year = there.year + (_BUDDHIST_ERA if self.language == "th" else 0)
        month = _MONTHS[self.language].split(",")[there.month - 1]
        return f"{there.day} {month} {year}"

    def clock(self, at: int) -> str:
        """The time of the day.

        >>> Speaker("th", ZoneInfo("Asia/Bangkok")).clock(1_795_305_600_000_000)
        '07:00 น.'
        """
        there = from_micros(at).astimezone(self.zone)
        return f"{there:%H:%M}{' น.' if self.language == 'th' else ''}"

    def time(self, at: int) -> str:
        """A date with the time of the day."""
        return f"{self.day(at)} {self.clock(at)}"

    def duration(self, micros: int) -> str:
        """In the two largest units that it has."""
        parts, rest = [], max(micros, 0)
        for phrase, length in _DURATIONS.items():
            count, rest = divmod(rest, length)
            if count:
                parts.append(self.say(PHRASES[phrase], count=count))
        return " ".join(parts[:2]) or self.say(PHRASES["seconds"], count=0)


def number(value: float) -> str:
    """Four digits are enough to read.

    >>> number(36.5), number(1234567.0), number(0.00012345), number(-0.0)
    ('36.5', '1,234,567', '0.0001234', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value + 0.0:.4g}"
