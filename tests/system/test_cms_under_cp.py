"""CMS with CP beneath it: what CP knows, what comes and goes while CMS runs, what CMS costs."""
import re
from itertools import groupby

import pytest

import harness


@pytest.fixture
def alice(machine, tmp_path):
    m = machine("--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "1")
    m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    m.console.logon("ALICE")
    return m.console


def test_cp_answers_what_cms_does_not_know(alice):
    assert re.search(r"ALICE +AT ", alice.cms("QUERY USERID"))
    assert "CONNECT=" in alice.cms("QUERY TIME")
    assert "STORAGE = " in alice.cms("CP QUERY VIRTUAL STORAGE")
    assert alice.code == 0
    assert "Unknown CP/CMS command" in alice.cms("FROBNICATE")
    assert alice.code == -3
    assert "HCPCMD001E" in alice.cms("CP FROBNICATE")
    assert alice.code == 1
    alice.cms("SET IMPCP OFF")
    assert "Unknown CP/CMS command" in alice.cms("INDICATE")


def test_a_disk_may_be_detached_and_linked_again_while_it_is_accessed(alice):
    alice.cms("PIPE LITERAL still here| > A FILE A")
    alice.cms("CP DETACH 191")
    assert "DMSTYP125S" in alice.cms("TYPE A FILE A")
    assert alice.code == 100
    alice.cms("ERASE A FILE A")
    assert alice.code == 100
    assert "DMSACP113S A(191) not attached or invalid device address" in alice.cms("ACCESS 191 A")
    alice.cms("CP LINK * 191 191 MR")
    alice.cms("ACCESS 191 A")
    assert alice.code == 0
    assert "still here" in alice.cms("TYPE A FILE A")


def test_a_logged_on_user_keeps_little_storage(alice):
    alice.cms("LISTFILE * * *")
    pages = int(re.search(r"PRIVATE=0*(\d+)", alice.cms("INDICATE USER")).group(1))
    assert pages * 4096 <= 2 << 20


LINES = 400


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_what_is_shown_comes_whole_and_in_order_however_late_it_is_read(machine, tmp_path, emulator):
    """More than every buffer on its way: the console is full again and again, on a UART or a port."""
    disk, text = harness.new_disk(tmp_path / "disk.img"), tmp_path / "text"
    lines = [f"{n:079}" for n in range(LINES)]
    text.write_text("".join(line + "\n" for line in lines))
    harness.cmsdisk(disk, "ALICE", "191", "put", str(text), "BIG", "TEXT")
    m = machine("--machine", emulator, "--disk", disk, "--lines", "2")
    alice = m.line(2)
    alice.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    alice.logon("ALICE")
    alice.type("TYPE BIG TEXT A")
    operator = m.line(1)
    operator.logon("OPERATOR")  # meanwhile nobody reads ALICE's line
    operator.cms("CP MSG ALICE HELLO")
    said = alice.expect(harness.READY, timeout=60)
    shown = re.findall(r"\d{79}", said)
    assert [line for line, _ in groupby(shown)] == lines  # one that a message breaks is shown again
    said += alice.cms("TYPE BIG TEXT A", timeout=60)
    assert re.findall(r"^(\d{79})\r+$", said, re.M)[-LINES:] == lines
    assert "MSG FROM OPERATOR" in said
    for n in range(3):  # no byte of what is short waits for more
        assert alice.cms(f"CP MSG * {n}").count("MSG FROM ALICE") == 1
