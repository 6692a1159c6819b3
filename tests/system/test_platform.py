"""The interrupt controllers and clocks as a kernel uses them: tests/guest/platform.c in a VM, and
on the emulator's own devices."""
import os
import re

import pytest

from harness import ROOT, guest, run_piped

# what Bochs' own devices do not do as the SDM says; a VM's must
BOCHS_LACKS = {
    "deadline_clears_itself", "x2_lvt_reserved", "x2_self_ipi_reserved", "not_straight_to_x2apic", "base_reserved_bit",
    "enabled_in_cpuid", "enabled_again_it_works",
}


def results(done):
    lines = done.stdout.decode("latin-1").replace("\r", "").splitlines()
    assert lines[-1] == "end", lines[-3:]
    assert len(lines) > 45
    return lines[:-1]


def test_a_machine_under_cp_passes_every_check():
    done = run_piped("--machine", "bochs", "--ipl", guest("platform"))
    assert [line for line in results(done) if not line.startswith("ok ")] == []
    assert done.returncode == 0


def test_the_checks_hold_on_the_bare_machine_too():
    done = run_piped("--machine", "bochs", "--lines", "1", env={"VMN_CP": guest("platform")})
    failed = {line.split()[1].rstrip(":") for line in results(done) if not line.startswith("ok ")}
    assert failed <= BOCHS_LACKS


# the place of each trap: none behind a load of SS, one behind each element of a repetition
STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19]


HOSTS = pytest.mark.parametrize("options", [
    ("--machine", "bochs", "--lines", "1"), ("--machine", "bochs"), ("--machine", "tcg"),
    ("--machine", "bochs", "--levels", "2"), ("--machine", "tcg", "--levels", "2"),
], ids=["bare", "VMX", "SVM", "VMX twice", "SVM twice"])


BENEATH_CP = pytest.mark.parametrize("options", [
    ("--machine", "bochs"), ("--machine", "tcg"), ("--machine", "bochs", "--levels", "2"),
    ("--machine", "tcg", "--levels", "2"),
], ids=["VMX", "SVM", "VMX twice", "SVM twice"])


def printed(name, options):
    bare = "--lines" in options
    done = run_piped(*options, *(() if bare else ("--ipl", guest(name))), env={"VMN_CP": guest(name)} if bare else {},
                     timeout=120)
    return done.stdout.decode("latin-1").replace("\r", "").splitlines()


@HOSTS
def test_a_stepped_program_is_trapped_behind_what_cp_does_for_it_too(options):
    lines = printed("step", options)
    assert lines[-2:] == ["ok DR6.BS with each", "end"]
    assert [int(line) for line in lines[:-2]] == STEPS


@HOSTS
def test_a_stepped_program_is_trapped_once_where_it_touches_pages_first(options):
    assert printed("step_touch", options) == ["0 1 2 3 4 5 6 7 9 10 11"] * 2


@HOSTS
def test_the_resume_flag_is_cleared_behind_what_cp_does_and_set_in_its_faults(options):
    lines = printed("resume_flag", options)
    assert len(lines) == 13 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1]), lines


@HOSTS
def test_a_status_word_in_memory_faults_as_a_word_does(options):
    lines = printed("status_word", options)
    assert len(lines) == 21 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1]), lines


# QEMU's repetitions are met by their breakpoint again after each element
QEMU_LACKS = {"stosb", "movsb", "lodsb", "scasb"}


@HOSTS
def test_an_instruction_executed_again_for_a_page_is_one_to_its_debugger(options):
    lines = printed("again", options)
    assert len(lines) == 27 and lines[-1] == "end", lines
    failed = {line.split()[1] for line in lines if line.startswith("FAIL")}
    steps = lines[lines.index("steps"):lines.index("a page that is absent in its midst")]
    assert failed <= (QEMU_LACKS if "tcg" in options else set()), lines
    assert not [line for line in steps if line.startswith("FAIL")]


