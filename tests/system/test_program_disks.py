"""Disks that are taken away while a program has files of them open: what was written is kept where it can be, what is
lost is named, and the program, CMS and the disk go on."""
import pytest

from harness import cmsdisk, new_disk, start

MACHINES = ["bochs", "tcg"]


@pytest.fixture(params=MACHINES)
def line(machine, tmp_path, request):
    disk = new_disk(tmp_path / "disk.img")
    line = start(machine, disk, "--machine", request.param, lines=1).console
    line.logon("ALICE")
    line.disk = disk
    return line


def meanwhile(line, command, then=""):
    """What is shown by a shell that has NEW DATA open, with `before` written, while it has CMS obey the command."""
    return line.cms(f"sh -c 'exec 3>/a/new.data; echo before >&3; cms {command}; echo status $?; "
                    f"echo after >&3 || echo re\"\"fused; {then}'", 60)


def test_a_disk_released_under_a_program_has_what_was_written(line):
    said = meanwhile(line, "release a")
    assert "DMSARE9065W Disk A is released while programs have 1 file(s) of it open" in said
    assert "status 4" in said and "refused" in said
    line.cms("ACCESS 191 A")
    assert "before" in line.cms("TYPE NEW DATA A") and line.code == 0

    # also where it comes back at once, and another file can be made there
    said = meanwhile(line, "access 191 a", "echo fresh >/a/other.data; cat /a/other.data")
    assert "DMSACP9065W Disk A is released while programs have 1 file(s) of it open" in said
    assert "refused" in said and "fresh" in said
    assert "before" in line.cms("TYPE NEW DATA A") and line.code == 0
    line.cms("CP DETACH 191")
    assert b"OTHER" in cmsdisk(line.disk, "ALICE", "191", "list").stdout


def test_a_disk_detached_under_a_program_is_told_of(line):
    said = meanwhile(line, "cp detach 191")
    assert "DMSPGM9064E NEW DATA A is not as a program wrote it: its disk has gone, or failed" in said
    assert "CMS stands" in line.cms("/bin/echo CMS stands")
    assert b"NEW" not in cmsdisk(line.disk, "ALICE", "191", "list").stdout


def test_a_disk_in_use_by_a_program_is_not_formatted(line):
    line.cms("PIPE literal kept | > KEPT DATA A")
    said = meanwhile(line, "format 191 a")
    assert "DMSFOR9066E A(191) is not formatted: programs have 1 file(s) of it open" in said
    assert "status 24" in said and "refused" not in said
    assert "after" in line.cms("TYPE NEW DATA A") and line.code == 0
    assert "kept" in line.cms("TYPE KEPT DATA A") and line.code == 0
