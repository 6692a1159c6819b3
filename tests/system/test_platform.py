"""The interrupt controllers and clocks as a kernel uses them: tests/guest/platform.c in a VM, and on the emulator's own devices."""
from harness import guest, run_piped

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
