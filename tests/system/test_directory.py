"""MAINT makes a directory of text CP's while others work: who is new logs on, who changed logs on as changed, what is
wrong changes nothing, and the next start finds it; a cut in the midst of it leaves the old one or the new one."""
import os
import random
import subprocess
import time

import harness
import pytest
from harness import LOGON_PROMPT, new_disk, start

CUTS = max(3, int(os.environ.get("VMN_CUTS", "20")) // 7)
SEED = int(os.environ.get("VMN_SEED", str(int(time.time()))))


def hashed(password):
    done = subprocess.run(["openssl", "passwd", "-6", "-salt", "rounds=1000$another", password],
                          stdout=subprocess.PIPE, check=False)
    return done.stdout.decode().strip()


def change(line, old, new):
    """In USER DIRECT, wherever it stands."""
    line.cms(f"PIPE < USER DIRECT A| change ?{old}?{new}?| > USER DIRECT A")
    assert line.code == 0


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_maint_gives_cp_another_directory_while_alice_works(machine, tmp_path, emulator):
    disk = new_disk(tmp_path / "disk.img")
    m = start(machine, disk, "--machine", emulator, lines=3)
    maint, alice, other = m.line(1), m.line(2), m.line(3)
    maint.logon("MAINT")
    alice.logon("ALICE")
    said = maint.cms("DIRECTXA (GET")
    assert maint.code == 0, said
    said = maint.cms("DIRECTXA (EDIT")
    assert "DIRECTORY IS GOOD: 4 USERS, 6 MINIDISKS, 6 LINKS" in said

    change(maint, "ALICE {", "CAROL {")  # who is at work
    said = maint.cms("DIRECTXA")
    assert "HCPDIR9036E ALICE is logged on, and not in the new directory" in said
    assert "HCPDIR9035E" in said and maint.code == 9035
    change(maint, "CAROL {", "ALICE {")
    change(maint, "<2081 2048>", "<2081 2047>")
    assert "HCPDIR9037E Minidisk ALICE 0191 is linked by ALICE" in maint.cms("DIRECTXA")
    change(maint, "<2081 2047>", "<2081 2048>")
    change(maint, "BOB {", "CAROL {")
    change(maint, '"G"', '"Q"')
    assert "HCPDIR9031W /users/CAROL/classes has a letter that is no privilege class A to H" in maint.cms("DIRECTXA")
    maint.cms("DIRECTXA (GET REPLACE")
    change(maint, "BOB {", "CAROL { /* once BOB */")
    assert "DMSDIR9032E" in alice.cms("DIRECTXA USER DIRECT A (GET")

    alice.cms("PIPE literal hers| > HERS TEXT A")
    change(maint, "$6$rounds=1000$vmn.bob$MNbo.UE2nP9fzxifKCD7zyGWLpohhWXzejkLRoswbjrNcg7osp9/cjV/MlPugAvUZ/"
                  "FfYcA/VIdjUs7PbQvy60", hashed("new"))
    said = maint.cms("DIRECTXA")
    assert "DIRECTORY REPLACED: 4 USERS, 6 MINIDISKS, 6 LINKS" in said, said
    assert "hers" in alice.cms("TYPE HERS TEXT A")
    other.type("LOGON BOB")
    other.type("vmn")
    other.expect("HCPLGA050E")
    other.logon("CAROL", "new")
    assert "DASD 0191" in other.cms("CP QUERY VIRTUAL 191")
    assert "DIRECTORY REPLACED, NUMBER 2" in maint.cms("CP QUERY AUDIT 20")
    maint.type("#CP LOGOFF")
    maint.expect(LOGON_PROMPT)
    maint.logon("OPERATOR")
    maint.type("#CP SHUTDOWN")
    assert m.wait() == 0

    m = start(machine, disk, "--machine", emulator, lines=1)
    m.line(1).logon("CAROL", "new")


@pytest.mark.parametrize("emulator", ["bochs"])
def test_a_cut_while_the_directory_is_replaced_leaves_one_of_the_two(machine_name, tmp_path, emulator):
    rng = random.Random(SEED)
    disk = new_disk(tmp_path / "disk.img")
    print(f"VMN_SEED={SEED}")
    for cut in range(CUTS):
        with harness.Machine(f"{machine_name}-{cut}", "--disk", disk, "--machine", emulator) as m:
            line = m.console
            line.expect(LOGON_PROMPT, timeout=harness.BOOT_SECONDS)
            line.logon("MAINT")
            line.cms("DIRECTXA (GET REPLACE")
            assert line.code == 0
            line.type("DIRECTXA")
            time.sleep(rng.random() / 4)
            m.power_cut()
        mkimage = os.path.join(harness.ROOT, "build", "mkimage")
        checked = subprocess.run([mkimage, "--check", disk], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 check=False)
        said = checked.stdout.decode()
        assert "4 users, 6 minidisks" in said, f"cut {cut}: {said}"
