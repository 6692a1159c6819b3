"""The VMX payloads: what each prints on the bare machine is kept in tests/guest/expected, and CP must make it print the
same, on VMX (Bochs) and on SVM (QEMU), where payloads.py names the lines that cannot be."""
import os
import re

import pytest
from harness import ROOT, guest, run_piped
from payloads import VMX_ONLY, on_bare_bochs, on_svm

EXPECTED = os.path.join(ROOT, "tests", "guest", "expected")
PAYLOADS = sorted(name[:-4] for name in os.listdir(EXPECTED) if name.startswith("vmx_"))
EMULATORS = ["bochs", "tcg"]
ON_EITHER = [(name, emulator) for emulator in EMULATORS for name in PAYLOADS
             if emulator == "bochs" or name not in VMX_ONLY]


def expected(name, emulator="bochs", levels=1):
    with open(os.path.join(EXPECTED, name + ".txt"), encoding="ascii") as transcript:
        lines_of_vmx = transcript.read().splitlines()
    return on_svm(name, lines_of_vmx, levels) if emulator == "tcg" else lines_of_vmx


def lines(done):
    return done.stdout.decode("latin-1").replace("\r", "").splitlines()


def bare(name):
    return run_piped("--machine", "bochs", "--lines", "1", env={"VMN_CP": guest(name)})


def under_cp(name, levels=1, emulator="bochs"):
    return run_piped("--machine", emulator, "--levels", str(levels), "--ipl", guest(name), timeout=120)


def test_there_are_payloads():
    assert len(PAYLOADS) >= 7
    assert all(expected(name)[-1] == "end" for name in PAYLOADS)


@pytest.mark.parametrize("name", [name for name in PAYLOADS if name != "vmx_memory"])  # no bare machine shares pages
def test_the_bare_machine_prints_the_transcript(name):
    assert lines(bare(name)) == on_bare_bochs(name, expected(name))


@pytest.mark.parametrize("name, emulator", ON_EITHER)
def test_under_cp_it_prints_the_same(name, emulator):
    assert lines(under_cp(name, emulator=emulator)) == expected(name, emulator)


@pytest.mark.parametrize("name, emulator", ON_EITHER)
def test_under_cp_under_cp_it_prints_the_same(name, emulator):
    assert lines(under_cp(name, 2, emulator)) == expected(name, emulator, 2)


@pytest.mark.parametrize("name, emulator", [("vmx_stale", "bochs"), ("vmx_turns", "tcg")])
def test_by_pages_it_prints_the_same_as_by_regions(name, emulator):
    done = run_piped("--machine", emulator, "--ipl", guest(name), "--append", "pages", timeout=120)
    assert lines(done) == expected(name, emulator)


@pytest.mark.parametrize("emulator", EMULATORS)
@pytest.mark.parametrize("levels", [2, 3])
@pytest.mark.parametrize("mode", ["chain", "memory"])
@pytest.mark.parametrize("name", ["vmx_memory", "vmx_turns"])
def test_by_pages_beneath_more_cps_it_prints_the_same_in_a_chain_and_without(name, mode, levels, emulator):
    """vmx_turns has 20 VMCSs in turn, which share bitmaps, EPTs and VPIDs; of vmx_memory most is not carried out."""
    done = run_piped("--machine", emulator, "--levels", str(levels), "--nesting", mode, "--ipl", guest(name),
                     "--append", "pages", timeout=120)
    assert lines(done) == expected(name, emulator, levels)


@pytest.mark.parametrize("emulator, levels", [("bochs", 1), ("bochs", 2), ("tcg", 1), ("tcg", 2)])
def test_a_halted_guest_of_a_guest_halts_until_it_is_left_for_what_is_first(emulator, levels):
    done = run_piped("--machine", emulator, "--levels", str(levels), "--ipl", guest("vmx_first"), "--append", "halted")
    assert lines(done) == expected("first_halted")