# Bochs' traps amidst a repetition have no RF, and it meets a port's breakpoint when nothing is left to repeat. CP gives
# QEMU no breakpoints on data to meet by itself (payloads.py, QEMU_DATA_BREAKPOINT), as the load of SS would.
BOCHS_LACKS_IN_WATCH = {"REP INS: with RF", "none of it left", "REP MOVS: with RF"}
QEMU_LACKS_IN_WATCH = {"a load of SS, then IN", "a load of SS, then REP INS", "the same with a step"}


@HOSTS
def test_breakpoints_on_data_and_ports_trap_behind_what_cp_does_too(options):
    lines = printed("watch", options)
    assert len(lines) == 43 and lines[-1] == "end", lines
    failed = {re.match(r"FAIL ([^:]*(?:: with RF)?)", line).group(1) for line in lines if line.startswith("FAIL")}
    assert failed == (BOCHS_LACKS_IN_WATCH if "--lines" in options else
                      QEMU_LACKS_IN_WATCH if "tcg" in options else set()), lines


@BENEATH_CP
def test_debugctl_has_btf_and_no_branch_records(options):
    lines = printed("vmx_debugctl", options)
    assert len(lines) == 19 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1]), lines


@HOSTS
def test_an_nmi_waits_for_the_iret_of_the_one_before_to_be_complete(options):
    assert [line[:3] for line in printed("nmi", options)] == ["ok "] * 3 + ["end"]


# behind STI QEMU traps only after the next instruction
QEMU_TRAPS = {"step_sti_cpuid: s10 i10 s12 s13 s14 s21 s22": "step_sti_cpuid: s12 i12 s13 s14 s21 s22"}


@HOSTS
def test_what_waits_comes_at_the_boundary_it_should_whoever_made_the_instruction(options):
    with open(os.path.join(ROOT, "tests", "guest", "expected", "boundary.txt"), encoding="ascii") as transcript:
        expected = transcript.read().splitlines()
    if "tcg" in options:
        expected = [QEMU_TRAPS.get(line, line) for line in expected]
    assert printed("boundary", options) == expected


@HOSTS
def test_behind_the_last_instruction_before_an_edge_a_program_goes_on_where_it_should(options):
    lines = printed("edge", options)
    assert len(lines) == 19 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1]), lines


@BENEATH_CP
def test_an_event_arrives_as_it_is_on_a_stack_that_was_not_given_yet(options):
    lines = printed("delivery", options)
    assert len(lines) == 25 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1]), lines


@pytest.mark.parametrize("options", [("--machine", "bochs"), ("--machine", "tcg")], ids=["VMX", "SVM"])
def test_behind_and_between_the_registers_of_the_interrupt_controllers_is_nothing(options):
    lines = printed("apic_space", options)
    assert len(lines) == 6 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1]), lines


# QEMU 7.2 looks at neither, without CP too
QEMU_TAKES = {"a reserved bit of MXCSR", "by FXRSTOR too", "CR0.TS", "and behind an exit"}


@HOSTS
def test_a_guest_has_the_components_it_is_offered_and_loads_no_state_that_is_none(options):
    lines = printed("xcr0", options)
    failed = {line.removeprefix("FAIL ").split(":")[0] for line in lines[:-1] if not line.startswith("ok ")}
    assert len(lines) == 15 and lines[-1] == "end" and failed == (QEMU_TAKES if "tcg" in options else set()), lines


# QEMU's APIC has no accesses but of four bytes, and QEMU takes LOCK with a load; Bochs' APIC ends Bochs at a wider one
QEMU_DEVICE_LACKS = {"mov_bh", "movzx", "movsx", "push", "xlat", "cmpxchg16b", "movups", "movaps", "movdqu", "lddqu",
                     "movq", "movlps", "movq_mm", "vmovups", "vmovdqu", "pop", "movups_to", "movntps_to", "movhps_to",
                     "vmovdqu_to", "lock_mov", "mov_in_16"}
