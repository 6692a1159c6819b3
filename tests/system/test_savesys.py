"""Systems saved by command: DEFSYS, SAVESYS, IPL of them by others, and over restarts and power cuts."""
import os
import re
import time

import harness
import pytest
from test_saved import ALTERED, AS_SAVED, EITHER, Users

DEFINED = "HCPNSD440I Named Saved System (NSS) {} was successfully defined"
SAVED = "HCPNSS440I Named Saved System (NSS) {} was successfully saved"


def save(users, name, *operands, user="OPERATOR"):
    """What that user's machine is now, under a name."""
    line = users.line[user]
    line.type(f"#CP DEFSYS {name} {' '.join(operands)}")
    line.expect_exact(DEFINED.format(name), timeout=60)
    line.type(f"#CP SAVESYS {name}")
    line.expect_exact(SAVED.format(name), timeout=60)


def begin(users, name="POINT"):
    """OPERATOR's machine waits for a key, and is saved there; the others are at CP's prompt."""
    for user in ("OPERATOR", "ALICE", "BOB"):
        users.logon(user)
    users.ipl("OPERATOR")
    save(users, name, "0-7FF EW PARMREGS=NONE")


@EITHER
def test_a_machine_saved_by_command_goes_on_in_others_and_they_see_nothing_of_each_other(machine, tmp_path, options):
    users = Users(machine, tmp_path, *options)
    begin(users)
    for user in ("ALICE", "BOB", "OPERATOR"):  # the last in the machine that was saved
        line = users.line[user]
        if user != "OPERATOR":
            line.type("IPL POINT")
            line.expect("IPL POINT")
        line.send(".")
        line.expect_exact("then: " + ALTERED, timeout=60)
    users.end("ALICE")
    users.line["ALICE"].type("IPL POINT")
    users.line["ALICE"].send(".")
    users.line["ALICE"].expect_exact("then: " + ALTERED, timeout=60)


# ---- whatever way is written -----------------------------------------------------------------------------------------

AS_WRITTEN = "wwwwwwwwwwww"


class Writers(Users):
    """The same three with a system that saves itself, and writes by every way when told to."""

    PAYLOAD = "cow"

    def __init__(self, machine, tmp_path, *options):
        super().__init__(machine, tmp_path, *options)
        # the last: flags that a walk sets in a page table. Bochs sets them although EPT forbids it (docs/machine.md)
        self.as_saved = "..........." + ("[.w]" if "bochs" in options else "[.]")

    def goes_on(self, user, first):
        self.line[user].expect_exact(first, timeout=60)
        self.line[user].expect_exact(f"in {user:8}")
        self.sees(user, self.as_saved)

    def sees(self, user, pages, key=""):
        self.line[user].send(key)
        self.line[user].expect("pages " + pages.replace("...........", r"\.{11}") + "\r\n", timeout=60)

    def commands(self, user, *commands):
        """From within the system: the first begins a line."""
        self.line[user].send("\r")
        self.line[user].expect("pages")
        for command in commands:
            self.line[user].type("#CP " + command)


@EITHER
def test_no_way_of_writing_into_a_saved_system_shows_at_who_else_has_it(machine, tmp_path, options):
    users = Writers(machine, tmp_path, *options)
    operator, alice, bob = (users.line[user] for user in ("OPERATOR", "ALICE", "BOB"))
    for user in ("OPERATOR", "ALICE", "BOB"):
        users.logon(user)
    operator.type("IPL COW")
    users.goes_on("OPERATOR", "not from a saved system: 0 0")
    alice.type("IPL COW PARM of two")
    users.goes_on("ALICE", "told COW of two, 32768 KiB")
    users.sees("ALICE", AS_WRITTEN, "w")
    bob.type("IPL COW")
    users.goes_on("BOB", "told COW, 32768 KiB")
    users.sees("OPERATOR", users.as_saved, ".")
    users.sees("OPERATOR", AS_WRITTEN, "w")
    users.sees("BOB", users.as_saved, ".")
    users.commands("OPERATOR", "DEFSYS COW 0-7FF EW PARMREGS=NONE", "SAVESYS COW")
    operator.expect("COW not saved: the machine runs virtual machines of its own", timeout=60)
    users.commands("BOB", "IPL COW")
    users.goes_on("BOB", "told COW, 32768 KiB")
    users.sees("BOB", AS_WRITTEN, "w")
    users.sees("ALICE", AS_WRITTEN, ".")