@pytest.mark.parametrize("emulator", EMULATORS)
@pytest.mark.parametrize("mode", ["shadow", "trap"])
def test_pages_are_shared_only_where_nesting_is_memory_or_more(mode, emulator):
    done = run_piped("--machine", emulator, "--nesting", mode, "--ipl", guest("vmx_memory"), timeout=120)
    assert lines(done) == ["pages offered: no", "before VMXON: not offered", "in VMX operation: not offered", "end"]


@pytest.mark.parametrize("name", ["vmx_bitmaps", "vmx_shadow"])
def test_on_the_svm_of_bochs_what_it_is_good_for_is_the_same(name):
    done = run_piped("--machine", "bochs", "--ipl", guest(name), env={"VMN_BOCHS_MODEL": "ryzen"}, timeout=120)
    assert lines(done) == expected(name)


def test_where_the_processor_has_no_rdtscp_no_list_reaches_its_msr(tmp_path):
    """vmx_list tells of IA32_TSC_AUX what RDMSR and a list make of it; 0 is what it
    prints of an MSR that is not there."""
    qemu = tmp_path / "qemu"
    qemu.write_text('#!/bin/sh\nfor a; do shift; case $a in max,*) a=$a,-rdtscp,-rdpid;; esac; set -- "$@" "$a"; done\n'
                    'exec qemu-system-x86_64 "$@"\n')
    qemu.chmod(0o755)
    done = run_piped("--machine", "tcg", "--ipl", guest("vmx_list"), env={"VMN_QEMU": str(qemu)}, timeout=120)
    said = lines(done)
    assert said[-1] == "end"
    assert "load 0xc0000103 0x5: as by itself" in said and "store 0xc0000103 0: as by itself" in said


@pytest.mark.parametrize("emulator, levels", [("bochs", 1), ("tcg", 2)])
def test_a_guest_that_waits_for_a_sipi_waits_for_good_and_its_machine_alone(emulator, levels):
    done = run_piped("--machine", emulator, "--levels", str(levels), "--ipl", guest("vmx_wait"), "--append", "enter")
    said = lines(done)
    assert said[1] == "L2 waits" and re.match("HCPGIR450W CP entered; disabled wait at ", said[2]) and len(said) == 3
    assert done.returncode == 125


def figures(done):
    """{operation: its least cost} of vmx_probe's R lines."""
    return {name: int(least) for name, least in re.findall(r"^R (\w+) min=(\d+)", "\n".join(lines(done)), re.M)}


def test_the_probe_measures_its_own_handler_on_the_bare_machine():
    cost = figures(bare("vmx_probe"))
    assert 50 <= cost["round_trip"] <= 60
    assert cost["vmread_guest_rip"] <= 3


def test_vmread_and_vmwrite_under_cp_cost_what_they_cost_bare():
    cost = figures(under_cp("vmx_probe"))
    for name in ("vmread_exit_reason", "vmread_guest_rip", "vmwrite_guest_rip", "vmread_host_rip", "vmwrite_host_rip"):
        assert cost[name] <= 3, name


VMX_STEPS = int(os.environ.get("VMX_STEPS", "500000"))  # twice at level 1, a fifth at level 2: a tenth of the long run
FUZZ = [("bochs", 1, 1, VMX_STEPS), ("bochs", 1, 2, VMX_STEPS), ("bochs", 2, 3, VMX_STEPS // 5),
        ("tcg", 1, 1, VMX_STEPS // 5), ("tcg", 2, 3, VMX_STEPS // 50)]  # an exit is dearer there than an instruction


@pytest.mark.parametrize("emulator, levels, seed, steps", FUZZ)
def test_cp_and_its_guest_survive_anything_the_guest_does_with_vmx(emulator, levels, seed, steps):
    done = run_piped("--machine", emulator, "--levels", str(levels), "--ipl", guest("vmx_fuzz"),
                     "--append", f"steps={steps} seed={seed}", timeout=300 + steps // 100)
    assert lines(done)[-1] == "still here"
    made = int(re.search(rb"(\d+) made", done.stdout).group(1))
    assert made > steps // 100 and done.returncode == 0
