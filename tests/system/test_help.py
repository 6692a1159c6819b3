"""What CP and CMS say to a person who asks, or errs: HELP for every message, in one machine."""
import os
import re

import pytest

import harness
from harness import READY, ROOT, new_disk

pytestmark = pytest.mark.xdist_group("help")  # one process takes all, as they share a machine


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """CMS of ALICE, after what may go wrong before it."""
    with harness.Machine("test_help", "--disk", new_disk(tmp_path_factory.mktemp("help") / "disk.img"),
                         "--lines", "1") as m:
        m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
        m.console.type("LOGON ALICE HERE sEsame")
        assert "HCPLGA9017E" in m.console.expect_exact("asked for")
        m.console.expect("CP> ")
        m.console.logon("ALICE")
        m.console.cms("SET FULLSCREEN OFF")
        yield m.console


def ask(line, commands, separator="#"):
    """Many commands, as many in a line as it holds; all that is said."""
    said = ""
    while commands:
        some = []
        while commands and len(separator.join(some + commands[:1])) < 200:
            some.append(commands.pop(0))
        line.type(separator.join(some))
        for _ in some:
            said += line.expect(READY, timeout=60) + "\n"
            assert "Ready;" in line.child.after, said[-400:]
    return said


def source(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def strings(text):
    """C's string literals, one behind the other."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace('\\"', '"').replace("\\n", "\n")


def words(text):
    return " ".join(text.split())


def test_help_explains_every_message_of_cp(line):
    rows = re.findall(r"^    \{([1-9]\d*), '([A-Z])',((?:\s*\"(?:[^\"\\]|\\.)*\")+),",
                      source("cp", "message", "message.c"), re.M)
    assert len(rows) > 60
    expected = [f"HCP...{int(number):03}{severity} " + re.sub(r"\{[1-4] ([^}]*)\}", r"\1", strings(text))
                for number, severity, text in rows]
    forms = ("HELP HCPXXX{:03}{}", "CP HELP {}{}", "HELP CP {}")
    said = words(ask(line, [forms[i % 3].format(int(number), severity)
                            for i, (number, severity, _) in enumerate(rows)]))
    for text in expected:
        assert words(text) in said


def test_help_explains_every_message_of_cms(line):
    rows = re.findall(r"^MESSAGE\(\w+, (NULL|\"\w+\"), (\d+), '([A-Z])', -?\d+,((?:\s*\"(?:[^\"\\]|\\.)*\")+),",
                      source("cms", "command", "messages.def"), re.M)
    assert len(rows) > 60
    said = words(ask(line, [f"HELP DMS{'XXX' if module == 'NULL' else module[1:-1]}{int(number):03}{severity}"
                            for module, number, severity, _ in rows]))
    for module, number, severity, text in rows:
        text = re.sub(r"%[0-9]*[lz]?[cdsuxX]", "...", strings(text))
        assert words(f"DMS{'mmm' if module == 'NULL' else module[1:-1]}{int(number):03}{severity} {text}") in said


def test_help_explains_every_command_of_cms_and_cp(line):
    said = line.cms("HELP") + line.cms("CP HELP")
    assert line.code == 0
    cms = re.findall(r"\b[A-Z]{1,8}[a-z]{0,7}\b(?=  )", said)
    assert "ACcess" in cms and len(cms) >= 18
    ask(line, ["HELP " + name.upper() for name in cms])
    cp = re.findall(r"^  ([A-Z]{3,})", said, re.M)
    assert "DISCONNECT" in cp and len(cp) >= 18
    ask(line, ["HELP CP " + name for name in cp])


def test_what_a_person_tries_is_answered(line):
    for command, code, expected in (
            ("LISTFILE * * S (SHORTDATE", 0, "WELCOME"),
            ("LISTFILE * * S (DATE SHORTDATE", 0, "DATE"),
            ("* a comment", 0, ""),
            ("CP * a comment", 0, ""),
            ("QUERY DISK MAX", 0, "191  A   R/W"),
            ("QUERY NONSENSE", 45, "HCPQSU045E NONSENSE not logged on"),
            ("SHUTDOWN", 9016, "HCPCMD9016E SHUTDOWN is for privilege class A"),
            ("HELP SHUTDOWN", 0, "Privilege class: A, which you have not; yours: G."),
            ("HELP QUERY", 0, "QUERY ACCESSED"),
            ("HELP CP QUERY", 0, "QUERY {CPLEVEL"),
            ("HELP DISCONNECT", 0, "LOGON brings you back"),
            ("HELP HCP9003W", 0, "cannot be emulated"),
            ("HELP WHATEVERTHISIS", 28, "DMSHLP254E HELP cannot find the information you requested: WHATEVERTHISIS")):
        said = line.cms(command)
        assert expected in said and line.code == code, said


def test_begin_after_a_reset_runs_what_was_stored_or_says_that_nothing_is_there(line):
    line.type("#CP SYSTEM CLEAR")
    line.expect_exact("Storage cleared - system reset.")
    line.expect("CP> ")
    line.type("BEGIN")
    line.expect_exact("HCPBEG9015E Nothing to run: no system has been IPLed since the machine was reset")
    line.expect("CP> ")
    line.type("STORE 1000 FAF4")
    line.expect_exact("Store complete.")
    line.type("BEGIN 1000")  # in real mode, at this very address
    line.expect(r"HCPGIR450W CP entered; disabled wait at 000000000000100[12]")
    line.expect("CP> ")
    line.type("IPL CMS PARM nodisk")
    assert "S (190)" not in line.expect(READY)
