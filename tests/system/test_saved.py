"""A saved system: machines that IPL it share its pages, and what one writes shows at no other."""
import os
import subprocess

import harness
import pytest
from harness import guest

AS_SAVED = "stored string exchanged, constant, zeros none, code 1"
ALTERED = "Stored xxxxng Exchanged, Constant, zeros some, code 2"


class Users:
    """ALICE and BOB at CP's prompt, on lines 2 and 3; OPERATOR on line 1 counts frames."""

    PAYLOAD = "saved"

    def __init__(self, machine, tmp_path, *options):
        self.machine = machine("--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "3",
                               "--module", guest(self.PAYLOAD), *options)
        self.line = {user: self.machine.line(n) for n, user in enumerate(("OPERATOR", "ALICE", "BOB"), 1)}
        for line in self.line.values():
            line.expect("Enter LOGON", timeout=2 * harness.BOOT_SECONDS)

    def logon(self, user):
        self.line[user].type(f"LOGON {user} NOIPL")
        self.line[user].expect("(?i)password")
        self.line[user].type("vmn")
        self.line[user].expect("LOGON AT.*CP> ", timeout=60)

    def ipl(self, user):
        self.line[user].type("IPL SAVED")
        self.line[user].expect_exact("first: " + AS_SAVED, timeout=60)

    def end(self, user):
        self.line[user].send(".")
        self.line[user].expect_exact("later: " + ALTERED)
        self.line[user].expect("CP> ", timeout=60)

    def pages(self, user):
        """RES and PRIVATE of INDICATE USER."""
        self.line["OPERATOR"].type("INDICATE USER " + user)
        self.line["OPERATOR"].expect(r"RES=(\d+) PRIVATE=(\d+) ")
        return tuple(map(int, self.line["OPERATOR"].match.groups()))


EITHER = pytest.mark.parametrize("options", [("--machine", "bochs"), ("--machine", "tcg")], ids=["bochs", "tcg"])


@EITHER
def test_what_one_writes_into_its_system_shows_at_no_other(machine, tmp_path, options):
    users = Users(machine, tmp_path, *options)
    for user in ("OPERATOR", "ALICE", "BOB"):
        users.logon(user)
    alice, bob = users.line["ALICE"], users.line["BOB"]
    users.ipl("ALICE")
    users.ipl("BOB")
    resident, private = users.pages("BOB")
    bob.send(".")
    bob.expect_exact("then: " + ALTERED)
    assert users.pages("BOB") == (resident, private + 5)  # copies of the five; what was zero was his own
    alice.send(".")
    alice.expect_exact("then: " + ALTERED)
    users.end("BOB")
    users.ipl("BOB")  # again, and beside who wrote
    users.end("ALICE")
    bob.type("#CP STORE 101000 00")
    bob.expect("(?i)store complete")
    users.ipl("ALICE")


@EITHER
def test_a_cp_in_a_machine_keeps_its_system_as_saved(machine, tmp_path, options):
    disk = str(tmp_path / "disk.img")
    subprocess.run([os.path.join(harness.ROOT, "scripts", "tower"), "2", disk], check=True)
    top = machine("--disk", disk, "--logon", "CP2", "--lines", "1", "--module", guest("saved"), *options).console
    top.expect(harness.READY, timeout=2 * harness.BOOT_SECONDS)
    top.type("CP IPL SAVED")
    for turn in range(2):
        top.expect_exact("first: " + AS_SAVED, timeout=60)
        top.send(".")
        top.expect_exact("then: " + ALTERED, timeout=60)
        top.send(".")
        top.expect("CP> ", timeout=60)
        if not turn:
            top.type("IPL SAVED")
