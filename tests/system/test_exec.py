"""EXECs in CMS: how they are found, nested, interrupted, and what passes between them and the session."""
import pytest

import harness
from harness import LOGON_PROMPT, cmsdisk, new_disk, start

EXECS = {
    "PROFILE": "/* */ say 'the profile ran'; 'SET EMSG ON'",
    "DEEP": "/* */ arg n; say 'depth' n; 'EXEC DEEP' n + 1; say 'back' n rc; exit n",
    "OUTER": "/* */ push 'of the outer'; 'INNER'; say rc queued(); do while queued() > 0; pull x; say x; end\n"
             "queue 'QUERY RDYMSG'; exit 5",
    "INNER": "/* */ say 'finds' queued(); queue 'of the inner'; exit 3",
    "ASKS": "/* */ say 'Who?'; pull who; say 'Hello' who; parse external more; say 'and' more",
    "LOOP": "/* */ do forever; end",
    "CALLS": "/* */ 'LOOP'; say 'not reached'",
    "WRONG": "/* */ say 'before'; say 1 / 0",
    "RECORDS": "/* */ address command; l.1 = 'alpha'; l.2 = 'beta'\n"
               "'EXECIO 2 DISKW T DATA A (FINIS STEM L.'; say rc; 'EXECIO * DISKR T DATA A (FINIS STEM M.'\n"
               "say rc m.0 m.1 m.2; 'EXECIO * CP (STEM C. STRING QUERY USERID'; say rc c.0 word(c.1, 1)\n"
               "x = 'kept'; 'GLOBALV SELECT G PUT X'; drop x; 'GLOBALV SELECT G GET X'; say x",
    "MINUS": "/* */ arg n; if n = '' then exit -3; 'MINUS'; say rc; exit n",
    "CODES": "/* */ '/bin/true'; say rc; '/bin/sh -c \"exit 9\"'; say rc; 'STATE NO FILE A'; say rc\n"
             "address cp 'QUERY NOTHING'; say rc > 0; address command 'Q TIME'; say rc",
}


@pytest.fixture
def disk(tmp_path):
    path = new_disk(tmp_path / "disk.img")
    for name, text in EXECS.items():
        source = tmp_path / name
        source.write_text(text + "\n")
        cmsdisk(path, "ALICE", "191", "put", str(source), name, "EXEC")
    return path


def said(line, command, seconds=60):
    return line.cms(command, seconds).replace("\r", "").split("\n")[1:-1]


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_execs_nest_stack_and_return(machine, disk, emulator):
    line = start(machine, disk, "--machine", emulator, lines=1).console
    assert "the profile ran" in line.logon("ALICE", timeout=60)
    deep = said(line, "deep 1", 120)
    assert deep[:8] == [f"depth {n}" for n in range(1, 9)] and "DMSINT9004E Commands are nested too deep" in deep[8]
    assert deep[10:] == [f"back {n} {n + 1}" for n in range(7, 0, -1)] and line.code == 1
    assert said(line, "outer") == ["finds 1", "3 2", "OF THE OUTER", "OF THE INNER"] and line.code == 5
    line.expect(harness.READY)  # what it left stacked was obeyed
    assert said(line, "records") == ["0", "0 2 alpha beta", "0 1 ALICE", "kept"] and line.code == 0
    codes = [text for text in said(line, "codes") if text.isdigit() or text[0] == "-"]
    assert codes == ["0", "9", "28", "1", "-3"]
    assert said(line, "minus") == [] and line.code == -3
    # a failure is traced before
    assert said(line, "minus -30")[-1] == "-3" and line.code == -30
    assert said(line, "minus -1234567")[-1] == "-3" and line.code == -1234567
    assert said(line, "minus 200")[-1] == "-3" and line.code == 200
    wrong = said(line, "wrong")
    assert wrong[0] == "before" and line.code == 20042 and any("Error 42" in text for text in wrong)
    assert said(line, "exec nosuch") == ["DMSEXC002E File NOSUCH EXEC * not found"] and line.code == 28


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_execs_ask_and_are_halted(machine, disk, emulator):
    line = start(machine, disk, "--machine", emulator, lines=1).console
    line.logon("ALICE", timeout=60)
    line.type("asks")
    line.expect("Who\\?", 60)
    line.type("Bob")
    line.expect("Hello BOB", 60)
    line.type("Carol")
    line.expect("and Carol", 60)
    line.expect(harness.READY)
    for halt in ("HX\r", "HI\r", "\x03"):
        line.type("calls")
        line.expect("calls")
        line.send(halt)
        assert "not reached" not in line.expect(harness.READY, 60)
    line.type("#CP IPL CMS PARM NOPROF")
    assert "the profile ran" not in line.expect(harness.READY, 60)
    line.type("#CP LOGOFF")
    line.expect(LOGON_PROMPT)
