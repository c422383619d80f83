"""Messages broken at random, for as long as you like; what escapes `decode` is printed.

    python -m tests.fuzz --minutes 10

Begins with the hostile corpus and a good message of each form, breaks them, and lets a dialect or a
codec read them. Where atheris is installed, `--atheris` goes on from those that reached new code;
further options go to it.
"""

import argparse
import gc
import importlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any, TypeAlias

from core.errors import DecodeError
from core.messages import Message, Refusal
from core.readings import Reading
from ingest.codecs.table import CODECS
from ingest.decode import decode
from ingest.dialects.table import DIALECTS
from ingest.sources import Source, Sources, pushed_topic
from simulators.judge.hostile import GOOD, corpus
from tests.world import MIDNIGHT

Reader: TypeAlias = Callable[[bytes, str], Refusal | None]

SLOW_SECONDS = 0.05
SOURCES = Sources([])
SOURCE_OF = {name: SOURCES.of(pushed_topic("gw", name))[0] for name in DIALECTS}
# One good message of each form; what is broken from there still gets deep into a dialect.
SEEDS = [
    GOOD,
    *(
        json.dumps(message).encode()
        for message in (
            {"epoch": "b7", "seq": 1, "readings": [{"device": "a", "time": "2026-11-22T08:00:00Z",
             "values": {"ph": 8.1}, "units": {"ph": "[pH]"}}]},
            {"serialno": "x", "pm02": 7, "tvoc_raw": 1, "led": "pm"},
            {"deviceInfo": {"devEui": "70b3d57ba0003bb8"}, "time": "2026-11-22T00:00:00.123456789Z",
             "fPort": 1, "data": "AiMyAAMAAIiFAT4BPgI=", "object": {"t": "1.5", "d": {"x": [1]}},
             "rxInfo": [{"rssi": -106, "snr": 3.0, "nsTime": "2026-11-22T00:00:00Z"}]},
            [{"bn": "d:", "bt": 1.3e9, "bu": "%RH", "bv": 1, "n": "t", "v": 20},
             {"n": "u", "t": -5, "vb": True}, {"vd": "AQ"}],
            {"esp8266id": 7, "sensordatavalues": [{"value_type": "SDS_P1", "value": "1.87"}]},
            {"id": "x", "type": "WasteContainer", "dateObserved": "2026-03-15T11:00:00Z",
             "fillingLevel": {"value": 0.4, "metadata": {"unitCode": {"value": "C62"}}}},
            {"Time": "2026-03-07T12:54:34", "BME280": {"Temperature": 20.7}, "TempUnit": "C"},
            {"Device A": [{"ts": 1732262400000, "values": {"t": 42, "s": "1 V"}}]},
            {"end_device_ids": {"device_id": "x", "dev_eui": "A8404194A1875FF3"},
             "uplink_message": {"f_port": 2, "frm_payload": "AiMy",
                                "decoded_payload": {"Bat": "3.384 V"},
                                "rx_metadata": [{"rssi": -42}]}},
            {"battery": "100.00", "last_seen": 1732262400000, "leak": False},
        )
    ),
    b'w\\ x,device=p1,site=y ph=8.11,s="a \\" b",n=1i,ok=t 1795305600000000000\n# end\n',
    bytes.fromhex("020001005f00000001" + "30" * 74 + "09000e01755c0367010104824408050001"),
]  # fmt: skip
UNPLEASANT = [
    *(
        b"",
        b"null",
        b"true",
        b"-",
        b"1e999",
        b"NaN",
        b'""',
        b'"12"',
        b"[]",
        b"{}",
        b"\x00",
        b"\xff",
    ),
    *(b'"\\ud800"', b"9" * 400, b"9" * 5000, b"-1", b"0.1", b"1e30", b",", b":", b"[" * 1500, b'"'),
    *(b"\\", b"_", b"T24:00", b"+99:00", b"\xe2\x80\xae", b"0" * 100, b"\n", b" "),
]


def check(payload: bytes, dialect: str) -> Refusal | None:
    """Let one dialect read the payload; the reason when it is refused whole.

    Raises:
        Exception: whatever escaped; it is a mistake of ours.
    """
    source: Source = SOURCE_OF[dialect]
    topic = pushed_topic("gw", dialect, "tele/x/SENSOR")
    try:
        decoded = decode(Message(topic, payload, MIDNIGHT), source)
    except DecodeError as error:
        return error.reason
    for item in decoded.items:
        if isinstance(item, Reading):
            assert type(item.value) is float, item
            assert item.value - item.value == 0, item  # neither NaN nor infinite
            assert type(item.measured_at) is int, item
    return None


