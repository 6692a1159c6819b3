"""XEDIT, full screen: what a person sees of it, by a terminal of our own (pyte), and what becomes of the file."""
import pytest

import harness
from harness import cmsdisk, new_disk, start
from screen import Screen

PROFILE = "/* */\n'set number on'\n'msg the profile ran'\n"
MACRO = "/* */\nparse arg what\n'input by the macro' what\n"


@pytest.fixture
def disk(tmp_path):
    path = new_disk(tmp_path / "disk.img")
    for name, text in (("PROFILE", PROFILE), ("REMARK", MACRO)):
        source = tmp_path / name
        source.write_text(text)
        cmsdisk(path, "ALICE", "191", "put", str(source), name, "XEDIT")
    source = tmp_path / "old"
    source.write_text("first\nsecond\nthird\n")
    cmsdisk(path, "ALICE", "191", "put", str(source), "OLD", "DATA")
    return path


def edit(machine, disk, emulator):
    m = start(machine, disk, "--machine", emulator, lines=1)
    m.console.logon("ALICE")
    screen = Screen(m.console)
    screen.type("xedit old data", "Bottom of File")
    return m, screen


def leave(screen, command):
    screen.line.send(command + "\r")
    screen.line.expect(harness.READY, 60)


def content_typed(m):
    return m.console.cms("TYPE OLD DATA").replace("\r", "").split("\n")[2:-2]


def content(disk):
    return cmsdisk(disk, "ALICE", "191", "get", "OLD", "DATA").stdout.decode().splitlines()


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_a_file_is_edited_full_screen(machine, disk, emulator):
    m, screen = edit(machine, disk, emulator)
    for text in ("Top of File", "00001 first", "00003 third", "====>", "/a/old.data"):
        screen.shows(text)  # the lines come before what stands around them
    screen.shows("the profile ran")
    screen.type("/third", "Line=3")
    screen.type("remark Mixed Case", "00004 by the macro Mixed Case")
    screen.type(":1", "Line=1")
    screen.type("change /first/FIRST/", "00001 FIRST")
    leave(screen, "qquit")
    assert content_typed(m) == ["first", "second", "third"]


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_what_the_editor_does_not_know_cms_and_cp_do(machine, disk, emulator):
    m, screen = edit(machine, disk, emulator)
    screen.type("listfile old * a", "MORE...")
    assert screen.row("OLD      DATA     A1") == 0 and "Top of File" not in screen.text()
    screen.keys("Enter")
    screen.shows("Bottom of File")
    assert "Hit any key" not in screen.text()
    screen.type("type old data", "MORE...")  # 3 is on the disk, whatever is done here
    assert "third" in screen.text()
    screen.keys("q")
    screen.shows("Bottom of File")
    screen.type("indicate user", "MORE...")  # CP's
    assert "USERID=ALICE" in screen.text().replace(" ", "")
    screen.keys("Enter")
    screen.type("cp query userid", "ALICE    AT VMN")
    screen.keys("Enter")
    screen.type("cms query search", "ALI191")
    screen.keys("Enter")
    screen.line.send("echo of a program\r")
    screen.wait(lambda text: text.startswith("of a program\nMORE..."))
    screen.keys("Enter")
    screen.type("nosuchcommand", "Unknown CP/CMS command")
    screen.keys("Enter")
    screen.shows("Bottom of File")
    screen.type("copyfile old data a kept data a#/second", "Line=2")  # shows nothing, and asks for no key
    screen.type("set impcmscp off", "====>")
    screen.type("erase kept data a", "Error 00")
    assert "erase" in screen.text().split("\n")[1]
    screen.type("xedit kept data", "/a/kept.data")  # as CMS names it
    screen.shows("00003 third")
    screen.line.send("qquit\r")
    screen.shows("/a/old.data")
    leave(screen, "qquit")
    assert "KEPT     DATA" in m.console.cms("LISTFILE KEPT * A")


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_file_writes_and_quit_does_not(machine, disk, emulator):
    m, screen = edit(machine, disk, emulator)
    screen.type("input a line more", "a line more")
    screen.type("quit", "File has been changed")
    leave(screen, "file")
    assert content_typed(m) == ["a line more", "first", "second", "third"]


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_a_power_cut_keeps_what_was_saved(machine, disk, emulator):
    m, screen = edit(machine, disk, emulator)
    screen.type("input saved", "saved")
    screen.type("save", "saved")
    screen.wait(lambda text: "Alt=0,0" in text)
    screen.type("input not saved", "not saved")
    m.power_cut()
    assert content(disk) == ["saved", "first", "second", "third"]


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_who_comes_back_sees_the_whole_screen(machine, disk, emulator):
    m, screen = edit(machine, disk, emulator)
    screen.type("/third", "Line=3")
    m.console.type("#CP DISCONNECT")
    m.console.expect("DISCONNECT AT")
    m.console.expect("CP> ")
    m.console.type("LOGON ALICE")
    m.console.expect("ENTER PASSWORD")
    m.console.type("vmn")
    screen = Screen(m.console)  # as wide and high as the one that was left
    for text in ("/a/old.data", "Line=3", "00001 first", "Bottom of File", "====>"):
        screen.shows(text)
