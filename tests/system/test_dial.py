"""DIAL: from a terminal of the first level one logs on to a CP in another user's machine, from there to the next, and
comes back; whoever is thrown out, floods or hangs up leaves nothing."""
import subprocess
import termios
import time

import pexpect
import pytest

import harness
from harness import READY, ROOT
from test_ssh import free_port

EITHER = pytest.mark.parametrize("host", ["bochs", "tcg"])
GREETING = "VM/N ONLINE"


def tower(place, depth):
    """Each CP but the innermost has a user CP2 with lines, whose machine is the next CP."""
    disk = str(place / "tower.img")
    subprocess.run([f"{ROOT}/scripts/tower", str(depth), disk], check=True)
    return disk


def dial(line, times=1):
    for _ in range(times):
        line.type("DIAL CP2")
        line.expect_exact("DIALED TO CP2 02F8")
        line.expect_exact(GREETING)
        line.expect_exact("CP> ")


def undial(line, command="#CP UNDIAL"):
    line.type(command)
    line.expect_exact("DROPPED FROM CP2 02F8")
    line.expect_exact(GREETING)
    line.expect_exact("CP> ")


def logon(line, user):
    line.type(f"LOGON {user} NOIPL")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect_exact("CP> ")


def shows_width(line, columns):
    """CP at the line's other end knows it, sooner or later."""
    for _ in range(100):
        line.type("QUERY TERMINAL")
        line.expect(r"LINESIZE (\d+)")
        if int(line.match.group(1)) == columns:
            return
        time.sleep(0.1)
    pytest.fail(f"not {columns} columns")


@EITHER
def test_one_dials_a_cp_and_from_there_the_next_works_and_comes_back(machine, tmp_path, host):
    m = machine("--machine", host, "--disk", tower(tmp_path, 3), "--logon", "CP2", "--lines", "2")
    m.console.expect(READY, timeout=harness.BOOT_SECONDS)  # the machine of the third level's ALICE: all three are up
    line = m.line(2)
    dial(line)
    logon(line, "OPERATOR")  # of the second level
    line.type("QUERY NAMES")
    line.expect_exact("OPERATOR - L0002")
    for columns in (100, 90):  # of the terminal's window
        termios.tcsetwinsize(line.child.child_fd, (50, columns))
        shows_width(line, columns)
    line.type("LOGOFF HOLD")
    line.expect_exact(GREETING)
    dial(line)
    line.logon("BOB", timeout=60)
    assert "LEVEL 3: BOB " in line.cms("CP QUERY NEST")
    assert "PAGELENGTH 050, LINESIZE 090" in line.cms("CP QUERY TERMINAL")  # at the third level
    line.cms("PIPE literal dialed| > HERE TEXT A")
    for hashes, names in (("###", "ALICE    - L0001, BOB      - L0002"), ("##", "HCPCFC9029E QUERY is not valid now"),
                          ("#", "HCPCFC9029E QUERY is not valid now")):
        line.type(hashes + "CP QUERY NAMES")
        line.expect_exact(names)
    m.console.type("#CP QUERY LINES")
    m.console.expect_exact("LINE 02F8 ON L0002 ")
    m.console.expect_exact("LINE 03E8 ENABLED ")
    undial(line, "##CP UNDIAL")  # back to the second level
    dial(line)
    undial(line)  # and to the first
    dial(line, 2)
    line.type("LOGON BOB")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect_exact("RECONNECTED AT")
    line.expect_exact("HERE TEXT A")  # the last screen
    line.expect(READY)
    assert "dialed" in line.cms("TYPE HERE TEXT A")
    line.type("LOGOFF")  # the third level hangs up on its caller, who is the second level's again
    line.expect_exact("DROPPED FROM CP2 02F8")
    line.expect_exact(GREETING)
    for end in ("RESET 2F8", "SYSTEM RESET"):  # and out, all the way
        m.console.type("#CP " + end)
        line.expect_exact("DROPPED FROM CP2 02F8")
        line.expect_exact(GREETING)
        line.type("DIAL CP2")
        line.expect_exact("DIALED TO CP2 02F8" if end == "RESET 2F8" else "HCPDIA055E")


def frames(operator):
    """Those that are free, once they are as many three times in turn."""
    said = []
    while len(said) < 3 or len(set(said[-3:])) > 1:
        assert len(said) < 50, said
        operator.type("INDICATE LOAD")
        operator.expect(r"FREE-(\d+) CP-(\d+)")
        said.append(int(operator.match.group(1)))
        operator.expect_exact("CP> ")
        time.sleep(0.1)
    return said[-1]


def autolog(operator):
    operator.type("XAUTOLOG CP2")
    operator.expect_exact("AUTO LOGON  ***  CP2")


