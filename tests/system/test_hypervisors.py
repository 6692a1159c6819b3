"""Hypervisors in a user's machine, on VMX hardware (Bochs) and on SVM (QEMU), and what runs in them. `make
test-systems` runs these: a Linux that boots on Bochs beneath two hypervisors takes minutes."""
import harness
import kvm_linux
import pytest

pytestmark = pytest.mark.long
PATIENCE = 1200
HOSTS = ["tcg", "bochs"]


@pytest.mark.parametrize("host", HOSTS)
def test_kvm_runs_linux_and_reboots_it(machine, host):
    m = machine(*kvm_linux.options(host))
    assert kvm_linux.up(m.console, PATIENCE) == "kvm_intel"
    m.console.send("inner linux\r")
    m.console.expect("Linux is up", PATIENCE)
    m.console.expect(kvm_linux.PROMPT, PATIENCE)
    m.console.send("reboot -f\r")
    m.console.expect("Linux is up", PATIENCE)
    m.console.expect(kvm_linux.PROMPT, PATIENCE)
    kvm_linux.shell(m.console, "poweroff -f", PATIENCE)
    m.console.send("poweroff -f\r")
    assert m.wait(PATIENCE) == 0


@pytest.mark.parametrize("host", HOSTS)
def test_cp_runs_beneath_kvm_beneath_cp(machine, tmp_path, host):
    m = machine(*kvm_linux.options(host, kvm_linux.initrd_with(tmp_path, "cp.elf", "cms.elf")))
    kvm_linux.up(m.console, PATIENCE)
    m.console.send('inner /cp.elf "/cms.elf cms"\r')
    m.console.expect("Enter LOGON", PATIENCE)
    m.console.logon("OPERATOR", timeout=PATIENCE)
    assert "LEVEL 0: KVM, VMX" in m.console.cms("CP QUERY NEST", PATIENCE)
    m.console.send("#CP SHUTDOWN\r")
    m.console.expect(kvm_linux.PROMPT, PATIENCE)
    m.console.send("poweroff -f\r")
    assert m.wait(PATIENCE) == 0