@EITHER
def test_who_is_in_a_system_that_is_replaced_or_purged_keeps_it(machine, tmp_path, options):
    users = Users(machine, tmp_path, *options)
    begin(users)
    operator, alice, bob = (users.line[user] for user in ("OPERATOR", "ALICE", "BOB"))
    alice.type("IPL POINT")
    operator.send(".")
    operator.expect_exact("then: " + ALTERED, timeout=60)
    operator.send("\r")
    operator.expect("CP> ", timeout=60)
    operator.type("IPL SAVED")
    operator.expect_exact("first: " + AS_SAVED, timeout=60)
    save(users, "POINT", "0-6FF EW PARMREGS=NONE")
    bob.type("IPL POINT")
    bob.send(".")
    bob.expect_exact("then: " + ALTERED, timeout=60)
    operator.type("#CP QUERY NSS")
    operator.expect(r"POINT +\d+ +\d+ +1  P +8192K OPERATOR", timeout=60)
    operator.expect(r"POINT +\d+ +\d+ +1  A +7168K OPERATOR")
    operator.type("#CP PURGE NSS POINT")
    operator.expect_exact("POINT was successfully purged")
    alice.send(".")
    alice.expect_exact("then: " + ALTERED, timeout=60)
    users.end("ALICE")
    alice.type("IPL POINT")
    alice.expect_exact("HCPNSS9014E Named saved system POINT does not exist")
    alice.type("SYSTEM CLEAR")
    alice.expect("Storage cleared", timeout=60)
    for _ in range(60):  # its frames go back a few at a time
        operator.type("#CP QUERY NSS")
        operator.expect(r"USERS CL(.*)POINT +\d+ +\d+ +1  P +7168K OPERATOR", timeout=60)
        if "8192K" not in operator.match.group(1):
            return
        time.sleep(1)
    pytest.fail("what nobody has any more stays")


# ---- on the volume ---------------------------------------------------------------------------------------------------

def nss_area(disk):
    """Offset of the area in the image."""
    with open(os.path.join(harness.ROOT, "images", "directory.dts"), encoding="ascii") as source:
        return 4096 * int(re.search(r"nss \{ extent = <(\d+) ", source.read()).group(1))


class Kept:
    """A disk on which OPERATOR saved POINT and OTHER."""

    def __init__(self, machine, tmp_path, *options):
        self.machine, self.options = machine, options
        self.disk = tmp_path / "disk.img"
        users = Users(machine, tmp_path, *options)
        begin(users)
        save(users, "OTHER", "0-7FF EW PARMREGS=NONE")
        users.machine.power_cut()

    def start(self):
        m = self.machine("--disk", str(self.disk), "--lines", "1", *self.options)
        m.console.expect("Enter LOGON", timeout=2 * harness.BOOT_SECONDS)
        m.console.type("LOGON OPERATOR NOIPL")
        m.console.expect("(?i)password")
        m.console.type("vmn")
        m.console.expect("LOGON AT.*CP> ", timeout=60)
        return m.console


