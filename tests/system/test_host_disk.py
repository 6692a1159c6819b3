"""The disk of the machine CP runs on fails beneath it, and works again; others lay hands on its file. The host's want
of room is made by a limit on the size of files that the emulator may write (RLIMIT_FSIZE), set and lifted while it
runs."""
import os
import re
import resource
import shutil
import subprocess

import harness
import pytest
from harness import ROOT, cmsdisk, extent, new_disk, run_piped

EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])
TOLD = r"HCPERP9060W Volume VMN001: a write of block (\d+), of ALICE 0191 failed\r"


class Host:
    """A machine, and how much of its disk's file it may write."""

    def __init__(self, machine, disk, emulator, lines=2):
        self.machine = machine("--machine", emulator, "--disk", disk, "--lines", str(lines))
        for number in range(2, lines + 1):
            self.machine.line(number)
        for number in range(1, lines + 1):
            self.machine.line(number).expect("CP> ", timeout=harness.BOOT_SECONDS)

    def no_room_beyond(self, byte):
        emulator, = self.machine.processes()
        resource.prlimit(emulator, resource.RLIMIT_FSIZE, (byte, resource.RLIM_INFINITY))

    def room_again(self):
        self.no_room_beyond(resource.RLIM_INFINITY)


@EITHER
def test_a_command_the_host_has_no_room_for_fails_the_old_file_stands_and_later_it_works(machine, tmp_path, emulator):
    disk = new_disk(tmp_path / "disk.img")
    host = Host(machine, disk, emulator)
    alice, operator = host.machine.line(1), host.machine.line(2)
    alice.logon("ALICE")
    operator.type("LOGON OPERATOR NOIPL")
    operator.expect("PASSWORD")
    operator.type("vmn")
    operator.expect("CP> ")
    alice.cms("PIPE literal old| > SOME FILE A")
    assert alice.code == 0

    host.no_room_beyond(extent("ALICE", "191")[0])
    for command in ("PIPE literal new| > SOME FILE A", "ERASE SOME FILE A", "RENAME SOME FILE A OTHER FILE A",
                    "COPYFILE SOME FILE A OTHER FILE A"):
        said = alice.cms(command)
        assert "125S Permanent unit check on disk A (191): the device could not write" in said and alice.code == 100
    assert "old" in alice.cms("TYPE SOME FILE A") and alice.code == 0
    operator.expect(TOLD)
    operator.type("QUERY USERS")
    assert "HCPERP" not in operator.expect(r"2 USERS")

    host.room_again()
    alice.cms("PIPE literal new| > SOME FILE A")
    assert alice.code == 0
    assert "new" in alice.cms("TYPE SOME FILE A")
    operator.type("SHUTDOWN")
    assert host.machine.wait() == 0
    assert cmsdisk(disk, "ALICE", "191", "get", "SOME", "FILE").stdout == b"new\n"
    assert cmsdisk(disk, "ALICE", "191", "check").returncode == 0


RULES = """[inject-error]
event = "write_aio"
errno = "28"
once = "on"

[set-state]
event = "write_aio"
state = "1"
new_state = "2"

[inject-error]
event = "read_aio"
state = "2"
errno = "5"
once = "on"
"""


