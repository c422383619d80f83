"""Readings and transitions as InfluxDB line protocol: one line is one point, times µs → ns.

Readings: measurement = kind of site, tags device and site, a float field for each parameter, and
`<parameter>_flag` where the flag is not GOOD. Nothing that changes when a batch is sent again is a
tag, so a point that is written twice overwrites itself.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import msgspec
import numpy as np

from core.alerts import Transition
from core.readings import Columns, Flag, IntColumn, Revision
from core.registry import Series
from core.verdicts import Judged

_ESCAPED = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": r"\n"})
_QUOTED = str.maketrans({"\\": r"\\", '"': r"\""})


@dataclass(frozen=True, slots=True, kw_only=True)
class LineParts:
    """What is the same in every line of a series, escaped once; indexed by series.

    `device` numbers the devices · `prefix` is measurement and tags · `value` and `flag` are the
    names of the two fields · `former` holds, of the series whose device has moved, until when (µs)
    each earlier prefix was the right one.
    """

    device: IntColumn
    prefix: Sequence[bytes]
    value: Sequence[bytes]
    flag: Sequence[bytes]
    former: Mapping[int, Sequence[tuple[int, bytes]]]

    @staticmethod
    def of(series: Sequence[Series]) -> "LineParts":
        """The parts of these series."""
        numbers: dict[str, int] = {}
        names = [escaped(s.parameter) for s in series]
        return LineParts(
            device=np.array([numbers.setdefault(s.device, len(numbers)) for s in series], np.int64),
            prefix=[_prefix(s.device, s.site, s.kind) for s in series],
            value=[f"{name}=".encode() for name in names],
            flag=[f",{name}_flag=".encode() for name in names],
            former={
                index: [(f.until, _prefix(s.device, f.site, f.kind)) for f in s.former]
                for index, s in enumerate(series)
                if s.former
            },
        )

    def prefix_at(self, series: int, at: int) -> bytes:
        """The measurement and tags of where the series was measured at a moment, µs."""
        for until, prefix in self.former.get(series, ()):
            if at < until:
                return prefix
        return self.prefix[series]


def encode_readings(columns: Columns, parts: LineParts) -> tuple[int, bytes]:
    """How many lines, and the lines joined by newlines: one for each device and time.

    A value that is not finite makes a line that InfluxDB refuses by name, so it cannot vanish.
    """
    if not len(columns):
        return 0, b""
    device = parts.device[columns.series]
    order = np.lexsort((columns.series, columns.measured_at, device))
    device, at, flag = device[order], columns.measured_at[order], columns.flag[order]
    series = columns.series[order].tolist()
    numbers = _numbers(columns.value[order].tolist())
    fields = [parts.value[s] + number for s, number in zip(series, numbers, strict=True)]
    for row in np.flatnonzero(flag != Flag.GOOD).tolist():
        fields[row] += parts.flag[series[row]] + b"%di" % flag[row]
    starts = np.flatnonzero((np.diff(device) != 0) | (np.diff(at) != 0)) + 1
    firsts = [0, *starts.tolist()]
    times = _numbers((at[firsts] * 1000).tolist())
    prefixes = [parts.prefix[series[first]] for first in firsts]
    if parts.former:
        where = zip(firsts, at[firsts].tolist(), strict=True)
        prefixes = [parts.prefix_at(series[first], moment) for first, moment in where]
    ends = [*firsts[1:], len(series)]
    lines = [
        prefix + b",".join(fields[first:end]) + b" " + time
        for prefix, first, end, time in zip(prefixes, firsts, ends, times, strict=True)
    ]
    return len(lines), b"\n".join(lines)


def encode_revisions(revisions: Iterable[Revision], parts: LineParts) -> tuple[int, bytes]:
    """The same for revisions: the flag alone, also where it is GOOD now, so that it overwrites."""
    lines = [
        b"%s%s%di %d"
        % (
            parts.prefix_at(r.series, r.measured_at),
            parts.flag[r.series][1:],
            r.flag,
            r.measured_at * 1000,
        )
        for r in revisions
        if r.flag != r.flag_before
    ]
    return len(lines), b"\n".join(lines)


def encode_transitions(
    transitions: Iterable[Transition], judged: Mapping[str, Judged]
) -> tuple[int, bytes]:
    """The same for transitions: measurement `alert`, so that Grafana can annotate with them; with
    what their alerts are `judged` to be.
    """
    lines = [_transition(t, judged.get(t.alert)) for t in transitions]
    return len(lines), b"\n".join(lines)


def _transition(t: Transition, judged: Judged | None) -> bytes:
    fields = {
        "alert": quoted(t.alert),
        "state": quoted(t.after),
        "reason": quoted(t.reason),
        "subject": quoted(t.subject),
        "text": quoted(f"{t.rule} {t.after} at {t.subject}: {t.value:g} ({t.reason})"),
    }
    if t.marks:
        fields["marks"] = quoted(" ".join(t.marks))
    verdict = judged.verdict if judged is not None else None
    if verdict is not None:
        fields["verdict"] = quoted(verdict.kind)
        fields["cause"] = quoted(verdict.cause or "")  # said, so that it overwrites another
        fields["confidence"] = repr(float(verdict.confidence))
    if math.isfinite(t.value):
        fields["value"] = repr(float(t.value))
    site = f",site={escaped(t.site)}" if t.site else ""  # an alert about the system has none
    tags = f"rule={escaped(t.rule)},severity={t.severity.label}{site}"
    # Two subjects of one site may change in the same microsecond: digits below it, the same each
    # time, keep their points apart.
    time = t.at * 1000 + crc32(f"{t.alert} {t.after} {t.reason}".encode()) % 1000
    return f"alert,{tags} {','.join(f'{k}={v}' for k, v in fields.items())} {time}".encode()


def _prefix(device: str, site: str, kind: str) -> bytes:
    tag = f",site={escaped(site)}" if site else ""
    known = escaped(kind or "unknown")  # a device or a site that has left the registry
    return f"{known},device={escaped(device)}{tag} ".encode()


def _numbers(values: Sequence[float]) -> list[bytes]:
    """Each as its shortest exact decimal; msgspec writes them faster than `repr`."""
    return msgspec.json.encode(values)[1:-1].split(b",")


def escaped(name: str) -> str:
    """A name that is a measurement, a tag's value or a field's key."""
    return name.translate(_ESCAPED)


def quoted(text: str) -> str:
    """A string field on one line: a newline would be two lines to whoever splits a batch."""
    return f'"{" ".join(text.split()).translate(_QUOTED)}"'
