"""Deaths at random, at each system call, while people are told, and ends in good order."""

from contextlib import suppress
from functools import partial

from simulators.judge.scripts.shape import until
from simulators.judge.stage import Stage
from simulators.processes import EndedError, wait_until
from simulators.stand_ins.line_platform import Fault as LineFault
from simulators.stand_ins.smtp import Fault as MailFault

CALLS = ("fdatasync", "pwrite64", "sendto", "write", "rename", "unlink")
LATEST = 1000  # the call at which it dies at the latest; each thread counts its own
SHORT_SECONDS = 10.0
LIFE_SECONDS = 12.0  # under strace, if no such call comes


def calm(stage: Stage, seconds: float) -> None:
    """Nothing goes wrong; where there is time, for so long that growth would show."""
    stage.pause(seconds, seconds)
    if seconds > SHORT_SECONDS:
        stage.pause(4 * seconds, 4 * seconds)


def kill_any(stage: Stage, seconds: float) -> None:
    """Andaman or its broker dies, at any moment: also while it starts."""
    wait_until(stage.oracle.promised)
    for _ in until(seconds):
        stage.pause(0, 2)
        if stage.kills and stage.chance.random() < 0.25:
            stage.kill_broker()
            stage.pause(0, 1)
            stage.start_broker()
            continue
        stage.kill()
        while stage.chance.random() < 0.4:
            stage.start()
            stage.pause(0.1, 1.5)
            stage.kill()
        stage.revive()


def kill_at_calls(stage: Stage, seconds: float) -> None:
    """Andaman dies as it makes its n-th system call of one kind; n differs each time."""
    stage.kill()
    for _ in until(seconds):
        call, number = stage.chance.choice(CALLS), round(LATEST ** stage.chance.random())
        inject = f"inject={call}:signal=KILL:when={number}"
        options = ("-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}")
        stage.under("strace", *options, "-e", inject)
        stage.note(f"to die at {call} number {number}")
        stage.start()
        with suppress(TimeoutError):
            wait_until(lambda: stage.andaman.process.poll() is not None, LIFE_SECONDS)
            stage.note("it died there")
        stage.kill()
    stage.under()
    stage.revive()


def kill_while_telling(stage: Stage, seconds: float) -> None:
    """Andaman dies while messages go out; LINE and the mail server are in a bad way too."""
    stage.line.faults = {LineFault.ERROR: 0.05, LineFault.ACCEPT_ERROR: 0.1}
    for _ in until(seconds):
        before = len(stage.line.received) + len(stage.post.mailbox.mails())
        stage.post.mailbox.fail(*stage.chance.choice([(), (MailFault.DROP,)]))
        with suppress(TimeoutError):
            wait_until(partial(_more, stage, before), 4)
        stage.pause(0, 0.15)
        stage.kill()
        stage.revive()


def _more(stage: Stage, before: int) -> bool:
    return len(stage.line.received) + len(stage.post.mailbox.mails()) > before


def end_and_begin(stage: Stage, seconds: float) -> None:
    """Andaman is told to end, under load, and begins again."""
    for _ in until(seconds):
        stage.pause(0, 2)
        code, took = stage.andaman.stop()
        stage.note(f"ended with {code} after {took:.1f} s")
        if code or took > 10:
            raise EndedError(f"told to end, it took {took:.1f} s and said {code}")
        stage.revive()
