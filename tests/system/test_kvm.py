"""Linux with KVM in a user's machine: it finds VMX whatever processor is beneath, and keeps its clock. What runs by
that KVM is asked in test_hypervisors."""
import kvm_linux

UP = 300  # seconds, on a busy machine
CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"


def test_linux_loads_kvm_intel_on_svm_and_keeps_the_tsc(machine):
    m = machine(*kvm_linux.options("tcg"))
    assert kvm_linux.up(m.console, UP) == "kvm_intel"
    assert "GenuineIntel" in kvm_linux.shell(m.console, "grep vendor_id /proc/cpuinfo")
    assert "/dev/kvm" in kvm_linux.shell(m.console, "ls /dev/kvm").replace("ls /dev/kvm", "", 1)
    assert "\ntsc" in kvm_linux.shell(m.console, "cat " + CLOCK).replace("\r", "")
    said = kvm_linux.shell(m.console, "dmesg | grep -c -e 'unchecked MSR' -e 'disabled by bios' -e unstable")
    assert said.split()[-1] == "0"
    m.console.send("poweroff -f\r")
    assert m.wait(60) == 0
