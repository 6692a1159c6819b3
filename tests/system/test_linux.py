"""Debian's Linux, unmodified, in a user's machine: it finds its disks, reads its keyboard, and powers off."""
import os
import re

import pytest

import harness

KERNEL = os.path.join(harness.ROOT, "build", "systems", "linux")
INITRD = KERNEL + ".initrd"
CMS1 = "c3 d4 e2 f1" # the label of a minidisk, in EBCDIC
BOOT = 300


def shell(console, command):
    console.send(command + "\r")
    return console.expect("\n/ # ", 60)


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_linux_of_a_command_line_runs_and_powers_off(machine, host):
    m = machine("--machine", host, "--ipl", KERNEL, "--initrd", INITRD, "--append", "console=ttyS0 quiet",
                "--guest-memory", "192")
    m.console.expect("Linux is up", BOOT)
    m.console.expect("/ # ", 60)
    assert "console=ttyS0 quiet" in shell(m.console, "cat /proc/cmdline")
    interrupts = shell(m.console, "cat /proc/interrupts")
    assert re.search(r"^ +4: +\d+ +IO-APIC +4-edge +ttyS0", interrupts, re.M)
    assert re.search(r"^ +9: .* acpi", interrupts, re.M)
    assert "LNXSYSTM" in shell(m.console, "ls /sys/bus/acpi/devices")
    assert "VM/N" in shell(m.console, "cat /sys/class/dmi/id/sys_vendor")
    m.console.send("poweroff -f\r")
    assert m.wait(60) == 0


def test_a_user_ipls_linux_by_name_and_cms_again(machine, tmp_path):
    m = machine("--machine", "tcg", "--lines", "1", "--disk", harness.new_disk(tmp_path / "disk.img"),
                "--module", KERNEL, "--initrd", INITRD)
    m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    m.console.logon("ALICE")
    m.console.type("#CP IPL LINUX PARM console=ttyS0 quiet")
    m.console.expect("DEFINE STORAGE gives it", 30)
    m.console.type("DEFINE STORAGE 128M")
    m.console.expect("STORAGE = ", 30)
    m.console.type("IPL LINUX PARM console=ttyS0 quiet")
    m.console.expect("Linux is up", BOOT)
    m.console.expect("/ # ", 60)
    assert CMS1 in shell(m.console, "dd if=/dev/vda bs=512 skip=1 count=1 2>/dev/null | hexdump -C | head -n 1")
    assert "LINUX" in shell(m.console, "cat /sys/class/dmi/id/product_sku")
    m.console.send("poweroff -f\r")
    m.console.expect("HCPGIR|CP", 60)
    m.console.type("#CP IPL CMS")
    m.console.expect(harness.READY, 60)


def test_a_linux_kernel_that_is_cut_off_is_refused(tmp_path):
    cut = tmp_path / "linux"
    with open(KERNEL, "rb") as kernel:
        cut.write_bytes(kernel.read(1 << 20))
    done = harness.run_piped("--ipl", str(cut), "--guest-memory", "192")
    assert "shorter than its header says" in done.stdout.decode()
    assert done.returncode not in (0, 70)
