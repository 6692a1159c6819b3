"""x87 and vector state of one user's machine is no other's, in every component a guest can enable:
tests/guest/vector.c in the place of CMS. QEMU lets a guest have MPX and PKRU though CP offers neither their
instructions nor sees its XSETBV."""
import subprocess

import harness
import pytest
from harness import ROOT, guest

PLACES = [("bochs", "e7"), ("tcg", "21f")]
PAYLOAD = {"VMN_CMS": guest("vector")}


def logon(line, user, components):
    line.type("LOGON " + user)
    line.expect("(?i)password")
    line.type("vmn")
    line.expect(f"components {components}\r")
    line.expect("ready")


def finds_nothing(line):
    line.type("g")
    said = line.expect("looked", timeout=60)
    assert said.count("round: 0 components of another's") == 4
    assert "FOUND" not in said and "LOST" not in said


def start(machine, tmp_path, emulator):
    m = machine("--machine", emulator, "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "3", env=PAYLOAD)
    lines = [m.line(n) for n in (1, 2, 3)]
    for line in lines:
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    return lines


@pytest.mark.parametrize("emulator, components", PLACES)
def test_two_machines_side_by_side_have_their_own_components_or_none(machine, tmp_path, emulator, components):
    _, alice, bob = start(machine, tmp_path, emulator)
    logon(alice, "ALICE", components)
    logon(bob, "BOB", components)
    finds_nothing(alice)
    alice.type("s")
    alice.expect("secrets are kept")
    finds_nothing(bob)
    alice.type("#CP QUERY TIME")  # by now she was taken from the processor a hundred times
    assert "LOST" not in alice.expect("TIME IS")
    bob.type("s")
    bob.expect("secrets are kept")
    alice.type("#CP QUERY TIME")
    assert "LOST" not in alice.expect("TIME IS")


@pytest.mark.parametrize("emulator, components", PLACES)
def test_nothing_is_left_of_a_machine_that_was_reset_or_is_gone(machine, tmp_path, emulator, components):
    operator, alice, bob = start(machine, tmp_path, emulator)
    logon(alice, "ALICE", components)
    alice.type("s")
    alice.expect("secrets are kept")
    alice.type("#CP IPL CMS")
    alice.expect("ready")
    finds_nothing(alice)
    for end in ("#CP LOGOFF", "FORCE ALICE"):
        alice.type("s")
        alice.expect("secrets are kept")
        if end == "FORCE ALICE":
            operator.type("LOGON OPERATOR NOIPL")
            operator.expect("(?i)password")
            operator.type("vmn")
            operator.expect("CP> ")
            operator.type(end)
        else:
            alice.type(end)
        alice.expect("LOGOFF AT ")
        logon(bob, "BOB", components)
        finds_nothing(bob)
        bob.type("#CP LOGOFF")
        bob.expect("LOGOFF AT ")
        bob.expect("CP> ")
        alice.expect("CP> ")
        logon(alice, "ALICE", components)
        finds_nothing(alice)


@pytest.mark.parametrize("emulator, components", PLACES)
def test_users_of_a_cp_that_is_a_guest_itself_have_their_own_too(machine, tmp_path, emulator, components):
    """The CP in the middle sees of QEMU's XSETBVs no more than the lowest does, and knows it from that one."""
    disk = str(tmp_path / "tower.img")
    subprocess.run([f"{ROOT}/scripts/tower", "2", disk], check=True)
    top = machine("--machine", emulator, "--disk", disk, "--logon", "CP2", "--lines", "1", env=PAYLOAD).console
    top.expect(f"components {components}\r", timeout=harness.BOOT_SECONDS)
    top.expect("ready")
    top.type("d")
    top.expect("DISCONNECT AT .*VM/N ONLINE")
    logon(top, "BOB", components)
    finds_nothing(top)


@pytest.mark.parametrize("emulator, components", PLACES)
def test_what_a_machine_hid_before_its_reset_is_cleared_for_one_that_has_some_of_it(machine, tmp_path, emulator,
                                                                                    components):
    m = machine("--machine", emulator, "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "3",
                "--module", guest("vector"))
    lines = [m.line(n) for n in (1, 2, 3)]
    for line in lines:
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    operator, alice, bob = lines
    for line, user in ((operator, "OPERATOR"), (alice, "ALICE"), (bob, "BOB")):
        line.type(f"LOGON {user} NOIPL")
        line.expect("(?i)password")
        line.type("vmn")
        line.expect("CP> ")
    bob.type("IPL VECTOR PARM avx")
    bob.expect("components 7\r")
    bob.expect("ready")
    bob.type("s")
    bob.expect("secrets are kept")
    for command in ("SYSTEM RESET", "SYSTEM CLEAR"):
        alice.type("IPL VECTOR")
        alice.expect(f"components {components}\r")
        alice.expect("ready")
        alice.type("s")
        alice.expect("secrets are kept")
        alice.type("#CP " + command)
        alice.expect("ystem reset.")
        alice.expect("CP> ")
        bob.type("#CP QUERY TIME")
        assert "LOST" not in bob.expect("TIME IS")
        operator.type("QUERY TIME")
        operator.expect("TIME IS")
