"""A minidisk that two users want to write, and one that is full: what CP and CMS say, and what stands afterwards."""
import os
import re
import subprocess

import harness
import pytest
from harness import DIRECTORY, ROOT


@pytest.fixture
def disk(tmp_path):
    """A volume on which anybody may link ALICE's 191 in any mode, and BOB's has 28 blocks, 15 of them a file's."""
    with open(DIRECTORY, encoding="utf-8") as source:
        text = source.read()
    text, changed = re.subn(r"mdisk@191 \{ extent = <2081 2048>;", r'\g<0> passwords = "ALL", "ALL", "ALL";', text)
    text, shrunk = re.subn(r"extent = <4129 2048>", "extent = <4129 28>", text)
    assert changed == shrunk == 1
    directory, big, image = tmp_path / "directory.dtb", tmp_path / "big", tmp_path / "disk.img"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", directory], input=text.encode(), check=True)
    big.write_text("".join(f"record {n:73}\n" for n in range(750)))
    files = [word for name in sorted(os.listdir(os.path.join(ROOT, "images", "system")))
             for word in ("--file", f"MAINT:190:{ROOT}/images/system/{name}:{name}")]
    subprocess.run([os.path.join(ROOT, "build", "mkimage"), image, "--directory", directory, *files, "--file",
                    f"BOB:191:{big}:BIG.FILE"], check=True)
    return str(image)


def users(machine, disk, *names):
    m = machine("--machine", "tcg", "--disk", disk, "--lines", str(len(names)))
    for number, name in enumerate(names, 1):
        m.line(number).expect("CP> ", timeout=harness.BOOT_SECONDS)
        m.line(number).logon(name)
    return [m.line(number) for number in range(1, len(names) + 1)]


def test_a_second_writer_is_refused_or_reads_unless_the_first_and_he_ask_for_mw(machine, disk):
    alice, bob = users(machine, disk, "ALICE", "BOB")
    alice.cms("PIPE literal hers| > SHARED FILE A")
    for mode in ("R", "W", "M"):
        assert "HCPLNM104E ALICE 0191 not linked; R/W by ALICE" in bob.cms(f"CP LINK ALICE 191 291 {mode}")
        assert bob.code == 104
    for mode in ("WR", "MR"):
        assert "HCPLNM101W DASD 0291 forced R/O; R/W by ALICE" in bob.cms(f"CP LINK ALICE 191 291 {mode}")
        bob.cms("ACCESS 291 B")
        assert "hers" in bob.cms("TYPE SHARED FILE B")
        assert "037E Filemode B is accessed as read/only" in bob.cms("PIPE literal his| > OTHER FILE B") and bob.code
        bob.cms("RELEASE B")
        bob.cms("CP DETACH 291")
    assert "HCP" not in bob.cms("CP LINK ALICE 191 291 MW") and bob.code == 0
    bob.cms("ACCESS 291 B")
    bob.cms("PIPE literal his| > OTHER FILE B")
    assert bob.code == 0
    alice.cms("ACCESS 191 A")
    assert "his" in alice.cms("TYPE OTHER FILE A") and "hers" in alice.cms("TYPE SHARED FILE A")


def test_what_does_not_fit_is_refused_and_what_was_there_stands(machine, disk):
    bob, = users(machine, disk, "BOB")
    count = "PIPE < BIG FILE A| count lines| console"
    before = bob.cms(count)
    assert "750" in before
    for command in ("COPYFILE BIG FILE A OTHER FILE A", "PIPE < BIG FILE A| > BIG FILE A",
                    "PIPE < BIG FILE A| >> BIG FILE A"):
        said = bob.cms(command)
        assert re.search(r"DMS...107S Disk A ?\(191\) is full", said) and bob.code == 100, (command, said)
        assert "750" in bob.cms(count)
    assert "OTHER" not in bob.cms("LISTFILE * * A")
    bob.cms("PIPE literal small| > SMALL FILE A")
    assert bob.code == 0
    bob.cms("ERASE BIG FILE A")
    assert bob.code == 0
    bob.cms("PIPE < SMALL FILE A| > OTHER FILE A")
    assert bob.code == 0 and "small" in bob.cms("TYPE OTHER FILE A")
