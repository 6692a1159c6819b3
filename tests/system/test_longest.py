"""How long CP keeps its interrupts waiting, whatever is asked of it (tests/guest/longest.c): Bochs counts instructions,
so the bound is one of instructions (cp/time/work.h)."""
import longest


def test_nothing_a_user_does_keeps_interrupts_waiting_beyond_the_bound(tmp_path):
    found = longest.stretches(tmp_path)
    assert {"INTERRUPT", "USERS", "WORK", "VMCALL", "I/O", "EPT VIOLATION", "VMRESUME", "VMXOFF"} <= set(found), found
    beyond = {what: ticks for what, ticks in found.items() if ticks > longest.BOUND}
    assert not beyond, f"instructions without a look at interrupts, at most {longest.BOUND}: {beyond}"
