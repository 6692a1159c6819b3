"""FILELIST, RDRLIST and HELP, full screen: lists in which a person acts, by a terminal of our own."""
import pytest

import harness
from harness import cmsdisk, new_disk, start
from screen import Screen

EMULATORS = ["bochs", "tcg"]
FILES = {"ALPHA": "one\ntwo\n", "BETA": "three\n", "GAMMA": "x\n" * 40}


@pytest.fixture
def disk(tmp_path):
    path = new_disk(tmp_path / "disk.img")
    for name, text in FILES.items():
        source = tmp_path / name
        source.write_text(text)
        cmsdisk(path, "ALICE", "191", "put", str(source), name, "DATA")
    return path


def logged_on(machine, disk, emulator):
    m = start(machine, disk, "--machine", emulator, lines=1)
    m.console.logon("ALICE")
    return m, Screen(m.console)


def leave(screen):
    screen.keys("F3")
    screen.line.expect(harness.READY, 60)


@pytest.mark.parametrize("emulator", EMULATORS)
def test_commands_in_front_of_files_are_obeyed(machine, disk, emulator):
    m, screen = logged_on(machine, disk, emulator)
    screen.type("filelist * data", "12= Cursor")
    screen.shows("3 files")
    screen.keys("F4")  # by type and name
    screen.wait(lambda text: [screen.row(name) for name in FILES] == [3, 4, 5])
    screen.keys("type", "Enter")
    screen.shows("MORE...")
    assert "two" in screen.text() and "Cmd" not in screen.text()
    screen.keys("Enter")
    screen.shows("*        ALPHA")
    screen.keys("copyfile /nt a = copy = (bad", "Enter")
    screen.shows("DMSCPY003E Invalid option: BAD")
    screen.keys("Enter")
    screen.shows("*24      ALPHA")
    screen.keys("copyfile / = copy =", "Enter")
    screen.shows("*        ALPHA")
    screen.keys("Down", "=", "Enter")
    screen.shows("*        BETA")
    screen.keys("Down", "discard", "Enter")
    screen.shows("Discarded or renamed")
    screen.keys("F2")
    screen.shows("2 files")
    leave(screen)
    said = m.console.cms("LISTFILE * * A")
    assert sorted(" ".join(line.split()[:2]) for line in said.splitlines() if " A1" in line) == [
        "ALPHA COPY", "ALPHA DATA", "BETA COPY", "BETA DATA"]


@pytest.mark.parametrize("emulator", EMULATORS)
def test_a_file_is_edited_from_the_list(machine, disk, emulator):
    m, screen = logged_on(machine, disk, emulator)
    screen.type("filelist beta", "12= Cursor")
    screen.keys("F11")
    screen.shows("/a/beta.data")
    screen.type("input four", "four")
    screen.line.send("file\r")
    screen.shows("*        BETA")
    screen.wait(lambda text: "V          5         2" in text)
    leave(screen)
    assert m.console.cms("TYPE BETA DATA").replace("\r", "").split("\n")[2:-2] == ["four", "three"]


@pytest.mark.parametrize("emulator", EMULATORS)
def test_long_output_comes_a_screen_at_a_time(machine, disk, emulator):
    _, screen = logged_on(machine, disk, emulator)
    screen.type("filelist gamma", "12= Cursor")
    screen.keys("type", "Enter")
    screen.shows("MORE...")
    screen.keys("q")
    screen.shows("12= Cursor")
    screen.line.send("\x1b[24~listfile none\r")  # F12 to the command line
    screen.shows("MORE...")
    assert "nomsg" not in screen.text() and "Hit any key" not in screen.text()
    screen.keys("Enter")
    screen.shows("12= Cursor")
    leave(screen)


