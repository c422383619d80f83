"""Messages that mean harm, or are broken as real ones are: each must be refused with a reason.

Built by code, from a good message of device air-1: (name, topic, payload).
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from core.times import iso

DEVICE = b"air-1"
TOPIC = b"andaman/v1/gw/up/readings"
TIME = iso(1_795_305_600_000_000)  # 2026-11-22T00:00:00Z
GOOD = b'{"device":"air-1","time":"%s","values":{"pm25":12.5}}' % TIME.encode()


class Hostile(NamedTuple):
    """One message of the corpus."""

    name: str
    topic: bytes
    payload: bytes


# What may stand where a number is due, and is none that we take.
NO_NUMBERS = [
    *(b"NaN", b"-NaN", b"nan", b"Infinity", b"-Infinity", b"inf", b"1e999", b"-1e999", b"1e400"),
    *(b"true", b"false", b"null", b'"12"', b'""', b'"NaN"', b"[]", b"{}", b"[12]", b'{"v":12}'),
    *(b"12,5", b"012", b"+12", b".5", b"5.", b"0x1F", b"1_000", b"1e", b"--1", b"12.5.1", b"1 2"),
    *(b"9" * 400, b"9" * 5000, b"-" + b"9" * 5000, b"9" * 5000 + b".5", b"1" + b"0" * 60_000),
    *(b'"\\ud800"', b'"\xff"', "١٢".encode(), "๑๒".encode(), "１２".encode(), b"'12'", b"12f"),
    *(b"[" * 2000 + b"]" * 2000, b'{"a":' * 2000 + b"1" + b"}" * 2000, b"[" * 60_000, b"/*1*/2"),
]
NO_TIMES = [
    *(b'"soon"', b'""', b"12", b"1e999", b"true", b"{}", b"[]", b'"2026-11-22T00:00:00"', b"NaN"),
    *(b'"2026-11-22"', b'"2026-11-22T24:00:00Z"', b'"2026-11-22T23:59:60Z"', b'"0000-00-00T0Z"'),
    *(b'"2026-02-30T00:00:00Z"', b'"2026-13-01T00:00:00Z"', b'"9999-12-31T23:59:59Z"'),
    *(b'"0001-01-01T00:00:00Z"', b'"1970-01-01T00:00:00Z"', b'"2026-11-22T25:00:00Z"'),
    *(b'"2026-11-22T00:00:00+99:00"', b'"2026-11-22 T00:00:00Z"', b'"-2026-11-22T00:00:00Z"'),
    *(b'"22/11/2026 00:00"', b'"2026-11-22T00:00:00Z\\u0000"', b'"' + b"2" * 50_000 + b'"'),
    *(b'"2027-11-22T00:00:00Z"', b'"2026-09-22T00:00:00Z"', b'"\\ud800"', b"1795305600"),
]
NO_DEVICES = [
    *(b'""', b"null", b"12", b"true", b"[]", b"{}", b'"AIR-2"', b'"air-1 "', b'" air-1"', b'"\\n"'),
    *(b'"../../etc/passwd"', b'"air-1\\u0000"', b'"\\ud800"', b'"' + b"x" * 65 + b'"', b'"\xff"'),
    *(
        b'"' + b"x" * 60_000 + b'"',
        '"аir-1"'.encode(),
        '"air‑1"'.encode(),
        '"air-1\u200b"'.encode(),
    ),
    *(b'"\' OR 1=1 --"', b'"<script>alert(1)</script>"', b'"{{7*7}}"', b'"$(reboot)"', b'"bin-2"'),
    *('"\u202e1-ria"'.encode(), '"ａｉｒ-1"'.encode(), b'"air-1;DROP TABLE readings"', b'"%s%n"'),
]
NO_PARAMETERS = [
    *(b'""', b'"PM25"', b'"pm25 "', b'"pm2.5"', b'"__class__"', b'"\\u0000"', b'"\\ud800"', b"12"),
    *(
        b'"' + b"p" * 65 + b'"',
        '"рm25"'.encode(),
        '"pm２５"'.encode(),
        b'"pm25\\n"',
        b'"*"',
        b"null",
    ),
    *(b'"constructor"', b'"../pm25"', b'"\xff"', b'"pm25,site=x value=1"', b"true", b'"\\u202e"'),
]
NO_UNITS = [
    *(b'"furlong"', b'" "', b"12", b"null", b'"ug/m3/m3"', b'"' + b"m" * 500 + b'"', b'"\\ud800"'),
    *(b'"9**9**9"', b'"(((((((((("', b'"__import__"', b'"kg^999999"', "\"µg/m3\u0000\"".encode()),
    *(b'"Cel"', b'"m"', b"[]", b'"1e999"', b'"10*99999"', b'"%"', b'"m' + b"/s" * 200 + b'"'),
]  # fmt: skip
TOPICS = [
    *(b"", b"/", b"//", b"andaman", b"andaman/v1/gw", b"andaman/v1/gw/up", b"andaman/v1/gw/up/"),
    *(b"andaman/v1/gw/down/readings", b"andaman/v1/gw/up/readings/x", b"andaman/v2/gw/up/readings"),
    *(b"/andaman/v1/gw/up/readings", b"andaman//gw/up/readings", b"ANDAMAN/v1/gw/up/readings"),
    *(b"andaman/v1/../up/readings", b"andaman/v1/../../etc/passwd", b"andaman/v1/gw/../x/readings"),
    *(b"$SYS/broker/uptime", b"$SYS/andaman/v1/gw/up/readings", b"$share/x/andaman/v1/gw/up"),
    *(b"$http", b"$http/", b"$http/gw", b"$http/gw/morse", b"$http/other/native", b"$http//native"),
    *(b"$http/../native", b"$http/gw/../native", b"$http/gw/sensor-community", b"$HTTP/gw/native"),
    *(b"andaman/v1/+/up/readings", b"andaman/v1/#", b"#", b"+", b"andaman/v1/g w/up/readings"),
    *(b"andaman/v1/gw\x00/up/readings", b"andaman/v1/\xff/up/readings", b"\xc0\xaf"),
    *(b"\xed\xa0\x80", b"x/" * 32_000, b"a" * 65_535),
    b"andaman/v1/" + b"g" * 65_000 + b"/up/readings",
    *("аndaman/v1/gw/up/readings".encode(), "andaman/v1/ɡw/up/readings".encode()),
    *("andaman/v1/gw/up/rеadings".encode(), "andaman∕v1∕gw∕up∕readings".encode()),
    *(b"andaman/v1/gw/up/readings\n", b" andaman/v1/gw/up/readings", b"andaman/v1/gw/up/readings "),
    *(b"andaman/v1/other/up/readings", b"andaman/v1/GW/up/readings", b"andaman/v1//up/readings"),
    *(b"andaman/v1/%67w/up/readings", b"andaman/v1/gw;x/up/readings", b"andaman/v1/'/up/readings"),
]  # fmt: skip


def corpus() -> Iterator[Hostile]:
    """Every message, each with a name of its own."""
    for number, value in enumerate(NO_NUMBERS):
        yield Hostile(f"number {number}", TOPIC, GOOD.replace(b"12.5", value))
    for number, time in enumerate(NO_TIMES):
        yield Hostile(f"time {number}", TOPIC, GOOD.replace(b'"%s"' % TIME.encode(), time))
    for number, device in enumerate(NO_DEVICES):
        yield Hostile(f"device {number}", TOPIC, GOOD.replace(b'"air-1"', device))
    for number, parameter in enumerate(NO_PARAMETERS):
        yield Hostile(f"parameter {number}", TOPIC, GOOD.replace(b'"pm25"', parameter))
    for number, unit in enumerate(NO_UNITS):
        payload = GOOD[:-1] + b',"units":{"pm25":%s}}' % unit
        yield Hostile(f"unit {number}", TOPIC, payload)
    for number, topic in enumerate(TOPICS):
        yield Hostile(f"topic {number}", topic, GOOD)
    for name, payload in _broken():
        yield Hostile(name, TOPIC, payload)
    for length in range(0, len(GOOD), 2):
        yield Hostile(f"cut after {length}", TOPIC, GOOD[:length])


def _broken() -> Iterator[tuple[str, bytes]]:
    """Payloads that are no message at all, or more than one."""
    text = GOOD.decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "utf-7"):
        yield (
            encoding,
            text.replace("pm25", "pm25ก" if encoding == "utf-7" else "pm25").encode(encoding),
        )
    yield "BOM", b"\xef\xbb\xbf" + GOOD
    yield from {
        "NUL": b"\x00",
        "NULs": b"\x00" * 65_536,
        "a NUL at the end": GOOD + b"\x00",
        "a NUL before": b"\x00" + GOOD,
        "blanks": b" \n\t" * 1000,
        "two messages": GOOD + GOOD,
        "two lines": GOOD + b"\n" + GOOD,
        "a comma more": GOOD[:-1] + b",}",
        "single quotes": GOOD.replace(b'"', b"'"),
        "a comment": GOOD + b"// end",
        "1 MB of text": b"x" * 1_000_000,
        "1 MB of blanks around": b" " * 1_000_000 + GOOD,
        "one byte too many": GOOD + b" " * (65_537 - len(GOOD)),
        "8 MB": b"[" + b"0," * 4_000_000 + b"0]",
        "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
        "100,000 lists that do not end": b"[" * 100_000,
        "30,000 lists": b"[" * 30_000 + b"]" * 30_000,
        "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        "deep in an unknown field": GOOD[:-1] + b',"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        "lists and objects": b'[{"a":' * 8_000 + b"1" + b"}]" * 8_000,
        "gzip": gzip.compress(GOOD),
        "zlib": zlib.compress(GOOD),
        "a gzip bomb": gzip.compress(b"0" * 50_000_000, 9),
        "null": b"null",
        "true": b"true",
        "a number": b"12",
        "a text": b'"12"',
        "an empty object": b"{}",
        "an empty list": b"[]",
        "a list of nothing": b"[{}]",
        "a list of lists": b"[[[]]]",
        "a list of null": b"[null]",
        "no values": GOOD.replace(b'{"pm25":12.5}', b"{}"),
        "values null": GOOD.replace(b'{"pm25":12.5}', b"null"),
        "values a list": GOOD.replace(b'{"pm25":12.5}', b"[12.5]"),
        "values a number": GOOD.replace(b'{"pm25":12.5}', b"12.5"),
        "no device": b'{"values":{"pm25":12.5}}',
        "readings null": b'{"readings":null}',
        "readings empty": b'{"readings":[]}',
        "readings of nothing": b'{"readings":[{}]}',
        "readings in readings": b'{"readings":[{"readings":[%s]}]}' % GOOD,
        "epoch a number": GOOD[:-1] + b',"epoch":7,"seq":1}',
        "seq negative": GOOD[:-1] + b',"epoch":"a","seq":-1}',
        "seq huge": GOOD[:-1] + b',"epoch":"a","seq":%s}' % (b"9" * 30),
        "seq a text": GOOD[:-1] + b',"epoch":"a","seq":"1"}',
        "a long epoch": GOOD[:-1] + b',"epoch":"%s","seq":1}' % (b"e" * 65),
        "a doubled device, the last unknown": GOOD[:-1] + b',"device":"nobody"}',
        "a doubled value, the last no number": GOOD.replace(b"12.5", b'12.5,"pm25":true'),
        "doubled values, the last empty": GOOD[:-1] + b',"values":{}}',
        "a doubled time, the last no time": GOOD[:-1] + b',"time":"never"}',
        "3,000 doubled keys": b'{"device":"air-1",' + b'"values":{"x":1},' * 3_000 + b'"a":1}',
        "4,000 unknown parameters": json.dumps(
            {"device": "air-1", "values": {f"x{n}": n for n in range(4_000)}}
        ).encode(),
        "1,500 unknown devices": json.dumps(
            [{"device": f"d{n}", "values": {"pm25": n}} for n in range(1_500)]
        ).encode(),
        "a lone surrogate as key": GOOD.replace(b'"values"', b'"\\ud800"'),
        "an escape cut off": b'{"device":"\\u12',
        "a bad escape": b'{"device":"\\x41"}',
        "a control character": b'{"device":"a\nb"}',
        "overlong UTF-8": b'{"device":"\xc0\xaf"}',
        "UTF-8 beyond Unicode": b'{"device":"\xf4\x90\x80\x80"}',
        "a surrogate in UTF-8": b'{"device":"\xed\xa0\x80"}',
        "CSV": b"air-1,pm25,12.5\n",
        "XML": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
        "YAML": b"device: air-1\nvalues: {pm25: 12.5}\n",
        "pickle": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00c__builtin__\neval\n.",
        "MessagePack": b"\x82\xa6device\xa5air-1\xa6values\x81\xa4pm25\xcb@)" + bytes(6),
        "CBOR": b"\xa2fdeviceeair-1fvalues\xa1dpm25\xfb@)\x00\x00\x00\x00\x00\x00",
        "Protobuf": b"\n\x05air-1\x12\x0b\n\x04pm25\x15\x00\x00HA",
        "an HTTP request": b"POST /v1/readings HTTP/1.1\r\n\r\n" + GOOD,
        "a multipart form": b"--x\r\nContent-Disposition: form-data\r\n\r\n" + GOOD + b"\r\n--x--",
        "base64": b"eyJkZXZpY2UiOiAiYWlyLTEifQ==",
        "hexadecimal": GOOD.hex().encode(),
        "a JSON text of JSON": json.dumps(text).encode(),
        "JSON lines with a bad second": GOOD + b"\n{",
        "random bytes": bytes((n * n + 7 * n) % 251 for n in range(4_096)),
        "all bytes": bytes(range(256)),
        "0xff": b"\xff" * 1_000,
    }.items()
