"""CMS with CP beneath it: what CP knows, what comes and goes while CMS runs, what CMS costs."""
import re

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
