"""Programs of Linux in CMS, as a person uses them: edit an EXEC, run it, list, look, compile, run, log off."""
import base64
import os
import re
import struct
import subprocess
import zlib

import pytest

import harness
from harness import LOGON_PROMPT, ROOT, cmsdisk, new_disk, start

MACHINES = ["bochs", "tcg"]
CROSS = "m68k-linux-gnu-gcc"


@pytest.fixture
def disk(tmp_path):
    return new_disk(tmp_path / "disk.img")


def at_work(machine, disk, host, user="ALICE"):
    line = start(machine, disk, "--machine", host, lines=1).console
    line.logon(user)
    return line


def png(path, width=16, height=8):
    """A picture: a red half beside a blue one."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    row = b"\0" + (b"\xff\0\0" * (width // 2)) + (b"\0\0\xff" * (width - width // 2))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b""))


def send_file(line, path, cms_path):
    """A host's file through the terminal: as lines of base64."""
    text = base64.encodebytes(path.read_bytes()).decode()
    line.type(f"/bin/sh -c 'base64 -d >{cms_path}'")
    for each in text.splitlines():
        line.type(each)
    line.child.send("\x04")
    line.expect(harness.READY, 60)


@pytest.mark.parametrize("host", MACHINES)
def test_a_day_of_programs(machine, disk, host, tmp_path):
    put_68000(disk, tmp_path)
    put_bytes(disk, harness.guest("hello"), "PAYLOAD", "KERNEL")
    line = at_work(machine, disk, host)

    # an EXEC, written in XEDIT
    line.type("XEDIT HELLO EXEC A")
    line.expect(r"Bottom of File", 120)
    for text in ["/* A first EXEC */", "parse arg name .", "say 'Hello,' name'!'", "do i = 1 to 3; say i i*i; end",
                 "'LISTFILE HELLO * A'", "exit 7"]:
        line.type("input " + text)
    line.type("file")
    line.expect(harness.READY, 120)
    said = line.cms("hello World", 60)
    assert line.code == 7
    assert [re.sub(" +", " ", each.strip()) for each in said.splitlines()[1:]] == [
        "Hello, World!", "1 1", "2 4", "3 9", "HELLO EXEC A1"]

    # its output through a pipeline
    assert "Hello, you!" in line.cms("PIPE cms exec hello you | locate /Hello/ | console", 60)

    # ls, in CMS
    said = line.cms("ls -l /a")
    assert re.search(r"-rw\S* +1 +root +root +\d+ \w+ +\d+ [\d:]+ hello\.exec", said), said

    # a picture
    picture = tmp_path / "flag.png"
    png(picture)
    send_file(line, picture, "/a/flag.png")
    said = line.cms("flag", 60)
    assert line.code == 0 and "\x1b[" in said and "\xe2\x96\x84" in said  # lower half blocks, in colour

    # a program of C, written, compiled and run without leaving
    line.cms("SET LINEND OFF")
    for number, text in enumerate(["#include <stdio.h>", "int main(int n, char **word)", "{",
                                   'printf("%d words, the last is %s\\n", n - 1, word[n - 1]);', "return n; }"]):
        line.cms(f"PIPE literal {text} | >{'>' if number else ''} WORDS C A")
        assert line.code == 0
    line.cms("SET LINEND ON")
    assert line.cms("cc -o /a/words.module /a/words.c", 60).count("\n") == 1 and line.code == 0
    said = line.cms("words one 'two three'")
    assert "2 words, the last is two three" in said and line.code == 3

    # a program of a 68000, and a kernel in a machine of its own, by their names
    assert "big endian" in line.cms("old", 120) and line.code == 5
    said = line.cms("payload one two", 120)
    assert "ok loaded by multiboot" in said and line.code == 0
    assert "2 words" in line.cms("words still here") and line.code == 3  # CMS is as it was

    # what LISTFILE makes of files runs; a packed file comes back
    line.cms("LISTFILE HELLO EXEC A (EXEC")
    assert "say 'Hello,'" in line.cms("EXEC CMS TYPE") and line.code == 0
    line.cms("COPYFILE HELLO EXEC A (PACK")
    assert "DMSEXC9077E" in line.cms("hello World") and line.code == 32
    line.cms("COPYFILE HELLO EXEC A (UNPACK")
    assert "Hello, World!" in line.cms("hello World", 60) and line.code == 7

    line.type("#CP LOGOFF")
    line.expect("LOGOFF AT")
    line.expect(LOGON_PROMPT)


@pytest.mark.parametrize("host", MACHINES)
def test_a_68000_program_runs_by_its_name(machine, disk, host, tmp_path):
    put_68000(disk, tmp_path)
    line = at_work(machine, disk, host)
    said = line.cms("old", 60)
    assert "big endian" in said and line.code == 5
    assert "M68K" in line.cms("EEL QUERY OLD M68K")


