"""Other systems beneath CP: what they cost beside the same on the bare emulator, in QEMU's own processor time, by
turns."""
import os
import re
import sys

import pexpect

from record import ROOT, figure, harness
from tcg import TRIES, processor_seconds

sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import kvm_linux  # noqa: E402

INITRD = kvm_linux.KERNEL + ".initrd"
SHELL = r"/ # "
UP = 600


def bare(initrd, mib):
    """The same kernel and command line without CP; its console and the emulator's process."""
    child = pexpect.spawn("qemu-system-x86_64",
                          ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine",
                           "pc,accel=tcg", "-cpu", "max,+svm", "-m", str(mib), "-serial", "stdio", "-kernel",
                           kvm_linux.KERNEL, "-initrd", initrd, "-append", "console=ttyS0 quiet"],
                          encoding="latin-1", timeout=UP, dimensions=(24, 80))
    return child, child.pid


def beneath(initrd, *options):
    """It beneath CP."""
    machine = harness.Machine("bench-systems", "--machine", "tcg", *options, "--ipl", kvm_linux.KERNEL, "--initrd",
                              initrd, "--append", "console=ttyS0 quiet")
    return machine, machine.child


def boot_bare():
    child, emulator = bare(INITRD, 192)
    child.expect(SHELL)
    busy = processor_seconds(emulator)
    child.close(force=True)
    return busy


def boot_beneath():
    """Processor time to the shell, and the exits from there and back to power off."""
    machine, child = beneath(INITRD, "--guest-memory", "192")
    with machine:
        child.expect(SHELL, timeout=UP)
        emulator, = machine.processes()
        busy = processor_seconds(emulator)
        child.send("poweroff -f\r")
        machine.wait(60)
        with open(machine.emulator_log, encoding="latin-1") as log:
            return busy, int(re.search(r"VMN-COUNT exits=(\d+)", log.read())[1])


def linux():
    pairs = [(boot_beneath(), boot_bare()) for _ in range(TRIES)]
    least = min(busy for (busy, _), _ in pairs)
    figure("systems_linux_to_shell", round(least / min(floor for _, floor in pairs), 2), "times bare", bound=1.15)
    figure("systems_linux_exits", min(count for (_, count), _ in pairs), "exits", bound=20000)


def inner(child, emulator):
    """Processor time of a Linux that starts beneath KVM, to its shell."""
    child.expect(SHELL, timeout=UP)
    begun = processor_seconds(emulator)
    child.send("inner linux\r")
    child.expect("Linux is up", timeout=UP)
    child.expect(SHELL, timeout=UP)
    return processor_seconds(emulator) - begun


def inner_linux():
    ours, floor = [], []
    for _ in range(TRIES):
        machine, child = beneath(kvm_linux.INITRD, *kvm_linux.OPTIONS)
        with machine:
            child.expect("is up", timeout=UP)
            ours.append(inner(child, *machine.processes()))
        child, emulator = bare(kvm_linux.INITRD, 512)
        child.expect("is up", timeout=UP)
        floor.append(inner(child, emulator))
        child.close(force=True)
    figure("systems_inner_linux", round(min(ours) / min(floor), 2), "times bare", bound=2.5)


PARTS = {"systems_linux": linux, "systems_inner": inner_linux}
