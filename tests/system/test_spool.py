"""Files between users: punched, sent, printed; kept over restarts and power cuts."""
import os
import random
import re
import time

import harness
import pytest
from harness import LOGON_PROMPT, new_disk, start


def put(line, name, *records):
    line.cms(f"PIPE literal {'/'.join(records)}| split /| > {name}")
    assert line.code == 0


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_what_bob_punches_alice_reads_the_next_day(machine, tmp_path, emulator):
    disk = new_disk(tmp_path / "disk.img")
    m = start(machine, disk, "--machine", emulator)
    alice, bob = m.line(1), m.line(2)
    alice.logon("ALICE")
    bob.logon("BOB")
    put(bob, "HELLO TEXT A", "good day", "from BOB")
    bob.cms("CP SPOOL PUN TO ALICE CLASS B")
    said = bob.cms("PUNCH HELLO TEXT")
    assert bob.code == 0, said
    assert "PUN FILE 0001 SENT TO   ALICE    RDR AS  0001 RECS 0003 CPY  001 B NOHOLD NOKEEP" in said
    alice.expect("RDR FILE 0001 SENT FROM BOB      PUN WAS 0001 RECS 0003 CPY  001 B NOHOLD NOKEEP")
    put(bob, "LETTER TEXT A", "to nobody else")
    assert "HCPCSP053E NOBODY not in CP directory" in bob.cms("SENDFILE LETTER TEXT A TO NOBODY") and bob.code == 53
    bob.cms("SENDFILE HELLO TEXT A TO ALICE")  # and what NOBODY was to have is not before it
    assert bob.code == 0
    alice.expect("RDR FILE 0002 SENT FROM BOB")
    bob.type("#CP LOGOFF")
    bob.expect(LOGON_PROMPT)
    bob.logon("OPERATOR")
    bob.type("#CP SHUTDOWN")
    assert m.wait() == 0

    m = start(machine, disk, "--machine", emulator, lines=1)
    alice = m.line(1)
    assert "FILES: 0002 RDR,   NO PRT,   NO PUN" in alice.logon("ALICE")
    alice.cms("SET FULLSCREEN OFF")
    row = r"BOB      0001 B PUN 00000003 001 NONE \d\d/\d\d \S+ HELLO    TEXT"
    assert re.search(row, alice.cms("CP QUERY RDR ALL"))
    assert "HELLO" in alice.cms("RDRLIST")
    said = alice.cms("READCARD *")
    assert alice.code == 0 and "File HELLO TEXT A1 received" in said, said
    assert "from BOB" in alice.cms("TYPE HELLO TEXT A")
    said = alice.cms("PEEK 2")
    assert "good day" in said and "nobody" not in said
    said = alice.cms("RECEIVE 2 OTHER TEXT")
    assert "File OTHER TEXT A1 received from BOB" in said
    listed = alice.cms("LISTFILE * TEXT A (FORMAT")
    assert re.search(r"HELLO\s+TEXT\s+A1\s+F\s+80", listed) and re.search(r"OTHER\s+TEXT\s+A1\s+V\s+8", listed)
    assert "NO RDR FILES" in alice.cms("CP QUERY RDR")
    alice.cms("PRINT HELLO TEXT")
    assert "FILES:   NO RDR, 0001 PRT,   NO PUN" in alice.cms("CP QUERY FILES")


