"""scripts/vmn-spool: files between the host and a system that runs."""
import contextlib
import fcntl
import os
import pty
import signal
import socket
import stat
import struct
import subprocess
import time
import zlib

import pytest

import harness
from harness import new_disk, start

VMN_SPOOL = os.path.join(harness.ROOT, "scripts", "vmn-spool")


@pytest.fixture
def system(machine, tmp_path):
    return start(machine, new_disk(tmp_path / "disk.img"), "--machine", "tcg", lines=1)


def environment(m, **more):
    return {**os.environ, "TMPDIR": m.temporary, **more}


def spool(m, *words, status=0, env=None, **more):
    """What it wrote; bytes."""
    done = subprocess.run([VMN_SPOOL, *words], env=environment(m, **(env or {})), capture_output=True, timeout=120,
                          check=False, **more)
    assert done.returncode == status, done
    return done.stderr if status else done.stdout


def run_directory(m):
    name, = m.run_directories()
    return os.path.join(m.temporary, name)


@contextlib.contextmanager
def raw(m):
    """The line itself, as one has it who does not use vmn-spool."""
    place = os.open(run_directory(m), os.O_PATH)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(f"/proc/self/fd/{place}/spool")
        os.close(place)
        line.settimeout(20)
        yield line


def frame(number, text, length=None, crc=None):
    beside = struct.pack("<HH", number, len(text) if length is None else length)
    crc = zlib.crc32(beside) ^ zlib.crc32(text) if crc is None else crc
    return b"VMNS" + beside + struct.pack("<I", crc) + text


def hear(line):
    got = b""
    while len(got) < 12 or len(got) < 12 + int.from_bytes(got[6:8], "little"):
        got += line.recv(1)
    return got[12:]


