"""All fault scripts, one entry each, in the order in which they take their turns."""

from collections.abc import Mapping
from types import MappingProxyType

from simulators.judge.scripts import kills, machine, senders, servers
from simulators.judge.scripts.shape import Script, either_broker

_OF_CLOCKS = frozenset({"time-in-future", "time-too-old"})

SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "calm": Script(words="nothing: what the others are compared with", play=kills.calm),
        "kill-any": Script(
            words="`kill -9` of Andaman and of its broker at random, also while it starts",
            play=kills.kill_any,
            setting=either_broker,
            turns=3,
        ),
        "kill-at-calls": Script(
            words="`kill -9` of Andaman at its n-th `fdatasync`, `pwrite64`, `sendto`, …",
            play=kills.kill_at_calls,
            setting=either_broker,
            needs=("strace",),
            turns=3,
        ),
        "kill-while-telling": Script(
            words="`kill -9` while messages go out; LINE says 500, also to what it takes, and the "
            "mail server drops connections",
            play=kills.kill_while_telling,
            turns=3,
        ),
        "end-and-begin": Script(
            words="SIGTERM under load, and a start", play=kills.end_and_begin, setting=either_broker
        ),
        "broker-frozen": Script(
            words="the broker stands still and goes on",
            play=servers.broker_frozen,
            setting=either_broker,
        ),
        "broker-emptied": Script(
            words="the broker comes back with an empty disk",
            play=servers.broker_emptied,
            setting=either_broker,
        ),
        "network": Script(
            words="connections to the broker are refused, reset, swallowed, slow, cut",
            play=servers.network,
            setting=either_broker,
        ),
        "influx-away": Script(
            words="InfluxDB is refused, reset, a black hole, slow, cut in its answers",
            play=servers.influx_away,
            setting=servers.with_influx,
        ),
        "influx-in-trouble": Script(
            words="InfluxDB answers 429, 500, 502, 503, 401, 404",
            play=servers.influx_in_trouble,
            setting=servers.with_influx,
        ),
        "influx-bad-point": Script(
            words="InfluxDB refuses one point with 422",
            play=servers.influx_one_bad_point,
            setting=servers.with_influx,
        ),
        "influxd-killed": Script(
            words="a real influxd is killed, and refuses one point with 422",
            play=servers.influx_one_bad_point,
            setting=servers.real_influx,
            needs=("influxd",),
        ),
        "people-unreachable": Script(
            words="LINE and the mail server refuse, take without saying so, are away",
            play=servers.people_unreachable,
        ),
        "disk-full": Script(
            words="a small disk is full, for broker and ledger",
            play=machine.disk_full,
            setting=machine.small_disk,
            needs=("root, to mount a small disk",),
        ),
        "no-growth": Script(
            words="no file of Andaman's may grow (RLIMIT_FSIZE)",
            play=machine.no_growth,
            setting=either_broker,
        ),
        "clock-jumps": Script(
            words="Andaman's clock is set forward and back by minutes, hours, weeks, as it runs",
            play=machine.clock_jumps,
            setting=machine.nobody_told,
            refusable=_OF_CLOCKS,
            needs=("libfaketime",),
        ),
        "unruly": Script(
            words="messages come twice and in any order, with rivals of what is stored, retained "
            "ones, and devices of others",
            play=senders.unruly,
            setting=either_broker,
        ),
        "late": Script(words="old readings come between new ones", play=senders.late),
        "hostile": Script(
            words="five hundred messages that mean harm or are broken",
            play=senders.hostile,
            setting=either_broker,
        ),
        "flood": Script(
            words="one gateway sends as fast as it can, of devices that nobody knows",
            play=senders.flood,
        ),
        "storm": Script(
            words="six hundred bins are full in one second, and emptied",
            play=senders.storm,
            setting=senders.crowded,
        ),
    }
)