@EITHER
def test_a_saved_system_outlives_cp_and_a_damaged_one_costs_itself_only(machine, tmp_path, options):
    kept = Kept(machine, tmp_path, *options)
    with open(kept.disk, "r+b") as image:
        image.seek(nss_area(kept.disk) + 4 * 4096 + 2 * 4096 + 100)  # in a page of the first
        byte = image.read(1)
        image.seek(-1, 1)
        image.write(bytes([byte[0] ^ 1]))
    console = kept.start()
    console.type("QUERY NSS")
    before = console.expect(r"OTHER +\d+ +\d+ +0  A +8192K OPERATOR", timeout=60)
    assert re.search(r"POINT +\d+ +\d+ +0  D", before)
    console.type("IPL OTHER")
    console.send(".")
    console.expect_exact("then: " + ALTERED, timeout=60)
    with open(console.child.logfile_read.name, encoding="latin-1") as shown:
        assert "HCPNSS9102W Named saved system POINT is lost: a block of it is damaged" in shown.read()


# ---- a CMS that somebody used ----------------------------------------------------------------------------------------

def typed(m, number, user):
    line = m.line(number)
    line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    line.logon(user)
    return line


@pytest.mark.parametrize("by", ["#CP SAVESYS USED", "CP SAVESYS USED"], ids=["attention", "command"])
@pytest.mark.parametrize("host", ["bochs", "tcg"])
def test_a_cms_that_was_saved_while_it_ran_has_the_disks_of_who_ipls_it(machine, tmp_path, host, by):
    m = machine("--machine", host, "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "2")
    operator, alice = typed(m, 1, "OPERATOR"), typed(m, 2, "ALICE")
    operator.cms("PIPE literal of OPERATOR| > OPER FILE A")
    alice.cms("PIPE literal of ALICE| > HERS FILE A")
    operator.type("#CP DEFSYS USED 0-1FFF EW PARMREGS=NONE")
    operator.expect_exact("successfully defined")
    operator.type(by)
    operator.expect_exact("successfully saved", timeout=60)
    operator.type("")
    operator.cms("PIPE literal more of OPERATOR| > OPER2 FILE A")  # who was saved goes on
    for _ in range(2):
        alice.type("#CP IPL USED")
        alice.expect_exact("DMSINI9007I This CMS was saved while it ran", timeout=60)
        alice.expect(harness.READY, timeout=60)
        said = alice.cms("LISTFILE * * A")
        assert "HERS" in said and "OPER" not in said, said
        alice.cms("PIPE literal written by ALICE| > NEW FILE A")
        assert alice.code == 0
    assert "ALICE" in alice.cms("QUERY USERID") + alice.cms("CP QUERY USERID")
    said = operator.cms("LISTFILE * * A")
    assert "OPER2" in said and "NEW" not in said, said
    operator.type("#CP IPL USED")  # in its own machine too, whose disk is not what it was
    operator.expect_exact("DMSINI9007I", timeout=60)
    operator.expect(harness.READY, timeout=60)
    assert "OPER2" in operator.cms("LISTFILE * * A")


DRAW = "sh -c 'head -c 16 /dev/urandom | od -An -tx1'"


def drawn(line):
    return re.search(r"(?: [0-9a-f]{2}){16}", line.cms(DRAW, timeout=60)).group()


@pytest.mark.parametrize("host", ["bochs", "tcg"])
def test_a_cms_that_was_saved_while_it_ran_draws_other_numbers_in_each_machine(machine, tmp_path, host):
    """All go on from one state of its generator, and from one count of the processor."""
    m = machine("--machine", host, "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "2")
    operator, alice = typed(m, 1, "OPERATOR"), typed(m, 2, "ALICE")
    drawn(operator)
    operator.type("#CP DEFSYS USED 0-1FFF EW PARMREGS=NONE")
    operator.expect_exact("successfully defined")
    operator.type("#CP SAVESYS USED")
    operator.expect_exact("successfully saved", timeout=60)
    operator.type("")
    numbers = [drawn(operator)]
    for _ in range(2):
        alice.type("#CP IPL USED")
        alice.expect_exact("DMSINI9007I", timeout=60)
        alice.expect(r"Ready; T=(\d+)\.\d\d/(\d+)\.\d\d ", timeout=60)
        assert max(map(int, alice.match.groups())) < 60  # her own machine's
        numbers.append(drawn(alice))
    assert len(set(numbers)) == 3, numbers
