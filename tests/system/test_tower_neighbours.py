"""Users of a CP that is itself a guest: what one of them does holds up neither its
other users nor anybody beside it."""
import re
import subprocess
import time

import harness
import pytest
from harness import ROOT, guest

EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])
SECONDS = 120

# user: what IPLs at XAUTOLOG, and what it is told
HOSTILE = {
    "RECURAC": ("VMX_LOOP", "ac"), "RECURDB": ("VMX_LOOP", "db"),
    "NESTAC": ("VMX_LOOP", "l2 ac"), "NESTDB": ("VMX_LOOP", "l2 db"),
    "RINGS": ("LONGEST", "ring"), "CALLS": ("LONGEST", "commands"), "TOUCHES": ("TOUCH", ""), "SPINS": ("SPIN", ""),
}


def tower(tmp_path, emulator, machine, payloads, users):
    """The lowest CP's OPERATOR, and the OPERATOR of the CP above it, at its only terminal."""
    with open(harness.DIRECTORY, encoding="utf-8") as source:
        directory = source.read()
    entries = "".join(f'{user} {{ password = "NOLOG"; classes = "G"; storage = <32>; maximum = <32>; '
                      f'ipl = "{ipl}"; parm = "{parm}"; xautolog = "OPERATOR"; '
                      f'mdisk@300 {{ extent = <{8192 + 1024 * i} 1024>; }}; }};\n'
                      for i, (user, (ipl, parm)) in enumerate(users.items()))
    source, disk = tmp_path / "directory.dts", tmp_path / "tower.img"
    source.write_text(directory.replace("users {\n", "users {\n" + entries, 1), encoding="utf-8")
    subprocess.run([f"{ROOT}/scripts/tower", "2", str(disk), str(source)], check=True)
    modules = [word for payload in payloads for word in ("--module", guest(payload))]
    m = machine("--machine", emulator, "--disk", str(disk), "--lines", "2", *modules)
    lowest, above = m.line(1), m.line(2)
    for line, user in ((lowest, "OPERATOR"), (above, "CP2")):
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
        logon(line, user)
    above.type("IPL CP")
    above.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    above.expect("CP> ")
    logon(above, "OPERATOR")
    return lowest, above


def logon(line, user):
    line.type(f"LOGON {user} NOIPL")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect("CP> ", SECONDS)


def cp(line, command, pattern=r""):
    line.type(command)
    line.expect(pattern + r"[^>]*CP> ", SECONDS)
    return line.child.before + line.child.after


def frames(line):
    """Those that are free, once they are as many three times in turn."""
    said = []
    while len(said) < 3 or len(set(said[-3:])) > 1:
        assert len(said) < 50, said
        said.append(int(re.search(r"FREE-(\d+)", cp(line, "INDICATE LOAD", "FREE-"))[1]))
        time.sleep(0.1)
    return said[-1]


def runs(line, user):
    """Loaded, and given the processor in its turns."""
    ticks, until = [], time.monotonic() + SECONDS
    while len(ticks) < 5 or ticks[-1] == ticks[0]:
        assert time.monotonic() < until, ticks
        said = cp(line, f"INDICATE USER {user}", "TICKS: ")
        if int(re.search(r"RES=(\d+)", said)[1]) > 16:
            ticks.append(int(re.search(r"TOTAL=(\d+)", said)[1]))


@EITHER
def test_no_guest_of_a_cp_that_is_a_guest_holds_up_either(machine, tmp_path, emulator):
    lowest, above = tower(tmp_path, emulator, machine, ["vmx_loop", "longest", "touch", "spin"], HOSTILE)
    free = []
    for user in ["NESTAC", *HOSTILE]:  # CP keeps a few frames from the first time that a guest's guest runs
        cp(above, f"XAUTOLOG {user}", f"AUTO LOGON AS {user} ")
        runs(above, user)
        for _ in range(3):
            cp(above, "QUERY TIME", "TIME IS")
            cp(lowest, "QUERY TIME", "TIME IS")
        cp(above, f"FORCE {user}", f"FORCED +AS {user} ")
        free.append(frames(above))
    assert len(set(free)) == 1, free
