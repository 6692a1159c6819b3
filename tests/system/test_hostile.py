"""Guests that misbehave, under a real CP: only their own machine suffers."""
import time

import pytest
from harness import guest, run_piped


EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])


@EITHER
def test_a_triple_fault_ends_the_machine_with_a_reason(emulator):
    done = run_piped("--machine", emulator, "--ipl", guest("triple"))
    assert b"about to fault three times" in done.stdout
    assert b"triple fault" in done.stdout
    assert done.returncode not in (0, 70)


@EITHER
def test_a_guest_that_spins_with_interrupts_off_does_not_keep_cp_from_its_user(machine, emulator):
    m = machine("--machine", emulator, "--ipl", guest("spin"))
    m.console.expect("spinning")
    m.console.type("#CP QUERY TIME")
    m.console.expect("TIME IS")
    m.console.type("#CP LOGOFF")
    m.console.expect("LOGOFF AT")
    assert m.wait() != 70


# Nothing it shows ever has CP look at the line: only the interrupt of what is typed does, and a byte that came before
# CP had set its interrupt up makes none.
@EITHER
def test_what_is_typed_from_power_on_does_not_keep_cp_from_the_user_of_a_guest_that_shows_nothing(machine, emulator):
    m = machine("--machine", emulator, "--ipl", guest("silent"))
    for _ in range(40):
        m.console.send("x")
        time.sleep(0.05)
    m.console.type("")
    m.console.type("#CP QUERY TIME")
    m.console.expect("TIME IS", timeout=60)
    m.console.type("#CP LOGOFF")
    m.console.expect("LOGOFF AT")
    assert m.wait() != 70


@EITHER
def test_rep_outs_of_four_gigabytes_do_not_keep_cp_from_its_user(machine, emulator):
    m = machine("--machine", emulator, "--ipl", guest("console"), "--append", "forever")
    m.console.expect("without end")
    m.console.type("#CP QUERY TIME")
    m.console.expect("TIME IS")
    m.console.type("#CP LOGOFF")
    m.console.expect("LOGOFF AT")
    assert m.wait() != 70


@EITHER
def test_every_way_to_the_console_keeps_the_order_and_refuses_what_is_none(emulator):
    done = run_piped("--machine", emulator, "--ipl", guest("console"), timeout=120)
    sent = done.stdout.split(b"BEGIN\r\n")[1].split(b"END\r\n")[0]
    assert done.returncode == 0, done.stdout.replace(sent, b"")
    assert sent == b"".join(b"<%05d\r\n" % n for n in range(1500))
    assert b"from L2\r\n" in done.stdout.split(b"END\r\n")[1]


@EITHER
def test_every_port_may_be_written_and_any_address_touched(emulator):
    done = run_piped("--machine", emulator, "--ipl", guest("ports"), timeout=120)
    assert b"still here" in done.stdout
    assert done.returncode == 0


@EITHER
def test_a_flood_of_output_does_not_keep_cp_from_its_user(machine, emulator):
    m = machine("--machine", emulator, "--ipl", guest("echo"))
    m.console.expect("echo ready")
    m.console.type("F")
    m.console.expect_exact("00010 the quick")
    began = time.monotonic()
    m.console.type("#CP LOGOFF")
    m.console.expect_exact("LOGOFF AT", timeout=60)
    assert time.monotonic() - began < 20
    assert m.wait() != 70
