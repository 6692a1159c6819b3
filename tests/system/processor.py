"""What users get of the processor while all of them want it. For the test and for bench/bench."""
import os
import re
import subprocess
import time

import harness
import towers
from harness import guest

# user: share in the directory, what SET SHARE says then, and the part of the whole that it comes to
USERS = {
    "SMALL": ("RELATIVE 300", "INITIAL", 0.2),
    "USUAL": ("", "RELATIVE 900", 0.6),
    "SAFE": ("RELATIVE 1", "ABSOLUTE 20%", 0.2),
}


def disk(place):
    with open(harness.DIRECTORY, encoding="utf-8") as source:
        directory = source.read()
    entries = "".join(f'{user} {{ password = "NOLOG"; classes = "G"; storage = <32>; ipl = "SPIN"; '
                      f'{said and f"""share = "{said}"; """}xautolog = "OPERATOR"; }};\n'
                      for user, (said, _, _) in USERS.items())
    source, blob = os.path.join(place, "directory.dts"), os.path.join(place, "directory.dtb")
    image = harness.new_disk(os.path.join(place, "disk.img"))
    with open(source, "w", encoding="utf-8") as out:
        out.write(directory.replace("users {\n", "users {\n" + entries, 1))
    subprocess.run(["dtc", "-q", "-o", blob, source], check=True)
    mkimage = os.path.join(harness.ROOT, "build", "mkimage")
    subprocess.run([mkimage, "--replace-directory", image, "--directory", blob], check=True)
    return image


def cp(line, command, pattern):
    line.type(command)
    line.expect(pattern + r"[^>]*CP> ", 120)
    return line.child.before + line.child.after


def had(line):
    """Ticks of each user."""
    return {user: int(re.search(r"TOTAL=(\d+)", cp(line, f"INDICATE USER {user}", "STEAL="))[1]) for user in USERS}


def second(line):
    said = cp(line, "QUERY TIME", "TOTCPU=")
    hours, minutes, seconds = re.search(r"TIME IS (\d+):(\d+):(\d+)", said).groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def kept(place, machine, seconds):
    """{user: (part of the whole it had, the right one)}, over so many seconds of CP's clock."""
    with machine("--disk", disk(place), "--lines", "1", "--memory", "256", "--module", guest("spin")) as m:
        line = m.line(1)
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
        line.type("LOGON OPERATOR NOIPL")
        line.expect("(?i)password")
        line.type("vmn")
        line.expect("LOGON AT[^>]*CP> ")
        for user, (_, said, _) in USERS.items():
            cp(line, f"XAUTOLOG {user}", f"AUTO LOGON AS {user} ")
            cp(line, f"SET SHARE {user} {said}", "")
        cp(line, "QUERY SHARE SMALL", "USER SMALL   : RELATIVE SHARE = 300")
        cp(line, "QUERY SHARE SAFE", r"USER SAFE    : ABSOLUTE SHARE = 20.0%")
        while not all(had(line).values()):  # they are loaded, and run
            pass
        begun, before = second(line), had(line)
        while (second(line) - begun) % 86400 < seconds:
            time.sleep(0.1)
        after = had(line)
    taken = {user: after[user] - before[user] for user in USERS}
    return {user: (taken[user] / sum(taken.values()), right) for user, (_, _, right) in USERS.items()}


# ---- what a hog costs who is beside it -----------------------------------------------------------------------------

HOGS = {
    "SPINS": ("SPIN", ""), "EXITS": ("LONGEST", "exits forever"), "CALLS": ("LONGEST", "commands forever"),
    "RINGS": ("LONGEST", "ring forever"), "NESTS": ("LONGEST", "nest forever"), "FLOODS": ("CONSOLE", "forever"),
    "LOOPS": ("VMX_LOOP", "l2 ac"),
}


def ticks(line):
    """Of OPERATOR's machine, and of the processor."""
    mine = re.search(r"TOTAL=(\d+) ", towers.cp(line, "INDICATE USER", "STEAL="))[1]
    busy, idle = re.search(r"BUSY=(\d+) IDLE=(\d+) ", towers.cp(line, "INDICATE LOAD", "EXITS=")).groups()
    return int(mine), int(busy) + int(idle)


def lost(line, seconds):
    """What OPERATOR's machine, which spins, lacks of its half of the processor, in parts of a hundred of that."""
    before = ticks(line)
    time.sleep(seconds)
    after = ticks(line)
    return (0.5 - (after[0] - before[0]) / (after[1] - before[1])) / 0.5 * 100


def beside(place, machine, depth, seconds, hogs=tuple(HOGS)):
    """{hog: what its neighbour at the lowest CP loses}: machines of the CP so many levels up, one after another."""
    payloads = sorted({system.lower() for system, _ in [*HOGS.values()]})
    lowest, above = towers.tower(place, machine, depth, payloads, HOGS)
    towers.cp(lowest, "SET RUN ON")
    lowest.type("IPL SPIN")
    lowest.expect("spinning")
    towers.cp(lowest, "#CP")
    found = {}
    for hog in hogs:
        towers.cp(above, f"XAUTOLOG {hog}", f"AUTO LOGON AS {hog} ")
        towers.runs(above, hog)
        found[hog] = lost(lowest, seconds)
        towers.cp(above, f"FORCE {hog}", f"FORCED +AS {hog} ")
    return found
