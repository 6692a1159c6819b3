"""REXX in CMS says what Regina says on this host: every program of tests/rexx, in one session."""
import os
import re
import subprocess

import pytest

from harness import ROOT, cmsdisk, new_disk, start

PROGRAMS = os.path.join(ROOT, "tests", "rexx")
ARGUMENT = "Some  Words"


def sources():
    return sorted(name for name in os.listdir(PROGRAMS) if name.endswith(".rexx"))


def host(name, directory):
    """Lines and return code there; the program's own name, which errors tell, is what differs."""
    done = subprocess.run(["regina", os.path.join(PROGRAMS, name), ARGUMENT], cwd=directory, text=True, timeout=120,
                          encoding="latin-1", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return unnamed(done.stdout.splitlines()), done.returncode


def unnamed(lines):
    return [re.sub(r'^(Error \d+ running) ".*?"', r"\1", line.rstrip()) for line in lines]


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_programs_of_rexx_say_the_same_in_cms(machine, tmp_path, emulator):
    disk = new_disk(tmp_path / "disk.img")
    assert len(sources()) > 20
    for name in sources():
        cmsdisk(disk, "ALICE", "191", "put", os.path.join(PROGRAMS, name), name.split(".")[0][:8].upper(), "EXEC")
    line = start(machine, disk, "--machine", emulator, lines=1).console
    line.logon("ALICE")
    different = {}
    for name in sources():
        there, code = host(name, tmp_path)
        here = unnamed(line.cms(f"EXEC {name.split('.')[0][:8]} {ARGUMENT}", 120).splitlines()[1:])
        error = next((int(m[1]) for m in map(re.compile(r"Error (\d+) running").match, here) if m), None)
        expected = code if error is None else 20000 + error
        if here != there or line.code != expected:
            different[name] = (here, there, line.code, expected)
    assert not different
