"""What a person types, and what the screen shows of it: typed ahead across LOGON, too long, given up, edited in rows
that wrap, completed by Tab, by ^C, by #CP to a machine that reads nothing, and the end of it all on standard input."""
import os

import pexpect
import pyte
import pytest
import wcwidth

import harness
from harness import READY, guest, new_disk, run_piped

EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])


@pytest.fixture
def disk(tmp_path):
    return new_disk(tmp_path / "disk.img")


@pytest.fixture
def start(machine, disk):
    def started(emulator, columns=80):
        m = machine("--machine", emulator, "--disk", disk, "--lines", "1")
        if columns != 80:
            m.child.setwinsize(24, columns)
        m.console.expect("CP> ", timeout=harness.BOOT_SECONDS)
        return m

    return started


class Terminal(pyte.Screen):
    """pyte's, but a wide character is not cut by the edge."""

    def draw(self, data):
        for character in data:
            if wcwidth.wcwidth(character) == 2 and self.cursor.x == self.columns - 1:
                super().draw(" ")
            super().draw(character)


class Screen:
    """A terminal that shows what a line says from here on, behind `prompt`."""

    def __init__(self, line, columns, prompt=""):
        self.line, self.screen = line, Terminal(columns, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.stream.feed(prompt.encode())

    def rows(self):
        rows = [row.rstrip() for row in self.screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def shows(self, *rows, cursor):
        """Reads until the last rows are these, with the cursor in (row, column) from the first of them."""
        for _ in range(200):
            last = self.rows()
            at = len(last) - len(rows)
            if last[-len(rows):] == list(rows) and (self.screen.cursor.y - at, self.screen.cursor.x) == cursor:
                return
            try:
                self.line.child.expect(r"[\s\S]+", timeout=0.1)
                self.stream.feed(self.line.child.after.encode("latin-1"))
            except pexpect.TIMEOUT:
                pass
        where = self.screen.cursor
        pytest.fail("\n".join(["the screen shows", *self.rows(), f"cursor {where.y} {where.x}, not", *rows,
                               str(cursor)]))


# ---- typed ahead ------------------------------------------------------------------------------------------------


@EITHER
def test_nothing_typed_ahead_across_logon_is_lost(start, emulator):
    line = start(emulator).console
    for _ in range(3):
        line.send("LOGON BOB\rvmn\rQUERY DISK\rQUERY USERID\r")
        said = line.expect(r"QUERY USERID\r\n", timeout=60) + line.expect(READY, timeout=60)
        assert "\nQUERY DISK\r\n" in said and "BOB191" in said and "BOB " in said and "Unknown" not in said
        line.send("#CP LOGOFF\rLOGON OPERATOR NOIPL\rvmn\rQUERY USERID\rLOGOFF\r")
        said = line.expect(r"OPERATOR AT VMN\r\n", timeout=60)
        assert "CP> LOGON OPERATOR NOIPL\r\n" in said and "HCP" not in said
        line.expect("Enter LOGON", timeout=60)
        line.expect("CP> ", timeout=60)


# ---- the end of input -------------------------------------------------------------------------------------------


@EITHER
def test_the_end_of_input_logs_off_and_shuts_down_when_all_is_done(disk, emulator):
    commands = "".join(f"PIPE literal line {n}| > F{n} TEXT A\n" for n in range(20))
    done = run_piped("--machine", emulator, "--disk", disk, timeout=120,
                     data=f"LOGON ALICE\nvmn\n{commands}LISTFILE F19 * A (DATE\nQUERY USERID".encode())
    said = done.stdout.decode("latin-1")
    assert done.returncode == 0
    assert said.count("Ready;") == 23 and "F19      TEXT     A1" in said and "Unknown" not in said
    assert said.index("QUERY USERID") < said.index("LOGOFF AT") < said.index("SYSTEM SHUTDOWN STARTED")
    assert harness.cmsdisk(disk, "ALICE", "191", "get", "F19", "TEXT").stdout == b"line 19\n"


@EITHER
@pytest.mark.parametrize("typed", [b"", b"LOGON ALICE\n", b"LOGON ALICE\nwrong\n", b"LOGON OPERATOR NOIPL\nvmn\n#"])
def test_nobody_there_does_not_hang(emulator, typed):
    done = run_piped("--machine", emulator, data=typed, timeout=60)
    assert done.returncode == 0
    assert b"SYSTEM SHUTDOWN STARTED" in done.stdout


@EITHER
def test_a_machine_of_its_own_ends_by_itself_or_when_only_a_key_could_wake_it(emulator):
    said = run_piped("--machine", emulator, "--ipl", guest("hello"))
    assert said.returncode == 0
    cms = os.path.join(harness.ROOT, "build", "cms.elf")
    done = run_piped("--machine", emulator, "--ipl", cms, "--append", "NODISK", timeout=60,
                     data=b"PIPE literal so it is| console\n")
    assert done.returncode == 125
    assert b"\r\nso it is\r\nReady;" in done.stdout


# ---- too long ---------------------------------------------------------------------------------------------------


@EITHER
def test_a_line_that_is_too_long_is_refused_whole(start, emulator):
    line = start(emulator).console
    line.send("LOGON BOB NOIPL\rvmn\r")
    line.expect("LOGON AT")
    line.expect("CP> ")
    line.type("QUERY USERID#" + "QUERY TIME".ljust(300))
    assert "AT VMN" not in line.expect_exact("HCPCFC9045E Line too long: 313 bytes; the limit is 240\r\nCP> ")
    line.type("QUERY USERID".ljust(240))
    line.expect("BOB      AT VMN")
    line.type("IPL CMS")
    line.expect(READY)
    head, tail = "PIPE literal ", "| count bytes | console"
    room = 4096 - len(head + tail)
    for piece in (head, "x" * 1000, "y" * (room - 1000), tail):  # as a paste comes, in pieces
        line.send(piece)
    line.type("")
    assert line.expect(READY, timeout=60).rstrip().endswith(str(room))
    line.type(head + "x" * (room + 1) + tail)
    line.expect_exact("DMSINT9011E Line too long: 4097 bytes; the limit is 4096\r\nReady(00024)", timeout=60)
    line.type("CP MESSAGE * " + "x" * 300)
    line.expect_exact("DMSCPF9010E CP takes commands of at most 240 bytes; this one has 310\r\nReady(00088)")


# ---- keys -------------------------------------------------------------------------------------------------------


@EITHER
def test_lines_wrap_at_the_terminals_width_and_are_edited_anywhere(start, emulator):
    m = start(emulator, columns=40)
    line = m.console
    line.send("LOGON BOB NOIPL\rvmn\r")
    line.expect("LOGON AT")
    line.expect("CP> ")
    cp = Screen(line, 40, "CP> ")
    line.send("QUERY USERID " + "0123456789" * 4)
    cp.shows("CP> QUERY USERID 01234567890123456789012", "34567890123456789", cursor=(1, 17))
    line.send("\033[H\033[C\033[C-")
    cp.shows("CP> QU-ERY USERID 0123456789012345678901", "234567890123456789", cursor=(0, 7))
    line.send("\177\005\033[D\033[3~")
    cp.shows("CP> QUERY USERID 01234567890123456789012", "3456789012345678", cursor=(1, 16))
    line.send("\177" * 17)
    cp.shows("CP> QUERY USERID 0123456789012345678901", cursor=(0, 39))
    line.send("\027\r")
    cp.shows("BOB      AT VMN", "CP>", cursor=(1, 4))
    line.send("que\t\t\t")
    cp.shows("AUDIT CONSOLE CPLEVEL CPUS DASD FILES", "ISA LAN LINES LINKS NAMES NEST NIC NSS",
             "PRT PUN RDR SET SHARE STORAGE TAG", "TERMINAL TIME UR USERID USERS VIRTUAL", "CP> query", cursor=(4, 10))
    line.send("term\t\r")
    line.expect_exact("terminal \r\n")
    line.expect("LINESIZE 040")
    line.type("IPL CMS")
    line.expect(READY)
    cms = Screen(line, 40)
    line.send(("漢" * 19 + "a字").encode().decode("latin-1"))
    cms.shows("漢" * 19 + "a", "字", cursor=(1, 2))
    line.send("\033[D\177")
    cms.shows("漢" * 19 + "字", cursor=(0, 38))
    line.send("\003")
    line.expect_exact("^C\r\n")
    line.type("CP TERMINAL LINESIZE 20")
    line.expect(READY)
    cms = Screen(line, 20)
    line.send("PIPE literal some words| console\033[D\177")
    cms.shows("PIPE literal some wo", "rds| consoe", cursor=(1, 10))


@EITHER
def test_control_c_gives_up_a_line_a_question_and_a_command(start, emulator):
    line = start(emulator).console
    line.send("QUERY\003")
    line.expect_exact("CP> ")
    line.logon("ALICE")
    line.send("ERASE * * A\003")
    line.expect_exact("^C\r\n")
    line.type("FORMAT 191 A")
    line.expect("DMSFOR603R")
    line.send("ye\003")
    line.expect(READY)
    line.type("FORMAT 191 A")
    line.expect("DMSFOR603R")
    line.type("HX")
    line.expect(READY)
    assert "ALI191" in line.cms("QUERY DISK")
    line.send("#CP SLEEP\r")
    line.send("\003")
    assert "ALICE" in line.cms("QUERY USERID")


@EITHER
def test_cp_hears_who_types_to_a_machine_that_reads_nothing(machine, emulator):
    line = machine("--machine", emulator, "--ipl", guest("spin")).console
    line.expect("spinning", timeout=harness.BOOT_SECONDS)
    line.send("is anybody there? " * 20 + "\r#CP QUERY USERID\rhello\r#CP\r")
    line.expect("VM       AT VMN")
    line.expect("CP> ")


@EITHER
def test_a_machine_can_be_switched_off_behind_a_paste_that_it_does_not_read(machine, emulator):
    m = machine("--machine", emulator, "--ipl", guest("spin"))
    m.console.expect("spinning")
    m.console.send("A" * 200000)
    m.console.send("\x1dq")
    assert m.wait() == 130


# ---- marks --------------------------------------------------------------------------------------------------------

@EITHER
def test_nobody_can_type_a_mark_and_no_byte_waits_for_another(machine, emulator):
    """The token is no secret: the run directory's name has it."""
    token = "Q"
    while set(token) & set("QFf"):  # which mean something to the payload
        m = machine("--machine", emulator, "--ipl", guest("echo"))
        m.console.expect("echo ready")
        token = m.run_directories()[0].rsplit(".", 1)[1]
        if set(token) & set("QFf"):
            m.close()
    m.console.send("\xfe")
    m.console.expect_exact("[fe]")
    forged = f"\xfe{token}E;\xfe{token}W20;\xfe{token}T;"
    m.console.send(forged)
    m.console.expect_exact("".join(f"[{byte:02x}]" for byte in forged.encode("latin-1")))
    m.console.send("Q7")
    assert m.wait() == 7
