"""The figures on QEMU without virtualization hardware. Its TSC is the host's, so seconds are reported, or ratios of two
things of one run; of processor time it is QEMU's own, which other work on the host does not lengthen."""
import os
import re
import statistics
import subprocess
import tempfile
import time

from levels import EXITS_BOUND, exits_per_trip
from record import FILES, MAKE_FILES, ROOT, costs, figure, harness, vmn

TRIES = 3
TOWER = 3


def processor_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def one_logon(disk):
    """Seconds to the logon prompt and from LOGON to Ready, and QEMU's processor time of each."""
    begun = time.monotonic()
    with harness.Machine("bench-tcg", "--machine", "tcg", "--disk", disk, "--lines", "1") as machine:
        machine.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
        prompt = time.monotonic()
        emulator, = machine.processes()
        busy = processor_seconds(emulator)
        machine.console.logon("ALICE", timeout=60)
        ready = time.monotonic()
        return prompt - begun, ready - prompt, busy, processor_seconds(emulator) - busy


def logon():
    with tempfile.TemporaryDirectory() as place:
        disk = harness.new_disk(os.path.join(place, "disk.img"))
        prompt, ready, prompt_busy, ready_busy = map(min, zip(*(one_logon(disk) for _ in range(TRIES))))
    figure("tcg_logon_prompt", round(prompt, 2), "s", bound=2)
    figure("tcg_logon_prompt_cpu", round(prompt_busy, 2), "s of CPU")
    figure("tcg_logon_to_ready", round(ready, 2), "s", bound=1)
    figure("tcg_logon_to_ready_cpu", round(ready_busy, 2), "s of CPU")


def files():
    """Wall clock of making 1,024 files and of listing them, as a user at line 1 sees it."""
    with tempfile.TemporaryDirectory() as place:
        disk = harness.new_disk(os.path.join(place, "disk.img"))
        with harness.Machine("bench-tcg-files", "--machine", "tcg", "--disk", disk, "--lines", "1") as machine:
            machine.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
            machine.console.logon("ALICE", timeout=60)
            emulator, = machine.processes()
            begun, busy = time.monotonic(), processor_seconds(emulator)
            for command in MAKE_FILES:
                machine.console.cms(command, timeout=300)
            made, busy_made = time.monotonic(), processor_seconds(emulator)
            shown = machine.console.cms("LISTFILE * * A", timeout=300)
            listed, busy_listed = time.monotonic(), processor_seconds(emulator)
    assert shown.count(" A1\r") == FILES, shown
    figure("tcg_files_created", round(made - begun, 2), "s", bound=10)
    figure("tcg_files_created_cpu", round(busy_made - busy, 2), "s of CPU")
    figure("tcg_files_listed", round(listed - made, 2), "s", bound=1)
    figure("tcg_files_listed_cpu", round(busy_listed - busy_made, 2), "s of CPU")


def tower():
    said = subprocess.run([os.path.join(ROOT, "scripts", "nested"), str(TOWER)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", check=True,
                          env={**os.environ, "VMN_MACHINE": "tcg"}).stdout
    figure(f"tcg_tower_{TOWER}_ready", float(re.search(r"and ([\d.]+) s of CPU", said)[1]), "s of CPU", bound=60)


def exit_and_back():
    """CPUID in a guest of CP's, and in one of the least hypervisor there can be: by turns, so
    that the host treats both alike."""
    ours, least = [], []
    for _ in range(TRIES):
        ours.append(costs(vmn("--ipl", harness.guest("costs"), machine="tcg")[0])["own_cpuid"])
        bare = vmn("--lines", "1", machine="tcg", env={"VMN_CP": harness.guest("svm_bare")})[0]
        least.append(costs(bare)["svm_exit_and_back"])
    figure("tcg_exit_and_back", round(min(ours) / min(least), 2), "times bare", bound=1.5)


def memory():
    """Real exits of a reflected round trip beneath CPs that share pages: the innermost hypervisor does so too, or it is
    one that knows VMX instructions only, whose own VMREADs and VMWRITEs come on top. Timers go by the host's clock,
    and their exits fall among those counted, one in some ten trips: whole exits of the middle one of some runs."""
    def middle(n, *more):
        return round(statistics.median(exits_per_trip(n, "memory", "tcg", *more) for _ in range(TRIES)))

    for n in (2, 3):
        figure(f"tcg_memory_{n}_exits_per_trip", middle(n, " way=memory"), "exits", bound=EXITS_BOUND["memory"][n])
        figure(f"tcg_foreign_{n}_exits_per_trip", middle(n), "exits")


PARTS = {"tcg_logon": logon, "tcg_files": files, "tcg_tower": tower, "tcg_exit": exit_and_back, "tcg_memory": memory}
