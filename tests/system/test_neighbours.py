"""What a machine does with VMX concerns nobody else: CMS sessions beside it answer, and when it
ends CP has all its frames again."""
import os
import re
import shutil
import time

import harness
import pytest
from harness import guest

FUZZ_STEPS = int(os.environ.get("VMX_STEPS", "500000")) // 5  # test_payload_vmx.py makes the most of them, alone
FUZZ_SECONDS = 60 + FUZZ_STEPS // 100
EITHER = pytest.mark.parametrize("emulator, fuzz_steps", [("bochs", FUZZ_STEPS), ("tcg", FUZZ_STEPS // 5)])


class Cp:
    """CP with OPERATOR on line 1 (who counts), ALICE and BOB on the others."""

    def __init__(self, machine, tmp_path, payload, emulator="bochs"):
        self.machine = machine("--machine", emulator, "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "3",
                               "--memory", "512", "--module", guest(payload))
        self.operator, self.alice, self.bob = (self.machine.line(n) for n in (1, 2, 3))
        for line in (self.operator, self.alice, self.bob):
            line.expect("CP> ", timeout=harness.BOOT_SECONDS)
        self.logon(self.operator, "OPERATOR")

    @staticmethod
    def logon(line, user):
        line.type(f"LOGON {user} NOIPL")
        line.expect("(?i)password")
        line.type("vmn")
        line.expect("CP> ")

    def frames(self):
        """Those that are free, once CP has given back in its own time what it means to."""
        said = []
        while len(said) < 3 or len(set(said[-3:])) > 1:
            assert len(said) < 50, said
            self.operator.type("INDICATE LOAD")
            self.operator.expect(r"FREE-(\d+) CP-(\d+)")
            said.append(int(self.operator.match.group(1)))
            self.operator.expect("CP> ")
            time.sleep(0.1)
        return said[-1]

    def fuzz(self, steps):
        self.logon(self.bob, "BOB")
        self.bob.type(f"IPL VMX_FUZZ PARM steps={steps} seed=5")

    @staticmethod
    def end(line):
        line.type("#CP LOGOFF")
        line.expect("LOGOFF AT ")
        line.expect("CP> ")


def logoff(cp):
    cp.bob.type("#CP LOGOFF")


def reset(cp):
    cp.bob.type("#CP SYSTEM RESET")
    cp.bob.expect("System reset.")
    cp.bob.type("LOGOFF")


def clear(cp):
    cp.bob.type("#CP SYSTEM CLEAR")
    cp.bob.expect("Storage cleared")
    cp.bob.type("INDICATE USER")
    cp.bob.expect(r"PRIVATE=(\d+)")
    assert int(cp.bob.match.group(1)) < 32, "only CP's own record of it and the tables of an empty storage"
    cp.bob.type("LOGOFF")


def force(cp):
    cp.operator.type("FORCE BOB")


def ipl_again(cp):
    cp.bob.type("#CP IPL VMX_END")
    cp.bob.expect("a guest runs")
    cp.bob.type("#CP LOGOFF")


def triple(cp):
    cp.bob.expect("HCPGIR453W CP entered; triple fault")
    cp.bob.type("LOGOFF")


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_a_machine_that_ends_in_mid_nesting_gives_back_all_it_had(machine, tmp_path, emulator):
    cp = Cp(machine, tmp_path, "vmx_end", emulator)
    before = None
    for end in (logoff, logoff, reset, clear, force, ipl_again, triple, force, triple):
        cp.logon(cp.bob, "BOB")
        cp.bob.type(f"IPL VMX_END PARM {'triple' if end is triple else 'spin'}")
        cp.bob.expect("a guest runs")
        end(cp)
        cp.bob.expect("LOGOFF AT ")
        cp.bob.expect("CP> ")
        free = cp.frames()
        before = before or free  # the first round may leave CP something it keeps for the next
        assert free == before, end.__name__


def test_nesting_set_off_holds_from_the_next_ipl(machine, tmp_path):
    cp = Cp(machine, tmp_path, "vmx_end")
    cp.logon(cp.bob, "BOB")
    cp.bob.type("IPL VMX_END PARM spin")
    cp.bob.expect("a guest runs")
    cp.bob.type("#CP SET NESTED OFF")
    cp.bob.type("#CP IPL VMX_END PARM spin")
    assert "a guest runs" not in cp.bob.expect("(?i)no VMX")


def test_pages_are_not_shared_with_a_machine_whose_nesting_is_set_lower(machine, tmp_path):
    shutil.copy(guest("vmx_memory"), tmp_path / "pages.elf")  # a system's name has eight characters at most
    cp = Cp(machine, tmp_path, str(tmp_path / "pages"))
    cp.logon(cp.bob, "BOB")
    cp.bob.type("IPL PAGES")
    cp.bob.expect("pages offered: yes")
    cp.bob.expect("more pages than CP keeps take turns")
    cp.bob.expect("end\r")
    cp.bob.type("#CP SET NESTED SHADOW")
    cp.bob.type("#CP IPL PAGES")
    cp.bob.expect("pages offered: no")
    cp.bob.expect("in VMX operation: not offered")


@EITHER
def test_the_neighbours_go_on_while_a_machine_does_anything_with_vmx(machine, tmp_path, emulator, fuzz_steps):
    cp = Cp(machine, tmp_path, "vmx_fuzz", emulator)
    cp.fuzz(100)  # the first time leaves CP frames that it keeps for the next; of CMS, what machines share
    cp.bob.expect("still here")
    cp.end(cp.bob)
    cp.alice.logon("ALICE")
    cp.end(cp.alice)
    before = cp.frames()
    cp.alice.logon("ALICE")
    cp.fuzz(fuzz_steps)
    answers, ended, until = 0, False, time.monotonic() + FUZZ_SECONDS
    while not ended and time.monotonic() < until:
        said = cp.alice.cms("QUERY USERID" if answers % 2 else "LISTFILE * * A")
        assert "ALICE" in said or cp.alice.code == 28
        answers += 1
        ended = cp.bob.child.expect(["still here", harness.pexpect.TIMEOUT], timeout=0.2) == 0
    assert ended and answers >= 3
    assert int(re.search(r"(\d+) made", cp.bob.child.before).group(1)) > fuzz_steps // 200
    cp.end(cp.bob)
    cp.end(cp.alice)
    assert cp.frames() == before


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_whatever_a_machine_has_cp_do_its_registers_stay_its_own(machine, tmp_path, emulator):
    cp = Cp(machine, tmp_path, "commands", emulator)
    cp.logon(cp.alice, "ALICE")
    cp.alice.type("IPL CMS")
    cp.alice.expect("Ready;")
    cp.operator.type("IPL COMMANDS")
    cp.operator.expect("somebody says BEGIN", timeout=120)
    cp.operator.expect("CP> ")
    cp.operator.type("BEGIN")
    cp.operator.expect(r"(\d+) commands, (\d+) failures", timeout=60)
    assert int(cp.operator.match.group(1)) > 20
    assert cp.operator.match.group(2) == "0"
    cp.alice.type("QUERY TIME")
    cp.alice.expect("Ready;")


# QEMU checks no alignment, and CP arms no data breakpoints on it, so that there they are machines that spin.
RECURRING = [(emulator, how) for emulator in ("bochs", "tcg") for how in ("ac", "db", "l2 ac", "l2 db")]


@pytest.mark.parametrize("emulator, how", RECURRING)
def test_an_exception_that_recurs_in_its_own_delivery_holds_up_nobody(machine, tmp_path, emulator, how):
    cp = Cp(machine, tmp_path, "vmx_loop", emulator)
    cp.alice.logon("ALICE")
    before = None
    for end in (reset, force, logoff):
        cp.logon(cp.bob, "BOB")
        cp.bob.type("IPL VMX_LOOP PARM " + how)
        cp.bob.expect("begins: #.*of L[12]\r")
        assert "ALICE" in cp.alice.cms("QUERY USERID")
        cp.operator.type("QUERY TIME")
        cp.operator.expect("TIME IS")
        cp.bob.type("#CP QUERY TIME")
        cp.bob.expect("TIME IS")
        end(cp)
        cp.bob.expect("LOGOFF AT ")
        cp.bob.expect("CP> ")
        free = cp.frames()
        before = before or free
        assert free == before, end.__name__


@pytest.mark.parametrize("how, place", [("ac", 1), ("l2 ac", 3), ("db", 1), ("l2 db", 3)])
def test_the_exits_of_such_an_exception_are_counted_where_they_belong(machine, tmp_path, how, place):
    cp = Cp(machine, tmp_path, "vmx_loop")
    cp.logon(cp.bob, "BOB")
    cp.bob.type("IPL VMX_LOOP PARM " + how)
    cp.bob.expect("begins: #.*of L[12]\r")
    seen = []
    while len(seen) < 2:
        cp.bob.type("#CP INDICATE NEST")
        cp.bob.expect(r"L2 TO L1([^>]*)TOTAL ")
        row = re.search(r"EXCEPTION OR NMI +(\d+) +(\d+) +(\d+) +(\d+)\s", cp.bob.match.group(1))
        if not row:
            continue  # it has hardly begun
        seen.append([int(n) for n in row.groups()])
        assert not any(n for i, n in enumerate(seen[-1], 1) if i != place)
    assert 0 < seen[0][place - 1] < seen[1][place - 1]