def test_qemu_tells_the_machine_of_a_full_disk_instead_of_stopping_it(machine, tmp_path):
    """QEMU's own injection of errors: the first write finds no space, and then a read fails."""
    disk = new_disk(tmp_path / "disk.img")
    with open(harness.DIRECTORY, encoding="utf-8") as source:  # the first write is to be hers, not the audit log's
        without = re.sub(r"    areas \{.*?\n    \};\n", "", source.read(), flags=re.S)
    (tmp_path / "directory.dts").write_text(without, encoding="utf-8")
    blob = str(tmp_path / "directory.dtb")
    subprocess.run(["dtc", "-q", "-o", blob, str(tmp_path / "directory.dts")], check=True)
    mkimage("--replace-directory", disk, "--directory", blob)
    (tmp_path / "rules").write_text(RULES)
    emulator = tmp_path / "qemu-whose-disk-fails"
    emulator.write_text(f"""#!/bin/sh
for word; do
    shift
    case $word in file=disk,*) word=file=blkdebug:{tmp_path}/rules:$word ;; esac
    set -- "$@" "$(echo "$word" | sed 's/:file=disk,/:disk,/')"
done
exec qemu-system-x86_64 "$@"
""")
    emulator.chmod(0o755)
    m = machine("--machine", "tcg", "--disk", disk, "--lines", "1", "--logon", "ALICE",
                env={"VMN_QEMU": str(emulator)})
    m.console.expect(harness.READY, timeout=harness.BOOT_SECONDS)
    said = m.console.cms("PIPE literal new| > SOME FILE A")
    assert m.console.code == 100 and "the device could not write" in said
    assert re.search(TOLD, said)
    m.console.cms("PIPE literal new| > SOME FILE A")
    assert m.console.code == 0
    said = m.console.cms("TYPE SOME FILE A")
    assert m.console.code == 100 and "the device could not read" in said
    assert "HCPERP9060W Volume VMN001: a read of block" in said
    assert "new" in m.console.cms("TYPE SOME FILE A") and m.console.code == 0


# ---- others at the file ------------------------------------------------------------------

def mkimage(*arguments):
    return subprocess.run([os.path.join(ROOT, "build", "mkimage"), *arguments], capture_output=True, text=True)


def test_the_disk_of_a_running_machine_can_be_read_but_not_changed_and_its_user_is_named(machine, tmp_path):
    disk = new_disk(tmp_path / "disk.img")
    host = Host(machine, disk, "tcg", lines=1)
    by = f"in use by vmn-relay (process {host.machine.child.pid})"
    (tmp_path / "text").write_text("from outside\n")

    for changed in (cmsdisk(disk, "BOB", "191", "put", str(tmp_path / "text"), "A", "FILE", check=False),
                    cmsdisk(disk, "BOB", "191", "format", "LABEL", check=False)):
        assert changed.returncode == 2 and f"{disk}: {by}; nothing is changed" in changed.stderr.decode()
    replaced = mkimage("--replace-directory", disk, "--directory", os.path.join(ROOT, "build", "directory.dtb"))
    assert replaced.returncode == 2 and f"{disk}: {by}; nothing is changed" in replaced.stderr
    second = run_piped("--machine", "tcg", "--disk", disk)
    assert second.returncode == 2 and second.stderr.decode() == f"vmn: {by}: {disk}\n"

    for verb in ("list", "check"):
        read = cmsdisk(disk, "BOB", "191", verb, check=False)
        assert read.returncode == 0 and f"{disk}: {by}; what is read may be of" in read.stderr.decode()
    checked = mkimage("--check", disk)
    assert checked.returncode == 0 and by in checked.stderr

    host.machine.power_cut()
    put = cmsdisk(disk, "BOB", "191", "put", str(tmp_path / "text"), "A", "FILE")
    assert put.stderr == b"" and b"A        FILE" in cmsdisk(disk, "BOB", "191", "list").stdout


def test_a_machine_does_not_start_on_a_disk_that_is_just_being_changed(tmp_path):
    disk = new_disk(tmp_path / "disk.img")
    offset, size = extent("BOB", "191")
    writer = subprocess.Popen([os.path.join(ROOT, "build", "cmsdisk"), "put", disk, "-", "A", "FILE", "--offset",
                               str(offset), "--size", str(size)], stdin=subprocess.PIPE)
    writer.stdin.write(b"a line\n" * 10000)  # more than a pipe holds: it has begun, and waits for the rest
    writer.stdin.flush()
    refused = run_piped("--machine", "tcg", "--disk", disk)
    assert refused.returncode == 2
    assert refused.stderr.decode() == f"vmn: in use by cmsdisk (process {writer.pid}): {disk}\n"
    writer.stdin.close()
    assert writer.wait(30) == 0