def dial_when_up(line):
    """The CP there takes calls once it has its directory."""
    for _ in range(200):
        line.type("DIAL CP2")
        if line.child.expect(["DIALED TO", "HCPDIA055E"]) == 0:
            line.expect_exact(GREETING, timeout=60)
            line.expect_exact("CP> ")
            return
        time.sleep(0.3)
    pytest.fail("it takes no calls")


def flood(line):
    """Output for a long time, and what is typed meanwhile."""
    line.send("SET FULLSCREEN OFF\r" + "EEL QUERY\r" * 300)
    line.expect_exact("BZIMAGE")


def test_one_dials_on_through_cps_that_have_no_volume(machine, tmp_path):
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "3")
    for number in 2, 3:
        m.line(number)
    for number in 1, 2, 3:
        m.line(number).expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    maint, second, third = (m.line(number) for number in (1, 2, 3))
    maint.logon("MAINT")
    maint.type("IPL CP")
    maint.expect_exact(GREETING, timeout=60)
    second.type("DIAL MAINT")
    second.expect_exact("DIALED TO MAINT 02F8")
    logon(second, "OPERATOR")
    second.type("IPL CP")
    second.expect_exact(GREETING, timeout=60)
    third.type("DIAL MAINT")
    third.expect_exact("DIALED TO MAINT 03E8")
    third.expect_exact("CP> ")
    third.type("DIAL OPERATOR")
    third.expect_exact("DIALED TO OPERATOR 02F8")
    logon(third, "OPERATOR")
    third.type("QUERY NEST")
    third.expect_exact("LEVEL 3: OPERATOR")


def test_callers_who_race_flood_and_hang_up_leave_frames_and_neighbours_as_they_were(machine, tmp_path):
    m = machine("--machine", "tcg", "--disk", tower(tmp_path, 2), "--lines", "3")
    operator, one, two = (m.line(n) for n in (1, 2, 3))
    for line in (operator, one, two):
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    logon(operator, "OPERATOR")
    autolog(operator)  # the first time CP takes what it keeps: a session more, and what serves guests of guests
    dial_when_up(one)
    operator.type("FORCE CP2")
    one.expect_exact("DROPPED FROM CP2 02F8")
    before = frames(operator)
    autolog(operator)
    dial_when_up(one)
    two.type("DIAL CP2 2F8")
    two.expect_exact("HCPDIA056E Line 02F8 busy on CP2")
    two.type("DIAL CP2")
    two.expect_exact("DIALED TO CP2 03E8")
    two.expect_exact(GREETING)
    one.logon("BOB", timeout=60)
    flood(one)
    operator.type("QUERY TIME")
    operator.expect_exact("TIME IS", timeout=10)
    undial(one)
    dial(one)
    one.type("LOGON BOB")
    one.expect("(?i)password")
    one.type("vmn")
    one.expect_exact("RECONNECTED AT")
    flood(one)
    two.type("LOGON BOB HERE")
    operator.type("FORCE CP2")
    for line, port in ((one, "02F8"), (two, "03E8")):
        line.expect_exact("DROPPED FROM CP2 " + port)
        line.expect_exact(GREETING)
        line.expect_exact("CP> ")
    assert frames(operator) == before
    operator.type("QUERY USERS")
    operator.expect_exact("1 USERS, 0 DIALED")


def test_a_visitor_by_ssh_dials_too(machine, tmp_path):
    port = free_port()
    m = machine("--machine", "tcg", "--disk", tower(tmp_path, 2), "--logon", "CP2", "--ssh", port, "--ssh-state",
                str(tmp_path / "state"), clock="real")
    m.console.expect(READY, timeout=60)
    child = pexpect.spawn("ssh", ["-F", "none", "-p", port, "-o", "StrictHostKeyChecking=no", "-o",
                                  f"UserKnownHostsFile={tmp_path}/hosts", "-o", "LogLevel=ERROR", "-tt",
                                  "anybody@127.0.0.1"], encoding="latin-1", timeout=30)
    with open(tmp_path / "ssh", "w", encoding="latin-1") as log:
        visitor = harness.Line(child, log)
        visitor.expect("ENTER PASSWORD", timeout=60)  # the name is typed for them
        visitor.send("\3")
        dial(visitor)
        visitor.logon("BOB", timeout=60)
        assert "LEVEL 2: BOB " in visitor.cms("CP QUERY NEST")
        child.kill(9)
        child.close()
        for _ in range(100):
            m.console.type("#CP QUERY LINES")
            if m.child.expect(["LINE 02F8 ENABLED", "LINE 02F8 ON "]) == 0:
                break
        else:
            pytest.fail("the line is not hung up")
