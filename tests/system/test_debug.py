"""What a processor holds back for an instruction (the shadow of STI and of a load of SS), and its breakpoints: a
program has them as on a PC, and neither CP nor another's program ever meets them."""
import os
import re
import socket
import subprocess
import time

import harness
import pytest
from harness import ROOT, guest, run_piped
from test_neighbours import Cp

MACHINES = pytest.mark.parametrize("options, env", [
    (("--machine", "bochs", "--lines", "1"), "bare"),
    (("--machine", "bochs"), "CP"),
    (("--machine", "tcg"), "CP"),
    (("--machine", "bochs", "--levels", "2"), "CP"),
    (("--machine", "tcg", "--levels", "2"), "CP"),
], ids=["bare", "VMX", "SVM", "VMX twice", "SVM twice"])


def said(payload, options, env, append=""):
    if env == "bare":
        done = run_piped(*options, env={"VMN_CP": guest(payload)}, timeout=120)
    else:
        done = run_piped(*options, "--ipl", guest(payload), "--append", append, timeout=300)
    lines = done.stdout.decode("latin-1").replace("\r", "").splitlines()
    assert lines[-1] == "end", lines[-3:]
    return lines[:-1]


@MACHINES
def test_no_interrupt_comes_between_sti_or_mov_ss_and_the_next_instruction(options, env):
    lines = said("shadow", options, env)
    assert len(lines) == 6 and all(line.startswith("ok ") for line in lines), lines


@MACHINES
def test_breakpoints_stop_a_program_where_they_should(options, env):
    tcg = "tcg" in options  # no breakpoints on data there
    lines = said("breakpoints", options, env, append="code" if tcg else "")
    assert len(lines) == (20 if tcg else 28) and all(line.startswith("ok ") for line in lines), lines


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_breakpoints_anywhere_in_cp_or_in_another_program_are_nobodys_problem(machine, tmp_path, emulator):
    """BOB arms them over the world switch, the trap handlers and the data of CP, and over CMS, which ALICE runs; makes
    exits meanwhile, and goes on doing so at the end."""
    cp = Cp(machine, tmp_path, "sweep", emulator)
    cp.alice.logon("ALICE")
    cp.logon(cp.bob, "BOB")
    cp.bob.type(f"IPL SWEEP PARM code=20 also={symbol('trap_stubs')} data=1536 stride=56 stay=1")
    cp.bob.expect("sweeping")
    ended, answers, until = False, 0, time.monotonic() + 200
    while not ended and time.monotonic() < until:
        assert cp.alice.cms("QUERY USERID") and cp.alice.code == 0
        cp.operator.type("QUERY NAMES")
        cp.operator.expect(r"BOB +- L0003")
        answers += 1
        ended = cp.bob.child.expect(["still here", harness.pexpect.TIMEOUT], timeout=0.2) == 0
    assert ended and answers >= 2
    assert "\n0 hits" in cp.bob.child.before
    cp.alice.cms("PIPE literal not stopped| > not stopped a")
    assert cp.alice.code == 0
    cp.end(cp.bob)
    cp.end(cp.alice)


# ---- traps in CP itself, which a debugger causes ---------------------------------------------------

class Debugger:
    """The little of GDB's remote protocol that is needed. SDM's numbering of registers is
    not GDB's: RIP is 16, RFLAGS 17."""
    RIP, RFLAGS = 16, 17

    def __init__(self, path):
        self.socket, self.said = socket.socket(socket.AF_UNIX), b""
        self.socket.settimeout(20)
        for _ in range(100):
            try:
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.1)
        self.ask("qXfer:features:read:target.xml:0,fff")  # QEMU lets one read single registers after this only
        assert self.ask("Qqemu.PhyMemMode:1") == "OK"  # by CP's addresses also where a guest was stopped
        self.go_on()  # who connects has stopped it

    def send(self, text):
        self.socket.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) & 255))

    def answer(self):
        while not re.search(rb"\$[^#]*#..", self.said):
            self.said += self.socket.recv(4096)
        packet = re.search(rb"\$([^#]*)#..", self.said)
        self.said = self.said[packet.end():]
        self.socket.sendall(b"+")
        return packet.group(1).decode("latin-1")

    def ask(self, text):
        self.send(text)
        while (answer := self.answer()).startswith("T"):  # that it stopped, said unasked
            pass
        return answer

    def stop(self):
        self.socket.sendall(b"\x03")
        while not self.answer().startswith("T"):
            pass

    def go_on(self):
        self.send("c")

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def set_register(self, number, value):
        assert self.ask(f"P{number:x}={value.to_bytes(8 if number != self.RFLAGS else 4, 'little').hex()}") == "OK"

    def word(self, address):
        return int.from_bytes(bytes.fromhex(self.ask(f"m{address:x},4")), "little")

    def monitor(self, command):
        self.send("qRcmd," + command.encode().hex())
        while self.answer() != "OK":
            pass


def symbol(name):
    table = subprocess.run(["nm", os.path.join(ROOT, "build", "cp.elf64")], capture_output=True, text=True,
                           check=True).stdout
    return int(re.search(rf"^([0-9a-f]+) . {name}$", table, re.M).group(1), 16)


def test_a_debug_trap_or_nmi_that_reaches_cp_is_counted_and_it_goes_on(machine, tmp_path):
    path = str(tmp_path / "gdb")
    emulator = tmp_path / "qemu-with-debugger"
    emulator.write_text(f'#!/bin/sh\nexec qemu-system-x86_64 -gdb unix:{path},server=on,wait=off "$@"\n')
    emulator.chmod(0o755)
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "1",
                env={"VMN_QEMU": str(emulator)})
    m.console.expect("Enter LOGON")
    survived, debugger = symbol("trap_survived"), Debugger(path)
    for seen in range(3):
        debugger.stop()
        assert 0x100000 <= debugger.register(Debugger.RIP) < symbol("cp_image_end"), "CP idles"
        debugger.set_register(Debugger.RFLAGS, debugger.register(Debugger.RFLAGS) | 1 << 8)
        debugger.monitor("nmi")
        debugger.go_on()
        for _ in range(50):  # the machine may be slow to come round
            time.sleep(0.2)
            debugger.stop()
            both = debugger.word(survived + 4 * 1) > seen and debugger.word(survived + 4 * 2) > seen
            debugger.go_on()
            if both:
                break
    m.console.logon("ALICE")
    debugger.stop()
    assert debugger.word(survived + 4 * 1) == 3
    assert debugger.word(survived + 4 * 2) == 3
    debugger.go_on()
    assert "191" in m.console.cms("QUERY DISK")
