"""Snapshots of minidisks: of files by CMS, rolled back but for some, over restarts, power cuts and a full area."""
import random
import re
import time

import pytest
from harness import LOGON_PROMPT, new_disk, start

HOSTS = pytest.mark.parametrize("emulator", ["bochs", "tcg"])


def put(line, name, text):
    said = line.cms(f"PIPE literal {text}| > {name}")
    assert line.code == 0, said


def text_of(line, name):
    said = line.cms(f"PIPE < {name} | console")
    return said if line.code == 0 else None


def shut_down(m, line):
    line.type("#CP LOGOFF")
    line.expect(LOGON_PROMPT)
    line.logon("OPERATOR")
    line.type("#CP SHUTDOWN")
    assert m.wait() == 0


@HOSTS
def test_a_disk_goes_back_to_what_it_was_but_for_the_files_that_stay(machine, tmp_path, emulator):
    disk = new_disk(tmp_path / "disk.img")
    m = start(machine, disk, "--machine", emulator, lines=1)
    alice = m.line(1)
    alice.logon("ALICE")
    put(alice, "STORY TEXT A", "once upon a time")
    put(alice, "DAY NOTEBOOK A", "monday")
    assert "DASD 0191 SNAPSHOT 1 TAKEN" in alice.cms("SNAPSHOT TAKE 191 BEFORE")
    put(alice, "STORY TEXT A", "it was a dark night")
    put(alice, "DAY NOTEBOOK A", "tuesday")
    put(alice, "PROFILE EXEC A", "say welcome")
    put(alice, "LATER TEXT A", "not there before")

    said = alice.cms("SNAPSHOT LIST 191")
    row = re.search(r"1 BEFORE +\d\d/\d\d/\d\d \d\d:\d\d:\d\d +(\d+)", said)
    assert row and 0 < int(row.group(1)) < 60, said
    alice.cms("SNAPSHOT LINK 191 BEFORE AS 391")
    assert alice.code == 0
    alice.cms("ACCESS 391 B")
    assert "once upon a time" in text_of(alice, "STORY TEXT B")
    assert text_of(alice, "LATER TEXT B") is None
    alice.cms("ERASE STORY TEXT B")
    assert alice.code == 36  # to read only
    alice.cms("RELEASE B")
    alice.cms("CP DETACH 391")

    said = alice.cms("SNAPSHOT ROLLBACK 191 BEFORE (KEEP PROFILE EXEC * NOTEBOOK", timeout=60)
    assert alice.code == 0 and "DMSSNP9070I 2 file(s) stayed as they were" in said, said
    assert "once upon a time" in text_of(alice, "STORY TEXT A")
    assert "tuesday" in text_of(alice, "DAY NOTEBOOK A")
    assert "say welcome" in text_of(alice, "PROFILE EXEC A")
    assert text_of(alice, "LATER TEXT A") is None
    put(alice, "STORY TEXT A", "and so on")
    shut_down(m, alice)

    m = start(machine, disk, "--machine", emulator, lines=1)
    alice = m.line(1)
    alice.logon("ALICE")
    assert "and so on" in text_of(alice, "STORY TEXT A")
    said = alice.cms("SNAPSHOT ROLLBACK 191 1", timeout=60)
    assert alice.code == 0 and "SNAPSHOT 1 ROLLED BACK TO" in said, said
    assert "monday" in text_of(alice, "DAY NOTEBOOK A") and text_of(alice, "PROFILE EXEC A") is None
    assert "SNAPSHOTS DELETED" in alice.cms("SNAPSHOT DELETE 191 ALL")
    shut_down(m, alice)


def test_another_user_reaches_no_snapshot(machine, tmp_path):
    m = start(machine, new_disk(tmp_path / "disk.img"), "--machine", "tcg")
    alice, bob = m.line(1), m.line(2)
    alice.logon("ALICE")
    bob.logon("BOB")
    alice.cms("SNAPSHOT TAKE 191 MINE")
    said = bob.cms("SNAPSHOT LIST 191")
    assert "MINE" not in said and "0 SNAPSHOTS" in said
    said = bob.cms("SNAPSHOT LINK 191 MINE AS 391")
    assert bob.code == 9112 and "HCPSNP9112E 0191 has no snapshot MINE" in said
    assert "no minidisk of yours" in bob.cms("SNAPSHOT LIST 190")


def test_a_full_area_costs_snapshots_and_never_the_disk(machine, tmp_path):
    m = start(machine, new_disk(tmp_path / "disk.img"), "--machine", "tcg", lines=1)
    alice = m.line(1)
    alice.logon("ALICE")
    alice.cms("SNAPSHOT TAKE 191")
    said = ""
    for i in range(4):  # 200 blocks each, of an area of 254
        said += alice.cms(f"PIPE literal {'x' * 80}| duplicate 9999 | > BIG{i} DATA A", timeout=90)
        assert alice.code == 0, said
    assert "HCPSNP9114W 0191: snapshot 1 is lost, as its area is full" in said
    for i in range(4):
        assert "10000" in alice.cms(f"PIPE < BIG{i} DATA A | count lines | console", timeout=60)
    said = alice.cms("SNAPSHOT LIST 191")
    assert "0 SNAPSHOTS" in said and "LOST, THE LAST OF 1" in said


@HOSTS
def test_the_power_goes_while_a_disk_is_rolled_back(machine, tmp_path, emulator):
    """Each cut leaves all files as before or all as they were; what stays is as it was."""
    chance = random.Random(7)
    disk = new_disk(tmp_path / "disk.img")
    seen = set()
    for cut in range(4):
        m = start(machine, disk, "--machine", emulator, lines=1)
        alice = m.line(1)
        alice.logon("ALICE", timeout=60)
        if cut:
            found = {text_of(alice, f"F{i} DATA A").split("\n")[1].strip() for i in range(6)}
            assert len(found) == 1, found
            seen |= found
            assert f"stays {cut - 1}" in text_of(alice, "KEPT DATA A")
        alice.cms("SNAPSHOT DELETE 191 ALL")
        for i in range(6):
            put(alice, f"F{i} DATA A", "old")
        alice.cms("SNAPSHOT TAKE 191 OLD")
        for i in range(6):
            put(alice, f"F{i} DATA A", "new")
        put(alice, "KEPT DATA A", f"stays {cut}")
        alice.type("SNAPSHOT ROLLBACK 191 OLD (KEEP KEPT DATA")
        time.sleep(chance.random() * 0.4)
        m.power_cut()
    assert seen
