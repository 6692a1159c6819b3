"""CMS Pipelines as a person uses them: one command makes two files of one, with what it found in a third."""
import pytest

import harness

ORDERS = ("1001 ANNA 3 pears", "1002 BERT 1 melon", "1003 CARL 7 plums", "1004 ANNA 2 limes", "1005 DORA 9 figs")
NAMES = ("ANNA Anna Berg", "DORA Dora Klein")


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_orders_are_looked_up_and_the_others_kept_apart(machine, tmp_path, emulator):
    m = machine("--machine", emulator, "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "1")
    m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    m.console.logon("ALICE")
    line = m.console
    line.cms(f"PIPE strliteral +{'/'.join(ORDERS)}+ | split / | > ORDERS DATA A")
    line.cms(f"PIPE strliteral +{'/'.join(NAMES)}+ | split / | > NAMES DATA A")
    line.cms("PIPE (endchar ?) < ORDERS DATA | l: lookup w2 w1 details masters | join 1 . ."
             " | specs w3 1.3 right w4 nextword w6;-1 15 | > KNOWN DATA A"
             " ? < NAMES DATA | l: | sort w2 d | > UNKNOWN DATA A")
    assert line.code == 0
    assert said(line.cms("TYPE KNOWN DATA")) == ["  3 pears     Anna Berg", "  2 limes     Anna Berg",
                                                 "  9 figs      Dora Klein"]
    assert said(line.cms("PIPE < UNKNOWN DATA | console")) == ["1003 CARL 7 plums", "1002 BERT 1 melon"]
    count = "PIPE < ORDERS DATA | specs w2 1 | sort count | specs 11-* 1 1-10 strip nextword | console"
    assert said(line.cms(count)) == ["ANNA 2", "BERT 1", "CARL 1", "DORA 1"]

    assert "DMSPIP029E Pipelines stalled" in line.cms("PIPE (endchar ?) < ORDERS DATA | f: fanout | g: fanin 1 0 | hole"
                                                     " ? f: | g:")
    assert line.code == -4095
    line.cms("SET FULLSCREEN OFF")
    assert "LOOKUP [COUNT]" in line.cms("HELP PIPE LOOKUP")
    line.type("PIPE literal x| duplicate * | > ENDLESS DATA A | hole")
    line.type("HX")
    line.expect(harness.READY)
    assert "DMSSTT002E" in line.cms("STATE ENDLESS DATA A")


def said(shown):
    """The lines between the command and Ready;"""
    return [text for text in shown.replace("\r", "").split("\n")[1:] if text and not text.startswith("Ready")]
