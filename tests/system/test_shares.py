"""Users who take all the storage there is: nobody else's machine stops, nobody is kept from
logging on, and all of it comes back."""
import re
import time

import harness
import pytest
from harness import guest

EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])
SECONDS = 90


class Cp:
    """CP with little storage. Lines by user; `frames` is what was free when nobody but OPERATOR was there."""

    def __init__(self, machine, tmp_path, emulator, memory, lines):
        self.machine = machine("--machine", emulator, "--memory", str(memory),
                               "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", str(lines),
                               "--module", guest("touch"))
        for number in range(1, lines + 1):
            self.machine.line(number).expect("CP> ", timeout=harness.BOOT_SECONDS)

    def line(self, number):
        return self.machine.line(number)

    @staticmethod
    def logon(line, user, options=""):
        line.type(f"LOGON {user}{options}")
        line.expect("(?i)password")
        line.type("vmn")
        line.expect("LOGON AT")
        line.expect("CP> " if options else harness.READY, SECONDS)

    def touches(self, line, user, mib):
        """Holds so much, and goes on."""
        self.logon(line, user, " NOIPL")
        line.type(f"IPL TOUCH PARM mib={mib}")
        line.expect("touched all", SECONDS)

    def begin(self, line):
        """The first IPL of a system leaves CP what its machines share."""
        self.touches(line, "BOB", 1)
        line.type("#CP LOGOFF")
        line.expect("LOGOFF AT")
        line.expect("CP> ")

    def takes_all(self, line, user, storage="128M"):
        """Stopped for want of frames."""
        self.logon(line, user, " NOIPL")
        self.define(line, storage)
        line.type("IPL TOUCH")
        line.expect(r"HCPGIR9002W[^\n]*\n", SECONDS)
        line.expect("CP> ")

    @staticmethod
    def define(line, storage):
        line.type(f"DEFINE STORAGE {storage}")
        line.expect("Storage cleared")
        line.expect("CP> ")

    def force(self, operator, user, line):
        operator.cms(f"CP FORCE {user}")
        line.expect("LOGOFF AT", SECONDS)
        line.expect("CP> ")


def free(operator):
    return int(re.search(r"FREE-(\d+)", operator.cms("CP INDICATE LOAD"))[1])


def spare(operator, *others):
    """What is free, and what those machines hold that stay: CMS touches a page more now
    and then, also to answer this."""
    while True:
        found = [free(operator)]
        for line in (operator, *others):
            found.append(int(re.search(r"PRIVATE=(\d+)", line.cms("CP INDICATE USER"))[1]))
        if free(operator) == found[0]:
            return sum(found)


def comes_back(before, *stay):
    """What a machine held is given back in the turns after its end."""
    until = time.monotonic() + SECONDS
    while spare(*stay) != before and time.monotonic() < until:
        time.sleep(0.2)
    assert spare(*stay) == before


def works(line, text):
    """CMS as ever: files and commands."""
    line.cms(f"PIPE literal {text}| > SOME FILE A", SECONDS)
    assert line.code == 0
    line.cms("COPYFILE SOME FILE A OTHER FILE A (REPLACE", SECONDS)
    assert text in line.cms("TYPE OTHER FILE A", SECONDS)
    assert "OTHER" in line.cms("LISTFILE * * A", SECONDS)
    assert line.code == 0


@EITHER
def test_who_takes_all_keeps_nobody_out_and_gives_all_back(machine, tmp_path, emulator):
    cp = Cp(machine, tmp_path, emulator, 64, 3)
    operator, alice, bob = (cp.line(n) for n in (1, 2, 3))
    cp.begin(bob)
    cp.logon(alice, "ALICE")
    cp.logon(operator, "OPERATOR")
    works(alice, "before")
    before = spare(operator, alice)
    operator.type("LOGOFF")
    operator.expect("CP> ")
    cp.takes_all(bob, "BOB")
    bob.type("DISPLAY T100000.10")  # his storage is his until somebody needs it
    assert "V00100000" in bob.expect(r"CP> ").split("\n")[1]
    cp.logon(operator, "OPERATOR")
    works(alice, "beside")
    works(operator, "beside")
    cp.force(operator, "BOB", bob)
    comes_back(before, operator, alice)
    cp.logon(bob, "BOB")  # what came back in single frames serves a machine again
    works(bob, "again")