FORMS = 98


@pytest.mark.parametrize("options", [
    ("--machine", "bochs"), ("--machine", "tcg"), ("--machine", "bochs", "--levels", "2"),
    ("--machine", "tcg", "--levels", "2"),
], ids=["VMX", "SVM", "VMX twice", "SVM twice"])
def test_an_instruction_does_to_a_device_what_it_does_to_storage_for_a_guests_guest_too(options):
    lines = printed("device_operand", options)
    assert len(lines) == 2 * FORMS + 1 and lines[-1] == "end", lines
    assert [line for line in lines[:-1] if not line.startswith("ok ")] == []


def test_what_an_instruction_does_to_a_device_holds_on_the_bare_machine_too():
    lines = printed("device_operand", ("--machine", "tcg", "--lines", "1"))
    failed = {line.split()[1].rstrip(":") for line in lines[:-1] if not line.startswith("ok ")}
    assert len(lines) == FORMS + 1 and lines[-1] == "end", lines
    assert failed <= QEMU_DEVICE_LACKS


SEGMENT_FORMS = 51


@pytest.mark.parametrize("options", [
    ("--machine", "bochs"), ("--machine", "tcg"), ("--machine", "bochs", "--levels", "2"),
    ("--machine", "tcg", "--levels", "2"),
], ids=["VMX", "SVM", "VMX twice", "SVM twice"])
def test_a_selector_in_a_device_loads_what_one_in_storage_does_for_a_guests_guest_too(options):
    lines = printed("device_segment", options)
    assert len(lines) == 2 * SEGMENT_FORMS + 1 and lines[-1] == "end", lines
    assert [line for line in lines[:-1] if not line.startswith("ok ")] == []


@HOSTS
def test_a_kernel_that_knows_no_tree_finds_what_firmware_leaves(options):
    lines = printed("firmware", options)
    assert len(lines) == 10 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1]), lines


# What a kernel with an xAPIC pays, in instructions: bench/bench apic takes the same
APIC_BOUND = {"eoi": 750, "tpr_write": 750, "tpr_read": 720, "icr_write": 750, "icr_read": 720, "count_read": 750,
              "tick": 1500}


@pytest.mark.parametrize("host, levels", [("bochs", "1"), ("bochs", "2"), ("tcg", "1"), ("tcg", "2")])
def test_a_kernel_with_an_xapic_gets_its_ticks_and_does_not_pay_more_than_was_promised(host, levels):
    bracket, *lines, end = printed("apic", ("--machine", host, "--levels", levels, "--cpu-clock", "fast"))
    paid = {line.split()[1]: int(line.split()[2].removeprefix("min=")) for line in lines}
    assert bracket.startswith("R bracket ") and end == "end" and paid.keys() == APIC_BOUND.keys(), lines
    if (host, levels) == ("bochs", "1"):
        assert {name: cost for name, cost in paid.items() if cost > APIC_BOUND[name]} == {}


# QEMU's time is the host's, and what it has not translated yet takes a hundred times as long as what it has
@pytest.mark.parametrize("host, levels, least", [
    ("bochs", "1", 30), ("bochs", "2", 30), ("bochs", "3", 30), ("tcg", "1", 0), ("tcg", "2", 0), ("tcg", "3", 0),
])
def test_a_timer_faster_than_its_handler_leaves_the_program_time(host, levels, least):
    *timers, end = printed("storm", ("--machine", host, "--levels", levels))
    assert len(timers) == 9 and end == "end", timers
    ticks = {line.split(":")[0]: int(line.split()[-4]) for line in timers}
    shares = {line.split(":")[0]: int(line.split()[-2]) for line in timers}
    assert ticks.pop("PIT 1 us, masked") == 0
    assert min(shares.values()) >= least, timers
    assert sum(ticks.values()) > 10, timers
    if host == "bochs":
        assert min(ticks.values()) >= 1, timers
