"""Files that programs have in CMS: minidisks, storage, the root image, pipes and the terminal, as busybox uses them."""
import pytest

import harness
from harness import cmsdisk, new_disk, start

MACHINES = ["bochs", "tcg"]


@pytest.fixture
def disk(tmp_path):
    return new_disk(tmp_path / "disk.img")


@pytest.fixture(params=MACHINES)
def line(machine, disk, request):
    console = start(machine, disk, "--machine", request.param, lines=1).console
    console.logon("ALICE")
    return console


def sh(line, command, code=0):
    said = line.cms(f'/bin/sh -c "{command}"')
    assert line.code == code, said
    return said


def test_minidisks_are_directories(line):
    line.cms("PIPE literal one/two| split /| > notes text a")
    assert "one\r\ntwo" in sh(line, "cat /a/notes.text")
    sh(line, "cd /a; echo three >>notes.text; sort -r notes.text >sorted.text; cp /bin/busybox busybox; "
             "echo hidden >.x")
    assert "two\r\nthree\r\none" in line.cms("TYPE SORTED TEXT A").replace("\r\r", "\r")
    assert "BUSYBOX  MODULE" in line.cms("LISTFILE BUSYBOX * A")
    said = sh(line, "cd /a; ls; cmp -n 9999 busybox /bin/busybox && echo same; ./busybox expr 35 + 7; "
                    "wc -l notes.text; pwd")
    for word in ("notes.text", "sorted.text", "busybox", "same", "42", "3 notes.text", "/a"):
        assert word in said, word
    sh(line, "cd /a; mv sorted.text notes.text; rm busybox")
    assert "two" in line.cms("TYPE NOTES TEXT A")
    assert "DMSLST002E" in line.cms("LISTFILE BUSYBOX * A")
    sh(line, "echo x >/a/much-too-long.name", code=1)


def test_storage_pipes_and_devices_serve_the_shell(line):
    said = sh(line, "cd /tmp; for i in 1 2 3 4 5; do echo line $i; done | tee all | tail -n 2 | tr a-z A-Z; "
                    "wc -c <all; "
                    "mkdir d; ln -s ../all d/link; cat d/link | md5sum; ls -la d; rm -r d; df /a; "
                    "dd if=/dev/zero bs=4096 count=100 2>/dev/null | wc -c; yes | head -n 1")
    for word in ("LINE 4", "LINE 5", "35", "link -> ../all", "409600", "y"):
        assert word in said, word


def test_the_window_is_the_programs(line):
    line.child.setwinsize(50, 132)
    for _ in range(100):
        if "PAGELENGTH 050, LINESIZE 132" in line.cms("CP QUERY TERMINAL"):
            break
    assert "50 132" in sh(line, "stty size")
    line.type("/bin/sh -c 'trap \"stty size; exit\" WINCH; stty size; while :; do sleep 1; done'")
    line.expect("50 132\r\n")
    line.child.setwinsize(30, 100)  # nobody types
    line.expect("30 100\r\n")
    line.expect(harness.READY)
    line.cms("CP TERMINAL PAGELENGTH 40")
    assert "40 100" in sh(line, "stty size")


def test_the_terminal_is_the_programs_while_it_runs(line):
    line.type("/bin/sh -c 'read x; echo got [$x]; stty -a | head -n 1; stty raw -echo; echo $((7 * 11)); "
              "dd bs=1 count=1 2>/dev/null | od -c; stty sane; tty'")
    line.type("typed words")
    line.expect(r"got \[typed words\]")
    line.expect("speed 38400 baud")
    line.expect("77")
    line.child.send("\x03")
    line.expect("003")
    line.expect("/dev/tty")
    line.expect(harness.READY)
    line.type("cat")
    line.type("echoed")
    line.expect("echoed\r\nechoed")
    line.type("hx")
    line.expect(harness.READY)
    line.type("cat")
    line.child.send("\x04")
    line.expect(harness.READY)
    line.type("/bin/sh -c 'sleep 2'")
    line.type("QUERY DISK A")
    line.expect("ALI191")


def test_proc_tells_of_processes_and_the_machine(line):
    said = sh(line, "cat /proc/self/status | head -n 3; cat /proc/self/cmdline; echo; "
                    "ls /proc/self/fd | wc -l; readlink /proc/self/exe; readlink /proc/self/fd/1; "
                    "readlink /proc/self/cwd; cat /proc/sys/vm/mmap_min_addr")
    for word in ("Name:\tcat", "State:\tR", "cat", "/bin/sh", "/dev/tty", "/a", "65536"):
        assert word in said, word
    said = sh(line, "ps; cat /proc/mounts; cat /proc/self/maps | tail -n 2; free; uptime")
    for word in ("ps", "root / erofs ro", "edf /a edf rw", "tmpfs /tmp tmpfs rw", "[stack]", "Mem:", "load average"):
        assert word in said, word
