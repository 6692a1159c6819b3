"""The longest stretches for which CP keeps interrupts waiting, provoked: by kind, in ticks.
For the test and for bench/bench."""
import re

import crowd
import harness
from harness import guest

BOUND = 200000  # WORK_BOUND of cp/time/work.h


def logon(line, user):
    line.type(f"LOGON {user} NOIPL")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect("CP> ")


def tried(line, *parts):
    for part in parts:
        line.type(f"IPL LONGEST PARM {part}")
        line.expect("ALL TRIED", timeout=120)
        line.expect("CP> ")


def filled(line):
    """A machine with all the storage it may have, every page of it in use."""
    line.type("DEFINE STORAGE 128M")
    line.expect("CP> ")
    line.type("IPL LONGEST PARM fill")
    line.expect("FILLED", timeout=60)


def shown(line):
    line.type("INDICATE LONGEST")
    line.expect("INDICATE LONGEST")
    text = line.expect("CP> ")
    return {what: int(ticks) for what, ticks in re.findall(r"([A-Z][A-Z0-9/-]*(?: [A-Z0-9/-]+)*) +(\d+)\r", text)}


def stretches(place):
    """{exit reason, or doing of CP's own: ticks}, after all that is known to take long."""
    with harness.Machine("longest", "--disk", crowd.disk_with(place, crowd.full_directory(place)), "--lines", "3",
                         "--memory", "512", "--module", guest("longest")) as machine:
        operator, alice, bob = (machine.line(n) for n in (1, 2, 3))
        for line in (operator, alice, bob):
            line.expect("CP> ", timeout=harness.BOOT_SECONDS)
        logon(operator, "OPERATOR")
        logon(bob, "BOB")
        tried(bob, "exits", "nest", "ring", "commands")
        tried(operator, "commands")
        bob.type("IPL LONGEST PARM machine")
        bob.expect("MACHINE 0 450", timeout=120)  # the image ran, and halted for good
        bob.expect("CP> ")
        filled(bob)
        bob.type("#CP SYSTEM CLEAR")
        bob.expect("Storage cleared")
        filled(bob)
        bob.type("#CP IPL CP")
        bob.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
        bob.type("#CP LOGOFF")
        bob.expect("LOGOFF AT")
        logon(bob, "MAINT")
        bob.type("IPL LONGEST PARM directory")
        bob.expect(f"DIRECTORY REPLACED: {crowd.USERS_MOST} USERS", timeout=120)
        bob.expect("ALL TRIED")
        bob.expect("CP> ")
        alice.logon("ALICE")
        operator.type("FORCE ALICE")
        alice.expect("LOGOFF AT")
        return shown(operator)
