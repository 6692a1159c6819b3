"""The figures of people who come by SSH, on QEMU without virtualization hardware: wall clock, for a quiet machine."""
import pathlib
import tempfile
import time

from record import figure, harness
from ssh_front import Front, Typist, two_at_once  # tests/system, which record has put into the path

TRIES = 3
BYTES = 1 << 20


def front(name, place, *options):
    return Front(lambda *more, **how: harness.Machine(name, *more, **how), pathlib.Path(place), "tcg", *options)


def one_visit(here):
    """Seconds from the start of ssh to the Ready of a user who comes by key."""
    begun = time.monotonic()
    alice = Typist(here, "alice")
    alice.expect(b"Ready;")
    taken = time.monotonic() - begun
    alice.send(b"#CP LOGOFF\r")
    alice.client.wait()
    return taken


def ready():
    with tempfile.TemporaryDirectory() as place:
        here = front("bench-ssh", place)
        with here.machine:
            figure("ssh_ready", round(min(one_visit(here) for _ in range(TRIES)), 2), "s", bound=2)


def typed():
    with tempfile.TemporaryDirectory() as place:
        here = front("bench-ssh-typed", place, "--module", harness.guest("mirror"))
        with here.machine:
            missing, seconds = two_at_once(here, BYTES)
    figure("ssh_bytes_lost", missing, "bytes", bound=0)
    figure("ssh_byte_and_back", round(seconds * 1e6 / (2 * BYTES), 2), "us")


PARTS = {"ssh_ready": ready, "ssh_byte": typed}