@EITHER
def test_of_several_who_take_all_the_one_that_holds_most_gives(machine, tmp_path, emulator):
    cp = Cp(machine, tmp_path, emulator, 64, 4)
    operator, alice, bob, maint = (cp.line(n) for n in (1, 2, 3, 4))
    cp.begin(bob)
    cp.logon(operator, "OPERATOR")
    works(operator, "before")
    before = spare(operator)
    cp.logon(maint, "MAINT", " NOIPL")
    maint.type("IPL TOUCH PARM mib=10")
    maint.expect("touched all", SECONDS)
    cp.logon(bob, "BOB", " NOIPL")
    cp.define(bob, "128M")
    bob.type(f"IPL TOUCH PARM mib={(free(operator) - 1700) * 4 // 1024}")  # nearly all, and goes on running
    bob.expect("touched all", SECONDS)
    cp.logon(alice, "ALICE", " NOIPL")
    alice.type("IPL TOUCH PARM mib=12")  # more than is free, and less than her share
    alice.expect("touched all", SECONDS)
    bob.expect(r"HCPGIR9009W[^\n]*\n", SECONDS)
    bob.expect("CP> ")
    bob.type("INDICATE USER")
    bob.expect(r"PRIVATE=(\d+)")
    assert int(bob.match[1]) < 64
    bob.expect("CP> ")
    bob.type("IPL CMS")
    bob.expect(harness.READY, SECONDS)
    works(bob, "after")
    works(operator, "after")
    for user, line in (("ALICE", alice), ("BOB", bob), ("MAINT", maint)):
        cp.force(operator, user, line)
    comes_back(before, operator)


def touches_within(bob, parm, end):
    """IPLs CP in his machine, and TOUCH in that of its OPERATOR."""
    bob.type("IPL CP")
    bob.expect("Enter LOGON", SECONDS)
    bob.expect("CP> ")
    bob.type("LOGON OPERATOR NOIPL")
    bob.expect("(?i)password")
    bob.type("vmn")
    bob.expect("LOGON AT", SECONDS)
    bob.expect("CP> ")
    bob.type("DEFINE STORAGE 64M")
    bob.expect("Storage cleared", SECONDS)
    bob.expect("CP> ")
    bob.type(f"IPL TOUCH{parm}")
    bob.expect(end, 2 * SECONDS)


@EITHER
@pytest.mark.parametrize("storage, who_stops", [("32M", "the inner machine"), ("128M", "BOB's")])
def test_a_cp_in_a_machine_that_takes_all_is_one_user_like_any(machine, tmp_path, emulator, storage, who_stops):
    within = storage == "32M"
    cp = Cp(machine, tmp_path, emulator, 64, 3)
    operator, alice, bob = (cp.line(n) for n in (1, 2, 3))
    cp.logon(operator, "OPERATOR")
    cp.logon(alice, "ALICE")
    works(alice, "before")
    cp.logon(bob, "BOB", " NOIPL")
    cp.define(bob, storage)
    # CP keeps some frames from the first time that a guest's guest runs
    touches_within(bob, " PARM mib=2", "touched all")
    cp.force(operator, "BOB", bob)
    before = spare(operator, alice)
    cp.logon(bob, "BOB", " NOIPL")
    cp.define(bob, storage)
    touches_within(bob, "", r"HCPGIR9002W[^\n]*\n")
    bob.expect("CP> ")
    works(alice, "beside")
    works(operator, "beside")
    bob.type("QUERY USERID")
    assert bob.expect("AT VMN").split()[-1] == ("OPERATOR" if within else "BOB"), f"who stops is {who_stops}"
    cp.force(operator, "BOB", bob)
    comes_back(before, operator, alice)