@pytest.mark.parametrize("emulator", EMULATORS)
def test_a_list_is_of_a_file_grows_and_is_sorted(machine, disk, emulator):
    m, screen = logged_on(machine, disk, emulator)
    m.console.cms("LISTFILE GAMMA DATA A (EXEC")
    m.console.cms("LISTFILE ALPHA DATA A (APPEND")
    m.console.cms("PIPE literal \"'set synonym z 1 macro'\" | literal /* mine */ | > PROFFLST XEDIT A")
    m.console.cms("PIPE literal 'reserved -4 My profile' | literal /* mine */ | > MINE XEDIT A")
    screen.type("filelist cms exec (filelist profile mine", "12= Cursor")
    screen.shows("2 files")
    screen.shows("My profile")
    assert screen.row("BETA") is None
    command = "\x1b[24~"  # F12 to the command line
    screen.line.send(command + "filelist beta (append\r")
    screen.shows("3 files")
    for order, rows in (("sname", "ALPHA BETA GAMMA"), ("srec", "GAMMA ALPHA BETA"), ("slrec", "BETA ALPHA GAMMA")):
        screen.line.send(f"{command}{order}\r")
        screen.wait(lambda text, rows=rows: [screen.row(name) for name in rows.split()] == [3, 4, 5])
    screen.line.send(f"{command}filelist none (append\r")
    screen.shows("DMSLST002E")
    screen.line.send("erase beta data\r")  # the cursor is there still
    screen.keys("F2")
    screen.shows("2 files")
    screen.line.send(f"{command}hx\r")
    screen.line.expect(harness.READY, 60)


@pytest.mark.parametrize("emulator", EMULATORS)
def test_reader_files_are_received_shown_and_discarded(machine, disk, emulator):
    m, screen = logged_on(machine, disk, emulator)
    for name in FILES:
        m.console.cms(f"SENDFILE {name} DATA TO ALICE")
    screen.type("rdrlist", "12= Cursor")
    screen.shows("3 files")
    screen.keys("F11")
    screen.shows("PEEK")
    screen.shows("two")
    screen.keys("F3")
    screen.shows("*        ALPHA")
    screen.keys("receive / first copy a", "Enter")
    screen.shows("MORE...")
    screen.keys("Enter")
    screen.shows("Has left the reader")
    screen.keys("Down", "discard", "Enter")
    screen.shows("MORE...")
    screen.keys("Enter", "F2")
    screen.shows("1 file")
    screen.keys("transfer bob", "Enter")
    screen.shows("MORE...")
    screen.keys("Enter")
    leave(screen)
    assert "two" in m.console.cms("TYPE FIRST COPY")
    assert "No files in your reader" in m.console.cms("RDRLIST")


@pytest.mark.parametrize("emulator", EMULATORS)
def test_help_is_looked_through(machine, disk, emulator):
    m, screen = logged_on(machine, disk, emulator)
    screen.type("help menu", "Capital letters")
    screen.type("help listfile", "SHORTDATE|FULLDATE")
    screen.keys("F3")
    screen.shows("Capital letters")
    screen.type("help dmslst002e", "No accessed disk")
    screen.type("help nonsuch", "There is no HELP for nonsuch")
    assert "nomsg" not in screen.text()
    screen.line.send("hx\r")
    screen.line.expect(harness.READY, 60)
    screen.type("help menu", "Capital letters")
    screen.keys("F4")
    screen.line.expect(harness.READY, 60)
    assert "DMSHLP254E" in m.console.cms("HELP NONSUCH")
    m.console.cms("SET FULLSCREEN OFF")
    assert "COPYFILE fn1" in m.console.cms("HELP COPYFILE")


@pytest.mark.parametrize("emulator", EMULATORS)
def test_synonyms_are_commands(machine, disk, emulator):
    m, _ = logged_on(machine, disk, emulator)
    m.console.cms("PIPE literal listfile dateien 3 | > MINE SYNONYM A")
    m.console.cms("SYNONYM MINE")
    assert "ALPHA    DATA     A1" in m.console.cms("DAT ALPHA DATA")
    assert m.console.code == 0
    assert "DATEIEN" in m.console.cms("QUERY SYNONYM")