def test_what_is_sent_reaches_all_or_is_told_before(machine, tmp_path):
    m = start(machine, new_disk(tmp_path / "disk.img"), "--machine", "tcg")
    alice, bob = m.line(1), m.line(2)
    alice.logon("ALICE")
    bob.logon("BOB")
    put(bob, "ONE TEXT A", "first")
    put(bob, "TWO TEXT A", "second")
    bob.cms("NAMES ADD TEAM LIST ALICE MAINT")
    said = bob.cms("NOTE TEAM NOBODY")
    assert "HCPCSP053E NOBODY not in CP directory" in said and bob.code == 53, said  # and no line is asked for
    said = bob.cms("SENDFILE * TEXT A TO TEAM")
    assert said.count("sent to ALICE on") == 2 and said.count("sent to MAINT on") == 2, said
    # a deck of two, in which nothing that is sent may lie
    bob.cms("CP SPOOL PUN CONT TO ALICE")
    bob.cms("PUNCH ONE TEXT")
    assert "DMSSFL9018E" in bob.cms("SENDFILE ONE TEXT A ALICE") and bob.code == 32
    bob.cms("PUNCH TWO TEXT")
    bob.cms("CP SPOOL PUN NOCONT")
    assert "sent to ALICE on" in bob.cms("SENDFILE ONE TEXT A ALICE")  # the deck is ended before
    said = alice.cms("RECEIVE 1") + alice.cms("RECEIVE 2")
    assert "File ONE TEXT A1 received from BOB" in said and "File TWO TEXT A1 received from BOB" in said, said
    alice.cms("CP CHANGE RDR ALL HOLD")
    assert "DMSRDC9027W The files in your reader are held" in alice.cms("READCARD *") and alice.code == 28
    alice.cms("CP CHANGE RDR 3 NOHOLD")
    said = alice.cms("READCARD *")
    assert "File ONE TEXT A1 received" in said and "File TWO TEXT A1 received" in said, said
    assert "first" in alice.cms("TYPE ONE TEXT A") and "second" in alice.cms("TYPE TWO TEXT A")
    assert "sent to ALICE on" in bob.cms("SENDFILE TWO TEXT A TO alice@vmn (ACK")
    said = alice.cms("RECEIVE 5 KEPT TEXT (OLDDATE")
    assert "File KEPT TEXT A1 received from BOB" in said and "Acknowledgement sent to BOB" in said, said
    assert "ALICE acknowledges TWO TEXT: RECEIVED" in bob.cms("RECEIVE")
    # a note that was left is sent from where it is
    bob.cms("PIPE literal first note| > BOB NOTE A")
    said = bob.cms("NOTE ALICE (FILE ONE TEXT A")
    assert "DMSNOT024E File BOB NOTE A0 already exists; specify REPLACE option" in said, said
    assert "File BOB NOTE A0 sent to ALICE" in bob.cms("NOTE ALICE (FILE BOB NOTE")


CUTS = max(2, int(os.environ.get("VMN_CUTS", "20")) // 10)
SEED = int(os.environ.get("VMN_SEED", str(int(time.time()))))


def listed(line):
    """The names of the files in the reader, in their order, each with its records."""
    said = line.cms("CP QUERY RDR ALL")
    return re.findall(r"^BOB +\d{4} A PUN 0*(\d+) \d{3} NONE \S+ \S+ (G\d+) ", said, re.M)


def test_what_was_kept_is_there_after_a_power_cut(tmp_path):
    rng = random.Random(SEED)
    disk = new_disk(tmp_path / "disk.img")
    kept, generation = [], 0
    print(f"seed {SEED}")
    for _ in range(CUTS):
        with harness.Machine("spool-cut", "--machine", "tcg", "--disk", disk, "--lines", "1") as m:
            m.console.expect(LOGON_PROMPT, timeout=harness.BOOT_SECONDS)
            bob = m.console
            bob.logon("BOB")
            bob.cms("SET FULLSCREEN OFF")
            found = [name for _, name in listed(bob)]
            assert found in (kept, [*kept, f"G{generation}"]), f"{found} are there, kept were {kept}"
            kept = found
            if kept:
                assert kept[0].lower() in bob.cms("PEEK")
            bob.cms("CP SPOOL PUN TO BOB")
            moment = time.monotonic() + rng.uniform(0.2, 1.5)
            while time.monotonic() < moment:
                generation += 1
                name = f"G{generation}"
                put(bob, f"{name} DATA A", *[name.lower()] * rng.choice((1, 3, 60)))
                bob.type(f"PUNCH {name} DATA")
                try:
                    bob.expect(harness.READY, timeout=max(0.01, moment - time.monotonic()))
                    kept.append(name)  # Ready: it is in the reader
                except harness.pexpect.TIMEOUT:
                    break
            m.power_cut()
