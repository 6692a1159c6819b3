"""Execution environments that the directory forbids a user, and every way round that a user may think of."""
import os

import crowd
import pytest
from harness import DIRECTORY, ROOT, LOGON_PROMPT, cmsdisk, guest, start

FORBIDS = "DMSEEL9054E Environment {} is forbidden here"


def disk_forbidding(tmp_path, names):
    with open(DIRECTORY, encoding="utf-8") as source:
        text = source.read()
    changed = text.replace("        ALICE {\n", f'        ALICE {{\n            forbidden = {names};\n', 1)
    assert changed != text
    disk = crowd.disk_with(str(tmp_path), changed)
    programs = os.path.join(ROOT, "build", "programs")
    for path, name, filetype in ((os.path.join(programs, "hostile-musl"), "WILD", "MODULE"),
                                 (os.path.join(programs, "abi-dynamic"), "DYNAMIC", "MODULE"),
                                 (guest("hello"), "HELLO", "KERNEL")):
        put(disk, path, name, filetype)
    return disk


def put(disk, path, name, filetype):
    cmsdisk(disk, "ALICE", "191", "put", "--recfm", "F", "--lrecl", "1", "--binary", path, name, filetype)


def logged_on(machine, disk):
    line = start(machine, disk, "--machine", "tcg", lines=1).console
    line.logon("ALICE")
    return line


def refused(line, command, name):
    said = line.cms(command, 60)
    assert FORBIDS.format(name) in said and line.code == 76, f"{command}: {line.code} {said}"


def test_no_file_is_run_as_a_program_of_linux_and_none_is_typed(machine, tmp_path):
    """What REXX has run by ADDRESS SYSTEM is the root image's: a file of the user's is not executed by that either."""
    disk = disk_forbidding(tmp_path, '"LINUX"')
    for name, text in (("SHELL", "/**/ address system 'cp /a/wild.module /tmp/w; chmod +x /tmp/w'\n"
                                 "address system '/a/wild.module 1 0 0'; say 'A' rc\n"
                                 "address system '/tmp/w 1 0 0'; say 'B' rc\n"
                                 "address system '/lib64/ld-linux-x86-64.so.2 /a/dynamic.module'; say 'C' rc\n"),):
        path = tmp_path / name
        path.write_text(text, encoding="ascii")
        cmsdisk(disk, "ALICE", "191", "put", str(path), name, "EXEC")
    line = logged_on(machine, disk)
    assert "LINUX" in line.cms("EEL QUERY")
    for command in ("wild", "/a/wild.module", "sh", "/bin/sh -c ls", "/usr/bin/cms query time", "the"):
        refused(line, command, "LINUX")
    line.cms("RENAME WILD MODULE A HARMLESS JPEG A")
    line.cms("EEL SET POLICY SILENT")
    refused(line, "harmless", "LINUX")  # by its first bytes
    line.cms("RENAME HARMLESS JPEG A WILD MODULE A")
    for command in ("EEL SET MAGIC ELF MINE", "EEL SET TYPE MODULE MINE", "EEL DEFINE LINUX /a/wild.module 1 0 0"):
        line.cms("EEL DEFINE MINE /a/wild.module 1 0 0")
        line.cms(command)
        said = line.cms("wild", 60)
        assert "is forbidden here" in said and line.code == 76, f"{command}: {said}"
    line.cms("EEL RESET")
    refused(line, "wild", "LINUX")
    said = line.cms("shell", 60)
    assert line.code == 0 and "A 126" in said and "B 126" in said and "C 127" in said, said
    line.cms("PIPE literal x | > KEPT DATA A")
    assert line.code == 0


def test_no_rexx_program_is_interpreted(machine, tmp_path):
    disk = disk_forbidding(tmp_path, '"REXX"')
    path = tmp_path / "greet"
    path.write_text("/**/ say 'GREETINGS'\n", encoding="ascii")
    for filetype in ("EXEC", "REXX", "JPEG"):
        cmsdisk(disk, "ALICE", "191", "put", str(path), "GREET", filetype)
    line = logged_on(machine, disk)
    for command in ("greet", "EXEC GREET", "PIPE literal x | rexx greet | console", "PIPE literal x | greet | console",
                    "EEL SET TYPE JPEG REXX#greet"):
        said = line.cms(command.split("#")[0], 60)
        for further in command.split("#")[1:]:
            said = line.cms(further, 60)
        assert FORBIDS.format("REXX") in said and "GREETINGS" not in said, f"{command}: {said}"
    assert "/a" in line.cms("sh -c 'echo /a*'")  # the others are there


@pytest.mark.parametrize("host", ["bochs", "tcg"])
def test_no_kernel_gets_a_machine_of_its_own(machine, tmp_path, host):
    line = start(machine, disk_forbidding(tmp_path, '"MACHINE", "PICTURE"'), "--machine", host, lines=1).console
    line.logon("ALICE", timeout=60)
    refused(line, "hello", "MACHINE")
    line.cms("EEL SET TYPE MODULE MACHINE")
    line.cms("EEL SET MAGIC ELF MACHINE")
    refused(line, "wild", "MACHINE")
    line.cms("EEL DEFINE MACHINE /bin/sh -c ls")  # the user's own of that name is no way either
    refused(line, "hello", "MACHINE")
    line.type("#CP LOGOFF")
    line.expect(LOGON_PROMPT)