def put_68000(disk, tmp_path):
    """OLD M68K, which tells of its bytes' order."""
    source, built = tmp_path / "old.c", tmp_path / "old"
    source.write_text('#include <stdio.h>\nint main(void)\n{ int x = 1;\n'
                      'printf("%s endian\\n", *(char *)&x ? "little" : "big"); return 5; }\n')
    subprocess.run([CROSS, "-static", "-Os", "-s", "-o", built, source], check=True)
    put_bytes(disk, built, "OLD", "M68K")


def put_bytes(disk, path, name, filetype):
    cmsdisk(disk, "ALICE", "191", "put", "--recfm", "F", "--lrecl", "1", "--binary", str(path), name, filetype)


@pytest.mark.parametrize("host", MACHINES)
def test_what_linux_promises_is_kept(machine, disk, host):
    """The same program says the same here and there, however it was linked."""
    for kind in ("musl", "static", "dynamic"):
        program = os.path.join(ROOT, "build", "programs", f"abi-{kind}")
        put_bytes(disk, program, "ABI" + kind[0].upper(), "MODULE")
    line = at_work(machine, disk, host)
    for kind in ("musl", "static", "dynamic"):
        program = os.path.join(ROOT, "build", "programs", f"abi-{kind}")
        there = subprocess.run([program], capture_output=True, text=True, timeout=120, cwd="/tmp").stdout.split()
        here = line.cms("abi" + kind[0], 300)
        assert line.code == 0 and here.split()[1:] == there


@pytest.mark.parametrize("host", MACHINES)
def test_a_hostile_program_ends_and_cms_stands(machine, disk, host):
    put_bytes(disk, os.path.join(ROOT, "build", "programs", "hostile-musl"), "HOSTILE", "MODULE")
    line = at_work(machine, disk, host)
    line.cms("PIPE literal kept | > KEPT DATA A")
    line.cms("hostile", 300)
    assert "kept" in line.cms("TYPE KEPT DATA A") and line.code == 0


@pytest.mark.parametrize("host", MACHINES)
def test_hx_ends_whatever_runs(machine, disk, host):
    line = at_work(machine, disk, host)
    for runs in ("/bin/sh -c 'while :; do :; done'", "/bin/sleep 1000", "yes", "/bin/sh -c 'trap : INT TERM; cat'",
                 "/bin/sh -c 'sh -c \"sleep 100 & sleep 100\" & wait'"):
        line.type(runs)
        line.type("HX")
        line.expect(harness.READY, 30)
    assert "CMSUSER" not in line.cms("QUERY USERID") and line.code == 0


@pytest.mark.parametrize("host", MACHINES)
def test_a_command_ends_with_its_first_process_however_busy_the_others_are(machine, disk, host):
    line = at_work(machine, disk, host)
    for busy in ("while :; do :; done", "cat /dev/zero >/dev/null"):
        line.cms(f"/bin/sh -c '({busy}) & sleep 1; exit 3'")
        assert line.code == 3


@pytest.mark.parametrize("host", MACHINES)
def test_a_fork_bomb_stops_this_user_only(machine, disk, host):
    m = start(machine, disk, "--machine", host, lines=2)
    alice, bob = m.line(1), m.line(2)
    alice.logon("ALICE")
    bob.logon("BOB")
    alice.type("/bin/sh -c 'f() { f | f & }; f; wait'")
    for _ in range(3):
        assert "BOB" in bob.cms("QUERY USERID", 60)
    alice.type("HX")
    alice.expect(harness.READY, 60)
    assert "ALICE" in alice.cms("QUERY USERID", 60)


@pytest.mark.parametrize("host", MACHINES)
def test_storage_that_runs_out_ends_the_program(machine, disk, host):
    line = at_work(machine, disk, host)
    line.cms("/bin/sh -c 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'", 120)
    assert line.code
    line.cms("/bin/dd if=/dev/zero of=/tmp/full bs=1M", 120)
    assert line.code == 1
    line.cms("/bin/rm /tmp/full")
    assert line.code == 0
    said = line.cms("/bin/dd if=/dev/zero of=/a/full bs=64k", 240)
    assert line.code == 1 and "No space left on device" in said
    kept = int(line.cms("/bin/sh -c 'wc -c </a/full'").split()[-1])
    assert kept > 4 << 20 and line.code == 0  # what was accepted stands
    line.cms("/bin/rm /a/full")
    assert line.code == 0
    line.cms("PIPE literal still here | > HERE DATA A")
    assert line.code == 0


def test_without_a_root_image_programs_are_refused(machine, disk):
    line = at_work(machine, disk, "tcg")
    line.cms("CP DETACH 19F")
    assert "Unknown CP/CMS command" in line.cms("tcc -v")
    line.cms("PIPE literal /* */ | > X EXEC A")
    assert "DMSPGM9060E /usr/bin/cms-rexx cannot be run: there is no such file" in line.cms("x")
    assert line.code == 126
