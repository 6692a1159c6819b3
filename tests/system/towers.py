"""Towers of CPs, each in a machine of the one below, with somebody at the lowest and somebody at the highest."""
import re
import subprocess
import time

import harness
from harness import ROOT, guest

SECONDS = 120


def tower(place, machine, depth, payloads, users):
    """The lowest CP's OPERATOR, and the OPERATOR of the CP so many levels up, at its only terminal; the same for 1.
    `users`: who can be XAUTOLOGed there, {name: (system, parameter)}."""
    with open(harness.DIRECTORY, encoding="utf-8") as source:
        directory = source.read()
    entries = "".join(f'{user} {{ password = "NOLOG"; classes = "G"; storage = <32>; maximum = <32>; '
                      f'ipl = "{ipl}"; parm = "{parm}"; xautolog = "OPERATOR"; '
                      f'mdisk@300 {{ extent = <{16384 + 1024 * i} 1024>; }}; }};\n'
                      for i, (user, (ipl, parm)) in enumerate(users.items()))
    source, disk = place / "directory.dts", place / "tower.img"
    source.write_text(directory.replace("users {\n", "users {\n" + entries, 1), encoding="utf-8")
    subprocess.run([f"{ROOT}/scripts/tower", str(depth), str(disk), str(source)], check=True)
    modules = [word for payload in payloads for word in ("--module", guest(payload))]
    m = machine("--disk", str(disk), "--lines", "2", *modules)
    lowest, above = m.line(1), m.line(2)
    for line in (lowest, above):
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    logon(lowest, "OPERATOR")
    if depth == 1:
        return lowest, lowest
    for _ in range(depth - 1):
        logon(above, "CP2")
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


def type_slowly(line, text):
    """As fast as a UART's sixteen bytes can be looked after in Bochs, which makes few instructions a second."""
    for at in range(0, len(text) + 1, 8):
        line.send((text + "\r")[at:at + 8])
        time.sleep(0.02)


def cp(line, command, pattern=r""):
    type_slowly(line, command)
    line.expect(pattern + r"[^>]*CP> ", SECONDS)
    return line.child.before + line.child.after


def runs(line, user):
    """Loaded, and given the processor in its turns."""
    ticks, until = [], time.monotonic() + SECONDS
    while len(ticks) < 5 or ticks[-1] == ticks[0]:
        assert time.monotonic() < until, ticks
        said = cp(line, f"INDICATE USER {user}", "TICKS: ")
        if "IPLSYS=NONE" not in said:
            ticks.append(int(re.search(r"TOTAL=(\d+)", said)[1]))
