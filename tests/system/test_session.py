"""What a person does: log on, work in CMS while another works too, log off, shut down,
and find every file the next day."""
import pytest

import harness
from harness import LOGON_PROMPT, READY, cmsdisk, new_disk, start


@pytest.fixture
def disk(tmp_path):
    return new_disk(tmp_path / "disk.img")


def shut_down(m, line, user="OPERATOR"):
    line.logon(user)
    line.type("#CP SHUTDOWN")
    assert m.wait() == 0


def put(line, name, *records):
    """Makes a file of a few records by a pipeline."""
    line.cms(f"PIPE literal {'/'.join(records)}| split /| > {name.lower()}")
    assert line.code == 0


def test_logon_to_ready_and_logoff(machine, disk):
    m = start(machine, disk, lines=1)
    m.console.logon("ALICE")
    assert "ALICE" in m.console.cms("QUERY USERID")
    m.console.type("#CP LOGOFF")
    m.console.expect("LOGOFF AT")
    m.console.expect(LOGON_PROMPT)
    shut_down(m, m.console)


def test_a_wrong_password_is_refused_and_does_not_appear(machine, disk):
    m = start(machine, disk, lines=1)
    m.console.type("LOGON ALICE")
    m.console.expect("PASSWORD")
    m.console.type("sesame")
    said = m.console.expect("HCPLGA050E")
    assert "sesame" not in said
    m.console.expect("CP> ")
    m.console.logon("ALICE")


def test_alice_and_bob_work_at_once_and_find_their_files_again(machine, disk):
    m = start(machine, disk)
    alice, bob = m.line(1), m.line(2)
    alice.logon("ALICE")
    bob.logon("BOB")
    for n in range(1, 6):
        put(alice, f"NOTE{n} TEXT A", f"alice {n}", "second")
        put(bob, f"NOTE{n} TEXT A", f"bob {n}")
    for line, words in ((alice, ["alice 3", "second"]), (bob, ["bob 3"])):
        said = line.cms("TYPE NOTE3 TEXT A")
        assert all(word in said for word in words)
    alice.cms("COPYFILE NOTE1 TEXT A COPY1 TEXT A")
    alice.cms("RENAME NOTE2 TEXT A OTHER TEXT A")
    alice.cms("ERASE NOTE5 TEXT A")
    for line in (alice, bob):
        line.type("#CP LOGOFF")
        line.expect(LOGON_PROMPT)
    shut_down(m, alice)

    for user in ("ALICE", "BOB"):
        assert cmsdisk(disk, user, "191", "check", check=False).returncode == 0
    assert cmsdisk(disk, "ALICE", "191", "get", "COPY1", "TEXT").stdout == b"alice 1\nsecond\n"

    m = start(machine, disk)
    alice, bob = m.line(1), m.line(2)
    alice.logon("ALICE")
    bob.logon("BOB")
    names = [line.split()[0] for line in alice.cms("LISTFILE * TEXT A").splitlines()
             if "TEXT" in line and "*" not in line]
    assert sorted(names) == ["COPY1", "NOTE1", "NOTE3", "NOTE4", "OTHER"]
    assert "alice 2" in alice.cms("TYPE OTHER TEXT A")
    assert "bob 5" in bob.cms("TYPE NOTE5 TEXT A")
    alice.type("#CP LOGOFF")
    alice.expect(LOGON_PROMPT)
    shut_down(m, alice)


def test_a_disconnected_user_comes_back_to_everything(machine, disk):
    m = start(machine, disk)
    m.line(1).logon("ALICE")
    put(m.line(1), "KEPT TEXT A", "still here")
    m.line(1).type("#CP DISCONNECT")
    m.line(1).expect("DISCONNECT AT")
    m.line(2).type("LOGON ALICE")
    m.line(2).expect("PASSWORD")
    m.line(2).type("vmn")
    m.line(2).expect("RECONNECTED AT")
    m.line(2).expect("#CP DISCONNECT")  # the last screen
    m.line(2).type("#CP BEGIN")
    m.line(2).type("")
    assert "still here" in m.line(2).cms("TYPE KEPT TEXT A")


def test_users_see_and_message_each_other(machine, disk):
    m = start(machine, disk)
    m.line(1).logon("ALICE")
    m.line(2).logon("BOB")
    said = m.line(1).cms("CP QUERY NAMES")
    assert "ALICE" in said and "BOB" in said
    m.line(1).cms("CP MESSAGE BOB lunch?")
    m.line(2).expect(r"MSG FROM ALICE\s*: lunch\?")


def test_the_operator_sees_who_holds_how_much_storage_and_its_user_does_not(machine, disk):
    m = start(machine, disk)
    operator, alice = m.line(1), m.line(2)
    operator.logon("OPERATOR")
    alice.logon("ALICE")
    said = operator.cms("CP INDICATE USER ALICE")
    assert operator.code == 0 and "USERID=ALICE" in said and "PRIVATE=" in said
    assert "for privilege class E" in alice.cms("CP INDICATE USER OPERATOR")
    assert alice.code == 9016


def test_a_read_only_system_disk_is_shared(machine, disk):
    m = start(machine, disk)
    for number, user in ((1, "ALICE"), (2, "BOB")):
        m.line(number).logon(user)
        said = m.line(number).cms("QUERY DISK")
        assert "190" in said and "R/O" in said and "191" in said and "R/W" in said
        m.line(number).type("ERASE * * S")
        m.line(number).expect(READY)


def test_storage_defined_anew_lasts_through_the_next_ipl(machine, disk):
    line = start(machine, disk, lines=1).line(1)
    line.logon("ALICE")
    line.type("#CP DEFINE STORAGE 64M")
    line.expect_exact("STORAGE = 64M")
    line.expect_exact("Storage cleared - system reset.")
    line.type("IPL CMS")
    line.expect(READY)
    line.type("#CP QUERY VIRTUAL STORAGE")
    line.expect_exact("STORAGE = 64M")
