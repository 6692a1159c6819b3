"""What programs in CMS cost, and what else a person waits for there, in instructions on Bochs: CMS in a machine of
CP's, and beside it, as the floor, Linux on the same emulator, which runs the same binaries on the same files
(tests/programs/figures)."""
import math
import os
import random
import re
import subprocess
import tempfile

import linux
from record import ROOT, costs, figure, harness
from session import PATIENCE, Session

LINES = 10000
FLOOD_SECONDS = PROGRAMS_SECONDS = 1800  # on a loaded host; what is counted does not depend on it
KEYS = 20
NUCLEUS_KIB = 512
WORKS = ("true", "shell_loop", "shell_forks", "shell_pipe", "sort", "checksum", "pack", "compile", "rexx_0",
         "rexx_1000")
LOOP = "/* */\nparse arg most\nx = 0\ndo i = 1 to most\n  x = x + i * 2\nend\nexit 0\n"
HELLO = '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n' \
        'int main(void)\n{\n    puts("hello");\n    return 0;\n}\n'


# ---- what is worked on -------------------------------------------------------------------------

def files(place):
    """The folder of what `figures` works on: the same for CMS and Linux."""
    chance = random.Random(1)
    folder = os.path.join(place, "a")
    os.mkdir(folder)
    made = {"data.bin": bytes(chance.choice(b"abcdefghijklmnopqrstuvwxyz \n") for _ in range(1 << 20)),
            "text.txt": "".join(f"{chance.randrange(10 ** 9):09} a line of text\n" for _ in range(2000)).encode(),
            "loop.rexx": LOOP.encode(), "hello.c": HELLO.encode()}
    for name, content in made.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
    return folder


def disk_with(place, folder):
    disk = harness.new_disk(os.path.join(place, "disk.img"))

    def put(path, *name, options=("--recfm", "F", "--lrecl", "1", "--binary")):
        harness.cmsdisk(disk, "ALICE", "191", "put", *options, path, *name)

    put(os.path.join(ROOT, "build", "programs", "figures-musl"), "FIGURES", "MODULE")
    for name in os.listdir(folder):
        fn, _, ft = name.upper().partition(".")
        put(os.path.join(folder, name), fn, ft)
    put(os.path.join(folder, "loop.rexx"), "LOOP", "EXEC", options=())
    lines = os.path.join(place, "lines")
    with open(lines, "w", encoding="ascii") as file:
        file.writelines(f"{n:079}\n" for n in range(LINES))
    put(lines, "LINES", "TEXT", options=())
    return disk


# ---- programs ----------------------------------------------------------------------------------

def of_programs(here, there):
    """`here` and `there`: what `figures` said in CMS and on Linux."""
    figure("program_start", here["start"], floor=there["start"], bound=300000)
    figure("program_getpid", here["getpid"], floor=there["getpid"], bound=200)
    figure("program_fork_exec_wait", here["true"], floor=there["true"], bound=2000000)
    figure("program_read_cached", round(here["read_cached"] / here["read_bytes"], 2), "instr/byte",
           floor=round(there["read_cached"] / there["read_bytes"], 2), bound=3)
    for name in WORKS:
        figure(f"program_run_{name}", here[name], floor=there[name])
    here, there = (sum(each[name] for name in WORKS) for each in (here, there))
    figure("program_cpu_time", round(here / there, 3), "times Linux", floor=1, bound=1.05)


def in_cms(s):
    return costs(s.alice.cms("figures /a", timeout=PROGRAMS_SECONDS).replace("\r", ""))


# ---- what a person waits for ---------------------------------------------------------------------

def least(s, *deed, tries=3):
    return min(s.cost(lambda: s.alice.cms(*deed, timeout=300)) for _ in range(tries))


def regina_alone(folder, iterations):
    """Instructions of the root image's Regina, in user mode, on this Linux: callgrind counts them."""
    root = os.path.join(ROOT, "build", "root", "tree", "usr")
    library = os.path.join(root, "lib", "x86_64-linux-gnu")
    said = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           os.path.join(library, "ld-linux-x86-64.so.2"), "--library-path", library,
                           os.path.join(root, "bin", "regina"), "./loop.rexx", str(iterations)],
                          cwd=folder, capture_output=True, text=True, check=True).stderr
    return int(re.search(r"Collected : (\d+)", said).group(1))


def rexx(s, folder):
    """A loop of an EXEC: what a thousand iterations add."""
    empty, full = least(s, "EXEC LOOP 0"), least(s, "EXEC LOOP 1000")
    empty_alone = regina_alone(folder, 0)
    floor = regina_alone(folder, 1000) - empty_alone
    figure("program_exec", empty, floor=empty_alone)
    figure("program_rexx_loop", full - empty, floor=floor, bound=round(1.1 * floor))


def typed(s):
    def show():
        s.alice.type("TYPE LINES TEXT A")
        s.alice.expect_exact("Ready; T=", FLOOD_SECONDS)
    figure("program_type_byte", round(s.cost(show) / (LINES * 81), 1), "instr/byte", bound=60)


def xedit(s):
    s.alice.type("XEDIT LOOP EXEC A")
    s.alice.expect("Bottom of File", PATIENCE)
    s.alice.send("x")
    s.alice.expect(r"\dmx", PATIENCE)

    def keys():
        for n in range(KEYS):
            key = chr(ord("a") + n % 26)
            s.alice.send(key)
            s.alice.expect(rf"\dm{key}", PATIENCE)  # behind what sets its colour
    figure("program_xedit_key", round(s.cost(keys) / KEYS), bound=1000000)
    s.alice.send("\x7f" * (KEYS + 1))
    s.alice.type("qquit")
    s.alice.expect(harness.READY, PATIENCE)


# ---- how large CMS is ----------------------------------------------------------------------------

def nucleus_bytes():
    """Code, constants and what data begin with: of the ELF file, what is not zeros."""
    said = subprocess.check_output(["size", os.path.join(ROOT, "build", "cms.elf64")], text=True)
    text, data = said.splitlines()[1].split()[:2]
    return int(text) + int(data)


def take():
    figure("program_nucleus", math.ceil(nucleus_bytes() / 1024), "KiB", bound=NUCLEUS_KIB)
    with tempfile.TemporaryDirectory() as place:
        folder = files(place)
        there = linux.figures(folder)
        s = Session(disk_with(place, folder), {"VMN_BOCHS_MODEL": linux.MODEL})
        with s.machine:
            s.alice.logon("ALICE", timeout=PATIENCE)
            of_programs(in_cms(s), there)
            rexx(s, folder)
            typed(s)
            xedit(s)


PARTS = {"program": take}
