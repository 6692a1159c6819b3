"""Generated instructions (tests/guest/oracle): what they did in a machine of CP's, and in a guest that such a
machine runs, is what they do on the bare machine. Bochs without CP is the oracle of both emulators; where
QEMU's processor is known to do otherwise, `struct oracle_host` says how, and then neither is asked."""
import os

import pytest
from harness import guest, run_piped

pytestmark = pytest.mark.xdist_group("oracle")  # one process takes all, as they share the bare machine's part
EACH = 20                                                # sequences to a hash
TIMES = int(os.environ.get("VMN_ORACLE", "1"))           # as many sequences
SEED = os.environ.get("VMN_ORACLE_SEED", "1")
COUNTS = {("bochs", 1): 240, ("bochs", 2): 60, ("tcg", 1): 600, ("tcg", 2): 200}  # of 36 instructions, twice
RULES = {"bochs": "count", "tcg": "tcg"}                 # option, by which the payload is told how many
NAMES = {"bochs": ("L1", "L2"), "tcg": ("Q1", "Q2")}     # of the machine's program, and of its guest, in what it prints


def options(**counts):
    of_rules = "".join(f" {RULES[emulator]}={counts.get(emulator, 0) * TIMES}" for emulator in RULES)
    return f"seed={SEED} each={EACH}{of_rules}"


def hashes(done, name):
    """What was printed of the sequences of that name, in order."""
    lines = done.stdout.decode("latin-1").replace("\r", "").splitlines()
    assert lines[-1] == "end", lines[-3:]
    return [line.split()[1:] for line in lines if line.split()[0] == name]


@pytest.fixture(scope="module")
def bare():
    """What all sequences do on the bare machine."""
    most = {emulator: max(count for (of, _), count in COUNTS.items() if of == emulator) for emulator in RULES}
    return run_piped("--machine", "bochs", "--lines", "1", "--append", options(**most),
                     env={"VMN_CP": guest("oracle")}, timeout=300 * TIMES)


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_a_guest_of_the_bare_machine_notices_none_of_its_hypervisor_s_exits(bare, emulator):
    of_machine, of_guest = (hashes(bare, name) for name in NAMES[emulator])
    assert of_machine == of_guest and len(of_machine) > 10


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_generated_instructions_do_what_they_do_on_the_bare_machine(bare, emulator, levels):
    """To see where: `scripts/vmn --ipl build/guest/oracle.elf --append "from=N count=20 trace"`, N from the first hash
    that differs, here and with VMN_CP=build/guest/oracle.elf in place of --ipl."""
    count = COUNTS[emulator, levels]
    done = run_piped("--machine", emulator, "--ipl", guest("oracle"), "--levels", str(levels), "--guest-memory", "256",
                     "--append", options(**{emulator: count}), timeout=600 * TIMES)
    expected = hashes(bare, NAMES[emulator][0])[:count * TIMES // EACH]
    for name in NAMES[emulator]:
        assert hashes(done, name) == expected
