"""A kernel on a minidisk runs by its name in a machine of its own on the same console, and CMS goes on when that ends:
also when the kernel is none, faults three times, or never ends."""
import os
import struct

import pytest

import harness
from harness import LOGON_PROMPT, READY, ROOT, cmsdisk, new_disk, start

MACHINES = ["bochs", "tcg"]
MAGIC = 0x1BADB002


@pytest.fixture
def disk(tmp_path):
    return new_disk(tmp_path / "disk.img")


def put_bytes(disk, path, name, filetype="KERNEL"):
    cmsdisk(disk, "ALICE", "191", "put", "--recfm", "F", "--lrecl", "1", "--binary", str(path), name, filetype)


def put_image(disk, tmp_path, name, data):
    path = tmp_path / name.lower()
    path.write_bytes(data)
    put_bytes(disk, path, name)


def header(flags, *addresses):
    return struct.pack(f"<{3 + len(addresses)}I", MAGIC, flags, -(MAGIC + flags) & 0xFFFFFFFF, *addresses)


@pytest.mark.parametrize("host", MACHINES)
def test_a_kernel_runs_by_its_name_and_cms_goes_on(machine, disk, host):
    put_bytes(disk, harness.guest("hello"), "HELLO")
    line = start(machine, disk, "--machine", host, lines=1).console
    line.logon("ALICE")
    assert "MACHINE (a machine of its own), by its first bytes, MBOOT" in line.cms("EEL QUERY HELLO KERNEL")
    line.cms("PIPE literal kept | > KEPT DATA A")
    for _ in range(3):  # as good as the first time
        said = line.cms("hello one two", 60)
        assert "ok loaded by multiboot" in said and "ok caching is on" in said
        assert line.code == 0
    assert "kept" in line.cms("TYPE KEPT DATA A") and line.code == 0
    line.type("#CP DEFINE STORAGE 128M")  # all that the directory allows
    line.expect("Storage cleared")
    line.type("IPL CMS")
    line.expect(READY, 60)
    said = line.cms("hello", 60)
    assert "DMSPGM9068E HELLO KERNEL A1 not started: CP gives no further machine" in said and line.code == 88
    line.type("#CP LOGOFF")
    line.expect("LOGOFF AT")
    line.expect(LOGON_PROMPT)


@pytest.mark.parametrize("host", MACHINES)
def test_what_is_no_kernel_or_does_not_end_leaves_cms_as_it_was(machine, disk, host, tmp_path):
    put_bytes(disk, harness.guest("spin"), "SPIN")
    put_bytes(disk, harness.guest("triple"), "TRIPLE")
    put_image(disk, tmp_path, "NEEDS", header(8))
    put_image(disk, tmp_path, "BEYOND", header(0x10000, 0x100000, 0x100000, 0x7FFFFFFF, 0, 0x100020))
    put_image(disk, tmp_path, "HIGH", header(0x10000, 0xF0000000, 0xF0000000, 0, 0, 0xF0000000))
    put_image(disk, tmp_path, "NOWHERE", header(0x10000, 0x100000, 0x100000, 0, 0, 0x7FF00000))
    put_image(disk, tmp_path, "NONE", b"no kernel at all")
    put_image(disk, tmp_path, "WILD", header(0x10000, 0x100000, 0x100000, 0, 0, 0x100020) + b"\xf4" * 4096)
    line = start(machine, disk, "--machine", host, lines=1).console
    line.logon("ALICE")
    for name, reason in (("NEEDS", "requires a feature"), ("BEYOND", "loads more than the file holds"),
                         ("HIGH", "does not fit into the storage"), ("NOWHERE", "entry point is not in the storage"),
                         ("NONE", "no multiboot header")):
        said = line.cms(name)
        assert f"HCPVMI9011E {name} cannot be IPLed: " in said and reason in said
        assert line.code == 9011
    said = line.cms("triple", 60)
    assert "HCPGIR453W" in said and line.code == 453
    said = line.cms("wild", 60)  # halts for good at once
    assert "HCPGIR450W" in said and line.code == 450

    line.type("spin")
    line.expect("spinning")
    line.type("#CP QUERY VIRTUAL STORAGE")
    line.expect("STORAGE = 96M")  # of 128 CMS has 32
    line.type("#CP SYSTEM END")
    line.expect("HCPSYS9042I")
    line.expect(READY)
    line.type("spin")
    line.expect("spinning")
    line.type("#CP DISCONNECT")
    line.expect(LOGON_PROMPT)
    line.type("LOGON ALICE")
    line.expect("TYPED")
    line.type("vmn")
    line.expect("RECONNECTED")  # and what was shown last is shown again
    line.type("#CP QUERY TIME")
    line.expect("CONNECT=")
    line.type("#CP SYSTEM END")
    line.expect("HCPSYS9042I")
    line.expect(READY)
    assert "SPIN" in line.cms("LISTFILE SPIN * A") and line.code == 0
    line.type("spin")
    line.expect("spinning")
    line.type("#CP LOGOFF")
    line.expect("LOGOFF AT")
    line.expect(LOGON_PROMPT)


@pytest.mark.parametrize("host", MACHINES)
def test_cms_upon_cms_asks_the_same_cp(machine, disk, host):
    put_bytes(disk, os.path.join(ROOT, "build", "cms.elf"), "SECOND")
    line = start(machine, disk, "--machine", host, lines=1).console
    line.logon("ALICE")
    line.cms("second", 120)  # its Ready
    assert "ALICE" in line.cms("CP QUERY USERID")
    line.type("#CP SYSTEM END")
    line.expect("HCPSYS9042I")
    line.expect(READY)
    assert "SECOND" in line.cms("LISTFILE SECOND * A") and line.code == 0
