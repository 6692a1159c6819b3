"""Stages of pipelines that are REXX programs: several at once, with pipelines of their own, halted."""
import pytest

from harness import READY, cmsdisk, new_disk, start

MACHINES = ["bochs", "tcg"]
PROGRAMS = {
    "NUMBER": """/* before each record its number */
do i = 1 until rc <> 0
  'peekto line'
  if rc = 0 then 'output' right(i, 4) line
  if rc = 0 then 'readto'
end
exit 0
""",
    "CAPS": """/* a line, its input in capitals, and what the call returned */
parse arg word .
'output' word
'callpipe *: | xlate upper | *:'
'output done' rc
exit 0
""",
    "SORTED": """/* its input sorted, behind a command of CMS */
address cms 'LISTFILE CAPS REXX A'
'output listed' rc
'addpipe *.input: | sort | *.input:'
'short'
exit 0
""",
    "ENDLESS": "/* never */\ndo forever; nop; end\n",
    "WRONG": "/* a return code */\n'readto x'\n'dance'\nexit rc\n",
}


@pytest.mark.parametrize("host", MACHINES)
def test_rexx_programs_are_stages(machine, tmp_path, host):
    disk = new_disk(tmp_path / "disk.img")
    for name, text in PROGRAMS.items():
        path = tmp_path / name
        path.write_text(text)
        cmsdisk(disk, "ALICE", "191", "put", str(path), name, "REXX")
    line = start(machine, disk, "--machine", host, lines=1).console
    line.logon("ALICE")

    def shows(command, *expected, code=0):
        said = [each.rstrip() for each in line.cms(command, 120).replace("\r", "").split("\n")[1:] if each]
        assert said == list(expected) and line.code == code

    shows("PIPE literal a b c | split | number | console", "   1 a", "   2 b", "   3 c")
    shows("PIPE literal a b | split | rexx caps Hello | number | console", "   1 Hello", "   2 A", "   3 B",
          "   4 done 0")
    shows("PIPE literal a b c | split | number | number | take 2 | console", "   1    1 a", "   2    2 b")
    shows("PIPE literal c a b | split | sorted | console", "CAPS     REXX     A1", "listed 0", "a", "b", "c")
    said = line.cms("PIPE literal a | wrong | console", 120)
    assert line.code == -7 and "Issued from stage 2 of pipeline 1" in said
    line.type("PIPE literal a | endless | console")
    line.expect("console")
    line.type("HX")
    line.expect(READY, 120)
    shows("PIPE literal still here | number | console", "   1 still here")
