"""The audit log on the volume: kept over a power cut, whole, and read on the host by build/auditlog."""
import os
import re
import subprocess

import harness
import pytest

AUDITLOG = os.path.join(harness.ROOT, "build", "auditlog")


def audit(disk):
    return subprocess.run([AUDITLOG, disk], capture_output=True, text=True, check=False)


def area(disk):
    """Where in the image it is, in bytes."""
    with open(harness.DIRECTORY, encoding="utf-8") as source:
        first = re.search(r"audit \{ extent = <(\d+) ", source.read())[1]
    return int(first) * harness.BLOCK


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_what_happened_is_recorded_and_stays_over_a_power_cut(machine, tmp_path, emulator):
    disk = harness.new_disk(tmp_path / "disk.img")
    first = machine("--machine", emulator, "--disk", disk, "--lines", "2")
    operator, other = first.line(1), first.line(2)
    for line in (operator, other):
        line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    other.type("LOGON MAINT")
    other.expect("(?i)password")
    other.type("sesame")
    other.expect("HCPLGA050E")
    operator.logon("OPERATOR")
    operator.cms("CP SET SHARE OPERATOR RELATIVE 200")
    said = operator.cms("CP QUERY AUDIT")
    assert "LOGON MAINT REFUSED" in said and "OPERATOR LOGON" in said and "RECORDS 0000000001 TO" in said
    first.power_cut()

    found = audit(disk)
    assert found.returncode == 0 and "sesame" not in found.stdout
    lines = [line.split(None, 1)[1][18:].strip() for line in found.stdout.splitlines()]
    assert lines[0].startswith("-     -        STARTED VM/N")
    assert lines[1:] == ["L0002 -        LOGON MAINT REFUSED", "L0001 OPERATOR LOGON",
                         "L0001 OPERATOR SET SHARE OPERATOR: RELATIVE SHARE = 200"]
    assert re.fullmatch(r"RECORDS 0000000001 TO 0000000004, CHAIN [0-9A-F]{16}\n", found.stderr)
    assert found.stderr.split("CHAIN ")[1].strip() in said  # as QUERY AUDIT said it

    second = machine("--machine", emulator, "--disk", disk, "--lines", "1")
    second.console.expect("CP> ", timeout=harness.BOOT_SECONDS)
    second.console.type("LOGON OPERATOR NOIPL")
    second.console.expect("(?i)password")
    second.console.type("vmn")
    second.console.expect("CP> ")
    second.console.type("SHUTDOWN")
    second.wait()
    after = audit(disk)
    assert after.returncode == 0 and after.stdout.startswith(found.stdout)
    assert re.search(r"0{8}07 .* OPERATOR SHUTDOWN\n0{8}08 .* OPERATOR LOGOFF CONNECT=.* STEAL=", after.stdout)

    with open(disk, "r+b") as image:  # a name is made another's
        image.seek(area(disk))
        pages = image.read(2 * harness.BLOCK).replace(b"MAINT", b"ALICE")
        image.seek(area(disk))
        image.write(pages)
    assert audit(disk).returncode == 1


def test_what_is_no_volume_is_told(tmp_path):
    empty = tmp_path / "empty.img"
    empty.write_bytes(bytes(1 << 20))
    for arguments, status, said in (([str(empty)], 2, "empty.img: "), ([str(tmp_path / "none")], 2, "No such file"),
                                    ([], 2, "Usage: auditlog"), (["--help"], 0, "")):
        done = subprocess.run([AUDITLOG, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == status and said in done.stderr, done