def test_a_file_of_the_host_is_received_edited_and_printed_back(system, tmp_path):
    alice = system.console
    lines = [f"{n}: the quick brown fox " + "x" * (n % 90) for n in range(2000)] + ["Grüße"]
    (tmp_path / "fox.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert spool(system, "put", tmp_path / "fox.txt", "alice") == b"RDR FILE 0001 OF ALICE: FOX TXT\n"
    assert spool(system, "put", tmp_path / "fox.txt", "alice", "card", "deck", "--class", "c") == \
        b"RDR FILE 0002 OF ALICE: CARD DECK\n"
    assert "FILES: 0002 RDR,   NO PRT,   NO PUN" in alice.logon("ALICE")
    assert "*HOST    0002 C RDR 00002001 001 NONE" in alice.cms("CP QUERY RDR ALL")
    assert "File FOX TXT A1 received from *HOST" in alice.cms("RECEIVE")
    alice.cms("READCARD CARD DECK A")
    assert alice.code == 0
    alice.cms("COMPARE FOX TXT A CARD DECK A")
    assert alice.code == 0
    alice.cms("PIPE < FOX TXT A | change /quick/slow/ | > DOG TXT A")
    said = alice.cms("PRINT DOG TXT")
    assert alice.code == 0, said
    listed = spool(system, "list", "alice").decode().splitlines()
    assert len(listed) == 2 and listed[1].split()[:5] == ["ALICE", "0003", "PRT", "A", "2001"], listed
    printed = spool(system, "get", "alice", "3", "--purge")
    assert printed.decode("utf-8") == "\n".join(lines).replace("quick", "slow") + "\n"
    assert spool(system, "list") == b""
    alice.type("#CP QUERY PRT")
    alice.expect("NO PRT FILES")


def test_a_printout_becomes_a_pdf_by_stock_tools_or_says_what_is_missing(system, tmp_path):
    put = spool(system, "put", "-", "bob", "a", "b", input=b"one\ntwo\n")
    assert put == b"RDR FILE 0001 OF BOB: A B\n"
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("python3", "env"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    said = spool(system, "get", "bob", "1", "--pdf", "-o", tmp_path / "out.pdf", status=2, env={"PATH": str(tools)})
    assert said == b"vmn-spool: --pdf: enscript or ps2pdf is missing: run scripts/setup pdf\n"
    assert not (tmp_path / "out.pdf").exists()
    for name, does in (("enscript", "echo page; exec tr a-z A-Z"), ("ps2pdf", "echo pdf; exec cat")):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    spool(system, "get", "bob", "1", "--pdf", "-o", tmp_path / "out.pdf", env={"PATH": path})
    assert (tmp_path / "out.pdf").read_bytes() == b"pdf\npage\nONE\nTWO\n"


def test_what_is_no_regular_file_is_written_into_and_stays(system, tmp_path):
    spool(system, "put", "-", "bob", "a", "b", input=b"one\ntwo\n")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    spool(system, "get", "bob", "1", "-o", tmp_path / "pipe")
    assert os.read(reader, 100) == b"one\ntwo\n"
    os.close(reader)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)
    (tmp_path / "there").write_bytes(b"old")
    (tmp_path / "link").symlink_to("there")
    spool(system, "get", "bob", "1", "-o", tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "there").read_bytes() == b"one\ntwo\n"
    (tmp_path / "there").chmod(0o600)
    spool(system, "get", "bob", "1", "-o", tmp_path / "there")  # no more may read it than before
    assert stat.S_IMODE(os.stat(tmp_path / "there").st_mode) == 0o600
    spool(system, "get", "bob", "1", "-o", tmp_path / ("n" * 255))  # as long as a name may be
    assert (tmp_path / ("n" * 255)).read_bytes() == b"one\ntwo\n"
    (tmp_path / "null").symlink_to("/dev/null")  # a device, without one that a failure would cost
    spool(system, "get", "bob", "1", "-o", tmp_path / "null", "--purge")
    assert (tmp_path / "null").is_symlink() and stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert spool(system, "list") == b""


def test_nobody_but_who_runs_the_system_may_come_near_its_line(system):
    folder = run_directory(system)
    s = os.stat(folder)
    assert stat.S_IMODE(s.st_mode) == 0o700 and s.st_uid == os.geteuid()
    assert stat.S_IMODE(os.stat(os.path.join(folder, "spool")).st_mode) & 0o077 == 0


def test_hostile_bytes_on_the_line_are_answered_and_cost_nobody_anything(system, tmp_path):
    bob = system.console
    bob.logon("BOB")
    with raw(system) as line:
        line.sendall(os.urandom(100000).replace(b"V", b"W"))
        assert b"HCPHST9087E" in hear(line)
        line.sendall(frame(1, b"HELLO"))
        assert hear(line).startswith(b"OK VM/N")
        line.sendall(frame(2, b"HELLO", length=0xFFFF))
        assert b"HCPHST9087E" in hear(line)
        line.sendall(frame(3, b"HELLO", crc=1))
        assert b"HCPHST9087E" in hear(line)
        line.sendall(frame(4, b"GET BOB 18446744073709551616"))
        assert b"HCPHST027E" in hear(line)
        line.sendall(frame(5, b"PUT NOBODY A B A"))
        assert b"HCPHST053E NOBODY not in CP directory" in hear(line)
        line.sendall(frame(6, b"PUT BOB A B A") + frame(7, b"DATA\n\xff\xff\xff"))
        assert hear(line) == b"OK" and b"HCPHST9087E" in hear(line)
    for _ in range(100):  # and goes away without a word, or with half of one
        with raw(system) as line:
            line.sendall(frame(8, b"PUT BOB A B A") + frame(9, b"DATA\n" + b"\4\0half" * 100) + b"VMNS\1\0")
    assert spool(system, "list") == b""
    bob.cms("CP QUERY RDR")
    big = tmp_path / "big"
    big.write_bytes(b"x" * 3999 + b"\n" * 1 + (b"y" * 3999 + b"\n") * 1500)
    said = spool(system, "put", big, "bob", "big", "data", status=1)
    assert said == b"vmn-spool: HCPHST9086E The spool is full, or *HOST has as much of it as is left for others\n"
    assert spool(system, "list") == b""
    assert "NO RDR FILES" in bob.cms("CP QUERY RDR")
    bob.cms("PIPE literal still here | > MY FILE A")
    bob.cms("SENDFILE MY FILE A BOB")
    assert bob.code == 0


def test_two_at_once_come_one_after_the_other_and_one_that_is_killed_leaves_nothing(system):
    with subprocess.Popen([VMN_SPOOL, "put", "-", "alice", "half", "file"], env=environment(system),
                          stdin=subprocess.PIPE) as first:
        first.stdin.write(b"a line\n" * 50000)
        first.stdin.flush()
        time.sleep(0.5)
        with subprocess.Popen([VMN_SPOOL, "list"], env=environment(system), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as second:
            assert second.stderr.readline() == b"vmn-spool: waits for another vmn-spool to end\n"
            assert second.poll() is None
            first.send_signal(signal.SIGKILL)
            assert second.communicate(timeout=60)[0] == b""
            assert second.returncode == 0
    assert spool(system, "put", "-", "alice", "whole", "file", input=b"a line\n" * 50000).startswith(b"RDR FILE 0001")
    assert spool(system, "get", "alice", "1") == b"a line\n" * 50000


def test_a_long_transfer_shows_how_far_it_is_on_a_terminal(system, tmp_path):
    big = tmp_path / "big"
    big.write_bytes((b"y" * 999 + b"\n") * 1500)
    master, slave = pty.openpty()
    done = subprocess.run([VMN_SPOOL, "put", big, "alice"], env=environment(system), stdout=subprocess.DEVNULL,
                          stderr=slave, timeout=120, check=True)
    fcntl.fcntl(master, fcntl.F_SETFL, os.O_NONBLOCK)
    shown = os.read(master, 65536)
    os.close(master)
    os.close(slave)
    assert done.returncode == 0 and b"of 1500000 bytes" in shown and shown.endswith(b"\r\x1b[K"), shown


def test_what_is_missing_or_wrong_on_this_side_is_said(system, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    said = spool(system, "list", status=2, env={"TMPDIR": str(empty)})
    assert said.startswith(b"vmn-spool: no system runs here")
    assert b"no system runs here" in spool(system, "--disk", tmp_path / "other.img", "list", status=2)
    assert spool(system, "--disk", tmp_path / "disk.img", "list") == b""
    assert b"No such file" in spool(system, "put", tmp_path / "none", "alice", status=2)
    for name in ("\u00fc.txt", "a.\u00fc", "...", "\u00fc"):  # what is behind the point is no name
        assert b"how is the file to be called" in spool(system, "put", tmp_path / name, "alice", status=2)
    assert b"a line of more than 4000 bytes" in spool(system, "put", "/dev/zero", "alice", "a", "b", status=2)
    long = b"x" * 4001
    assert b"a line of more than 4000 bytes" in spool(system, "put", "-", "alice", "a", "b", input=long, status=2)
    assert b"/dev/null is empty" in spool(system, "put", "/dev/null", "alice", "a", "b", status=2)
    assert b"'A*' is no name in CMS" in spool(system, "put", __file__, "alice", "a*", "b", status=2)
    assert b"'TYPESTOOLONG' is no name" in spool(system, "put", __file__, "alice", "a", "typestoolong", status=2)
    assert b"try --help" in spool(system, "frob", status=2)
    for words in (["alice bob", "a", "b"], ["alice", "a b", "c"], ["alice", "a", "b c"], ["", "a", "b"],
                  ["alice", "a", "b", "--class", "b c"], ["alice", "a\nb", "c"]):
        assert b"is not one word" in spool(system, "put", "-", *words, input=b"x\n", status=2)
    assert b"is not one word" in spool(system, "get", "alice", "1 2", status=2)
    assert b"is not one word" in spool(system, "list", "alice 1", status=2)
    assert spool(system, "list") == b""
    assert b"HCPHST042E Spoolid 0001 does not exist" in spool(system, "get", "alice", "1", status=1)