def test_a_qemu_started_by_hand_counts_as_well(tmp_path):
    disk = new_disk(tmp_path / "disk.img")
    with subprocess.Popen(["qemu-system-x86_64", "-S", "-display", "none", "-nodefaults", "-monitor", "stdio", "-drive",
                           f"file={disk},format=raw,if=virtio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
        qemu.stdin.write(b"info status\n")
        qemu.stdin.flush()
        while b"VM status: paused" not in qemu.stdout.readline():
            pass  # from then on it has locked what it uses
        refused = cmsdisk(disk, "BOB", "191", "erase", "A", "FILE", check=False)
        qemu.stdin.close()
        qemu.kill()
    assert refused.returncode == 2
    assert f"in use by qemu-system-x86 (process {qemu.pid}); nothing is changed" in refused.stderr.decode()


def test_a_file_that_is_made_read_only_or_cut_or_deleted_beneath_a_machine(machine, tmp_path):
    disk = tmp_path / "disk.img"
    new_disk(disk)
    host = Host(machine, str(disk), "tcg", lines=1)
    alice = host.machine.line(1)
    alice.logon("ALICE")
    disk.chmod(0o444)
    alice.cms("PIPE literal still here| > SOME FILE A")
    assert alice.code == 0

    size = os.path.getsize(disk)
    os.truncate(disk, size - 4096)
    alice.type("QUERY TIME")
    alice.expect(rf"vmn: the disk {disk} was cut to {size - 4096} of {size} bytes")
    disk.unlink()
    alice.type("")
    alice.expect(rf"vmn: the disk {disk} was deleted or replaced: .*cp (/proc/\d+/fd/\d+) FILE\)")
    saved = tmp_path / "saved.img"
    shutil.copyfile(alice.match[1], saved)
    os.truncate(saved, size)
    assert cmsdisk(saved, "ALICE", "191", "get", "SOME", "FILE").stdout == b"still here\n"


# ---- the tools on a full host --------------------------------------------------------------

def limited(byte, *command, data=None):
    """A tool that may write no file beyond that byte."""
    return subprocess.run(command, input=data, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (byte, resource.RLIM_INFINITY)), restore_signals=False)


def test_a_volume_has_its_blocks_from_the_start_or_is_not_made(tmp_path):
    tool, directory = os.path.join(ROOT, "build", "mkimage"), os.path.join(ROOT, "build", "directory.dtb")
    whole, sparse, none = (str(tmp_path / name) for name in ("whole", "sparse", "none"))
    assert mkimage(whole, "--directory", directory).returncode == 0
    assert mkimage(sparse, "--directory", directory, "--sparse").returncode == 0
    size = os.path.getsize(whole)
    assert os.stat(whole).st_blocks * 512 >= size > os.stat(sparse).st_blocks * 512
    assert os.path.getsize(sparse) == size
    for options in ([], ["--sparse"]):
        failed = limited(1 << 20, tool, none, "--directory", directory, *options)
        assert failed.returncode == 2 and "File too large" in failed.stderr and not os.path.exists(none)


def test_cmsdisk_says_why_the_host_took_nothing_and_the_old_file_stands(tmp_path):
    disk, (offset, size) = new_disk(tmp_path / "disk.img"), extent("BOB", "191")
    tool, place = os.path.join(ROOT, "build", "cmsdisk"), ["--offset", str(offset), "--size", str(size)]
    assert limited(1 << 30, tool, "put", disk, "-", "A", "FILE", *place, data="old\n").returncode == 0
    failed = limited(offset, tool, "put", disk, "-", "A", "FILE", *place, data="new\n")
    assert failed.returncode == 2
    assert failed.stderr == f"cmsdisk: {disk}: A FILE: the device could not write: File too large\n"
    assert cmsdisk(disk, "BOB", "191", "get", "A", "FILE").stdout == b"old\n"
