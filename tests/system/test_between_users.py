"""What passes from one user to another, on a whole machine: words, and nothing that a terminal obeys; and nothing at
all of a session that is over. The unit tests of cp/session go through every byte and every moment."""
import re

import harness
import pytest
from harness import READY, guest

EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])
OBEYED = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|[\x80-\xff]")


def start(machine, tmp_path, emulator, *options):
    m = machine("--machine", emulator, "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "3", *options)
    lines = [m.line(n) for n in (1, 2, 3)]
    for line in lines:
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    return lines


def logon(line, user):
    line.type(f"LOGON {user} NOIPL")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect("CP> ")


@EITHER
def test_a_message_of_any_bytes_is_words_on_the_operators_terminal(machine, tmp_path, emulator):
    operator, bob, _ = start(machine, tmp_path, emulator, "--module", guest("message"))
    logon(operator, "OPERATOR")
    logon(bob, "BOB")
    operator.expect("LOGON      AS BOB[^\n]*\n")
    bob.type("IPL MESSAGE")
    bob.expect(r"(\d+) of 500")
    sent = int(bob.match.group(1))
    assert 0 < sent < 100, "no more than forty at once, and ten a second"
    bob.expect("all is said")
    said = operator.expect("<flood>")
    assert said.count("MSG FROM BOB") == 10
    assert "< !\"#$%&'()*+,-./0123456789:;<=>?>" in said and "<@ABC" in said and "xyz{|}~?>" in said
    smile = "\xf0\x9f\x98\x80"
    assert "<??2J?????" + smile + ">" in said
    assert not OBEYED.search(said.replace(smile, ""))


@EITHER
def test_a_program_is_told_by_smsg_and_the_console_of_who_left_by_send(machine, tmp_path, emulator):
    operator, alice, _ = start(machine, tmp_path, emulator)
    logon(operator, "OPERATOR")
    alice.logon("ALICE")
    operator.type("SMSG ALICE too early")
    operator.expect("HCPMFS057I ALICE not receiving; SMSG OFF")
    alice.cms("CP SET SMSG ON")
    operator.type("SMSG ALICE start  job 7")
    operator.expect("job 7\r\nCP> ")
    assert "00000004OPERATORstart  job 7\r\n" in alice.cms("PIPE STARMSG | CONSOLE")
    assert "0000000" not in alice.cms("PIPE STARMSG | CONSOLE").replace("\r", "")
    operator.type("SEND ALICE ERASE ALL FILES")
    operator.expect("HCPSND9046E ALICE is at a terminal")
    alice.type("#CP DISCONNECT")
    alice.expect("CP> ")
    operator.type("SEND ALICE PIPE LITERAL by OPERATOR | > SENT NOTE A")
    operator.expect("NOTE A\r\nCP> ")
    operator.type("SEND CP ALICE QUERY TIME")
    operator.expect("TIME\r\nCP> ")
    alice.type("LOGON ALICE")
    alice.expect("(?i)password")
    alice.type("vmn")
    alice.expect("TIME IS ")
    said = alice.cms("TYPE SENT NOTE")
    if "by OPERATOR" not in said:  # that was the Ready of the pipeline
        said = alice.expect(READY)
    assert "by OPERATOR" in said


@EITHER
def test_the_next_user_of_a_terminal_sees_nothing_of_the_one_before(machine, tmp_path, emulator):
    operator, line, _ = start(machine, tmp_path, emulator)
    logon(operator, "OPERATOR")
    line.logon("ALICE")
    line.type("#CP QUERY TIME")
    line.expect("TOTCPU=")
    line.send("WHAT ALICE TYPED")
    line.expect("TYPED")
    operator.type("FORCE ALICE")
    line.expect("LOGOFF AT")
    line.expect("CP> ")
    logon(line, "BOB")
    line.send("\x1b[A\x1b[A")  # BOB's history, which is empty
    line.type("IPL CMS")
    said = line.expect(harness.READY)
    line.type("#CP")
    said += line.expect("CP> ")
    line.type("BEGIN")
    said += line.cms("QUERY DISK")
    assert "ALICE" not in said and "TYPED" not in said and "QUERY TIME" not in said


def test_names_labels_and_records_on_a_disk_bring_no_control_character_to_who_looks_at_it(machine, tmp_path):
    """Whoever had the disk may have written anything there: ESC in a name, in the label, and with CSI of either kind in
    a record. A letter of UTF-8 that has the byte of CSI passes."""
    escape = b"\x27"  # in EBCDIC
    image, text = harness.new_disk(tmp_path / "disk.img"), tmp_path / "text"
    text.write_bytes(b"one \x1b[2J \x9b31m \xc2\x9b31m \x07 \xc4\x9b two\n")
    for name in (("EVILNAME", "EVILTYPE"), ("GOOD", "NAME")):
        harness.cmsdisk(image, "ALICE", "191", "put", str(text), *name)
    with open(image, "r+b") as volume:
        data = volume.read()
        for was, now in (("EVILNAME", "Y2JANAME"), ("EVILTYPE", "]0;ATYPE"), ("ALI191", "Y2JALA")):
            assert was.encode("cp500") in data
            data = data.replace(was.encode("cp500"), escape + now.encode("cp500")[1:])
        volume.seek(0)
        volume.write(data)
    line = machine("--machine", "tcg", "--disk", image, "--lines", "1").console
    line.logon("ALICE")
    said = "".join(line.cms(command) for command in (
        "LISTFILE * * A (LABEL", "QUERY DISK", "PIPE cms listfile | console", "TYPE GOOD NAME A",
        "PIPE < good name a | console"))
    assert "2JANAME" in said and "2JALA" in said and said.count("two") == 2, said
    assert said.count("\xc4\x9b") == 2, said
    assert not OBEYED.search(said.replace("\xc4\x9b", "").replace("\xc2.", "")), said