def check_codec(payload: bytes, codec: str) -> Refusal | None:
    """The same for a codec and the raw bytes of a device."""
    try:
        CODECS[codec](payload, 1)
    except DecodeError as error:
        return error.reason
    return None


def broken(payload: bytes, chance: random.Random) -> bytes:
    """The payload with one to four stretches of it replaced, doubled or moved."""
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randint(0, len(payload)), chance.choice((0, 1, 1, 2, 4, 16, 200))
        piece = payload[at : at + length]
        instead = chance.choice(
            (chance.choice(UNPLEASANT), piece * 2, b"", chance.randbytes(chance.randint(1, 8)))
        )
        payload = payload[:at] + instead + payload[at + length :]
    return payload[:70_000]


def run(seconds: float, seed: int) -> int:
    """Fuzz for so long; how many inputs something escaped on."""
    chance, pool = random.Random(seed), [*SEEDS, *(h.payload[:70_000] for h in corpus())]
    names = [*DIALECTS, *DIALECTS, *CODECS]
    tried, escaped = Counter[str](), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and escaped < 20:
        payload = broken(chance.choice(SEEDS if chance.random() < 0.8 else pool), chance)
        name = chance.choice(names)
        reader = check if name in DIALECTS else check_codec
        try:
            reason = reader(payload, name)
            if is_slow(reader, payload, name):
                raise TimeoutError(f"takes more than {SLOW_SECONDS * 1000:.0f} ms")
        except Exception as error:  # noqa: BLE001 - that is what we look for
            escaped += 1
            print(f"{name}: {error!r:.200}\n  {payload!r:.2000}")
        else:
            tried[str(reason or "read")] += 1
    print(f"seed {seed}: {tried.total()} messages, {escaped} bad")
    for outcome, count in tried.most_common():
        print(f"  {count:>10}  {outcome}")
    return escaped


def is_slow(reader: Reader, payload: bytes, name: str) -> bool:
    """Whether each of up to three tries takes long: one alone may be the machine's fault."""
    for _ in range(3):
        began = time.process_time()
        reader(payload, name)
        if time.process_time() - began < SLOW_SECONDS:
            return False
    return True


def guided(arguments: Sequence[str]) -> None:
    """Let atheris choose what to break; it ends the process itself.

    The first byte of an input says who reads the rest. What atheris sees is our own Python; it
    cannot look into msgspec, so half of the time `broken` keeps what is near to JSON near to it.
    """
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        sys.exit(
            "atheris is not installed here: pip install atheris (it has no wheel for every Python)"
        )

    names = [*DIALECTS, *CODECS]

    def one(data: bytes) -> None:
        if data:
            name = names[data[0] % len(names)]
            (check if name in DIALECTS else check_codec)(data[1:], name)

    def mutated(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if not data or chance.random() < 0.5:
            return bytes(atheris.Mutate(data, longest))
        return (data[:1] + broken(data[1:], chance))[:longest]

    for function in _ours():
        atheris.instrument_func(function)
    folder = Path(tempfile.mkdtemp(prefix="andaman-fuzz-"))
    for number in range(len(names)):
        for place, payload in enumerate(SEEDS):
            (folder / f"seed-{number}-{place}").write_bytes(bytes([number]) + payload)
    atheris.Setup([sys.argv[0], *arguments, str(folder)], one, custom_mutator=mutated)
    print(f"what reaches new code is kept in {folder}")
    atheris.Fuzz()


def _ours() -> Iterator[FunctionType]:
    """Every function of ours that reads messages."""
    for found in gc.get_objects():
        if isinstance(found, FunctionType) and str(found.__module__).startswith("ingest."):
            yield found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--atheris", action="store_true", help="by coverage, if it is installed")
    asked, rest = parser.parse_known_args()
    if asked.atheris:
        guided([f"-max_total_time={asked.minutes * 60:.0f}", "-max_len=70000", *rest])
    sys.exit(bool(run(asked.minutes * 60, asked.seed)))


if __name__ == "__main__":
    main()
