"""What is done against speculation, where it must be done. No emulator says that it must: Bochs' debugger gives CP
other facts of the processor, and its log tells which MSRs were written, though they do nothing there."""
import os
import re
import subprocess

import harness
import pytest
from harness import ROOT, guest, run_piped

FACTS = 0x600 # where they are put: storage nobody has
# CPUID 7 EBX, EDX, 7.2 EDX, 80000008 EBX, 80000021 EAX, ECX, capabilities; see tests/unit/vcpu_speculation_test.c
HASWELL = [0x800, 0x9C000400, 0, 0, 0, 0, 0]
ICE_LAKE = [0, 0xBC000400, 0x14, 0, 0, 0, 0xA016B]
ZEN_2 = [0, 0, 0, 0x5000, 0, 0, 0]
SPEC_CTRL, PRED_CMD, FLUSH_CMD = "0x48", "0x49", "0x10b"


def emulator(tmp_path, facts, model=""):
    symbols = subprocess.run(["nm", os.path.join(ROOT, "build", "cp.elf64")], capture_output=True, text=True,
                             check=True).stdout
    entry = re.search(r"^([0-9a-f]+) T speculation_decide$", symbols, re.M).group(1)
    script = [f"lb 0x{entry}", "c"]
    for i, value in enumerate(facts):
        script += [f"setpmem {FACTS + 8 * i:#x} 4 {value & 0xFFFFFFFF:#x}",
                   f"setpmem {FACTS + 8 * i + 4:#x} 4 {value >> 32:#x}"]
    script += [f"set rsi = {FACTS:#x}", "d 1", "c"]
    path = tmp_path / "bochs-with-facts"
    path.write_text("#!/bin/sh\nprintf '" + "\\n".join(script) + "\\n' >debugger\n" +
                    "sed -i 's/error: action=ignore/error: action=report/' bochsrc\n" +
                    (f"sed -i 's/model=[^,]*/model={model}/' bochsrc\n" if model else "") + 'exec bochs-bin "$@"\n')
    path.chmod(0o755)
    return {"VMN_BOCHS": str(path)}


def written(log):
    """How often each MSR was written that Bochs does not know."""
    with open(log, encoding="latin-1") as text:
        found = re.findall(r"WRMSR: Unknown register (0x[0-9a-f]+)", text.read())
    return {msr: found.count(msr) for msr in set(found)}


@pytest.mark.parametrize("facts, model, each_exit, once", [
    (HASWELL, "", {SPEC_CTRL, FLUSH_CMD}, {PRED_CMD}),
    (ICE_LAKE, "", set(), {SPEC_CTRL, PRED_CMD}),
    (ZEN_2, "ryzen", {SPEC_CTRL}, {PRED_CMD}),
], ids=["haswell", "ice-lake", "zen-2"])
def test_a_guest_runs_as_ever_and_the_orders_are_given(tmp_path, facts, model, each_exit, once):
    log = tmp_path / "log"
    done = run_piped("--machine", "bochs", "--log", str(log), "--ipl", guest("hello"),
                     env=emulator(tmp_path, facts, model))
    assert b"hello from a bare machine" in done.stdout and b"FAIL" not in done.stdout
    assert done.returncode == 0
    orders = written(log)
    assert {SPEC_CTRL, PRED_CMD, FLUSH_CMD} & set(orders) == each_exit | once
    assert all(orders[msr] > 100 for msr in each_exit), orders # a byte on the console is two exits
    assert all(orders[msr] < 5 for msr in once), orders


def test_a_barrier_stands_between_two_guests_and_all_work_on(machine, tmp_path):
    m = machine("--machine", "bochs", "--disk", harness.new_disk(tmp_path / "disk.img"),
                env=emulator(tmp_path, HASWELL))
    alice, bob = m.line(1), m.line(2)
    for line, user in ((alice, "ALICE"), (bob, "BOB")):
        line.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
        line.logon(user)
    for _ in range(20):
        alice.cms("QUERY DISK")
        bob.cms("QUERY DISK")
    m.console.send("\x1dq")
    m.wait()
    assert written(m.emulator_log)[PRED_CMD] >= 40


def test_beneath_two_levels_of_cp_it_works_as_well(tmp_path):
    done = run_piped("--machine", "bochs", "--levels", "2", "--ipl", guest("hello"), env=emulator(tmp_path, HASWELL),
                     timeout=120)
    assert b"hello from a bare machine" in done.stdout
    assert done.returncode == 0


def test_a_processor_that_asks_for_nothing_is_given_no_orders(tmp_path):
    log = tmp_path / "log"
    run_piped("--machine", "bochs", "--log", str(log), "--ipl", guest("hello"), env=emulator(tmp_path, [0] * 7))
    assert not {SPEC_CTRL, PRED_CMD, FLUSH_CMD} & set(written(log))
