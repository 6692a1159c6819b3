"""Machine checks: what a guest finds of them, and what CP does when QEMU's monitor makes one. QEMU's SVM
gives a guest that runs the exception through the guest's own IDT, intercepted or not; what a processor
does there is tested on the host."""
import os
import socket
import time

import harness
import pytest
from harness import guest, run_piped

CORRECTED = 0x9400000000000136         # valid, enabled, with an address
OPTIONAL = 0xBD000000000000C0          # uncorrected, signaled: SRAO
REQUIRED = 0xBD80000000000134          # action required: SRAR
CORRUPT = 0xBE00000000000135           # the processor's context is corrupt
RESTART, UNDER_WAY = 1, 4


@pytest.mark.parametrize("host, levels", [("bochs", 1), ("bochs", 2), ("tcg", 1), ("tcg", 2)])
def test_a_guest_may_enable_machine_checks(host, levels):
    done = run_piped("--machine", host, "--levels", str(levels), "--ipl", guest("machine_check"), data=b"q",
                     timeout=120)
    assert b"FAIL" not in done.stdout and b"ready" in done.stdout
    assert done.returncode == 0


class Injector:
    """A machine on QEMU in software with a monitor beside it."""

    def __init__(self, machine, tmp_path, *options):
        emulator = tmp_path / "qemu-with-monitor"
        emulator.write_text('#!/bin/sh\nexec qemu-system-x86_64 "$@" -monitor unix:monitor,server=on,wait=off\n')
        emulator.chmod(0o755)
        self.machine = machine("--machine", "tcg", "--lines", "1", *options, env={"VMN_QEMU": str(emulator)})
        self.console = self.machine.console

    def monitor(self, command):
        run, = self.machine.run_directories()
        place = os.open(os.path.join(self.machine.temporary, run), os.O_PATH | os.O_DIRECTORY)
        with socket.socket(socket.AF_UNIX) as to:
            to.connect(f"/proc/self/fd/{place}/monitor") # a socket's path may not be long
            to.settimeout(10)
            self.prompt(to)
            to.sendall(command.encode() + b"\n")
            self.prompt(to)
        os.close(place)

    @staticmethod
    def prompt(to):
        said = b""
        while not said.endswith(b"(qemu) "):
            said += to.recv(4096)

    def inject(self, status, cause=RESTART | UNDER_WAY, bank=5):
        self.monitor(f"mce 0 {bank} {status:#x} {cause:#x} 0x12345000 0")

    def inject_into_guest(self, status):
        """Once the payload runs without exits: before, CP would be hit."""
        self.console.expect("waiting\r\n")
        time.sleep(0.5)
        self.inject(status)


def operator(machine, tmp_path):
    it = Injector(machine, tmp_path, "--disk", harness.new_disk(tmp_path / "disk.img"))
    it.console.expect("Enter LOGON")
    it.console.type("LOGON OPERATOR NOIPL")
    it.console.expect("(?i)password")
    it.console.type("vmn")
    it.console.expect("CP> ")
    return it


@pytest.mark.parametrize("status", [OPTIONAL, CORRECTED])
def test_cp_goes_on_after_an_error_nobody_was_hit_by_and_tells_the_operator(machine, tmp_path, status):
    """Twice: were the first still under way, the second would be the processor's end."""
    it = operator(machine, tmp_path)
    for bank in (5, 6):
        it.inject(status, bank=bank)
        it.console.expect(rf"HCPMCK9050W Machine check: bank {bank}, status {status:016X}, address 12345000; "
                          "all goes on", timeout=40)
    it.console.type("QUERY NAMES")
    it.console.expect("OPERATOR - L0001")


@pytest.mark.parametrize("status, cause",
                         [(CORRUPT, RESTART | UNDER_WAY), (REQUIRED, RESTART | UNDER_WAY), (OPTIONAL, UNDER_WAY)])
def test_cp_ends_with_the_reason_when_it_was_hit_itself(machine, tmp_path, status, cause):
    it = operator(machine, tmp_path)
    it.inject(status, cause)
    it.console.expect(rf"HCPDMP908I SYSTEM FAILURE: machine check: bank 5, status {status:016X}, address 12345000")


def test_what_nobody_is_logged_on_for_is_shown_on_the_first_terminal(machine, tmp_path):
    it = Injector(machine, tmp_path, "--disk", harness.new_disk(tmp_path / "disk.img"))
    it.console.expect("Enter LOGON")
    it.inject(OPTIONAL)
    it.console.expect("HCPMCK9050W Machine check")
    it.console.logon("ALICE")


def test_a_machine_check_that_shuts_a_guest_down_stops_its_machine_and_no_other(machine, tmp_path):
    it = Injector(machine, tmp_path, "--disk", harness.new_disk(tmp_path / "disk.img"),
                  "--module", guest("machine_check"))
    it.console.expect("Enter LOGON")
    it.console.type("LOGON ALICE NOIPL")
    it.console.expect("(?i)password")
    it.console.type("vmn")
    it.console.expect("CP> ")
    for _ in range(2): # CP has cleared what was under way
        it.console.type("IPL MACHINE_")
        it.console.expect("ready")
        it.console.send("s")
        it.inject_into_guest(OPTIONAL)
        it.console.expect(rf"HCPMCK9050W Machine check: bank 5, status {OPTIONAL:016X}, address 12345000; "
                          "the machine of ALICE was stopped")
        it.console.expect("HCPGIR9007W CP entered; the hardware failed under the machine")
        it.console.expect("CP> ")
    it.console.type("IPL CMS")
    it.console.expect(harness.READY)


def test_a_guest_with_a_handler_lives_through_one(machine, tmp_path):
    it = Injector(machine, tmp_path, "--ipl", guest("machine_check"))
    it.console.expect("ready")
    it.console.send("l")
    it.inject_into_guest(OPTIONAL)
    it.console.expect("a machine check came")
    assert it.machine.wait() == 0
