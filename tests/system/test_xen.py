"""Debian's Xen, unmodified, in a machine of its own: begun by multiboot 2, it finds the machine's tables and begins
Debian's Linux as its dom0."""
import os

import harness

SYSTEMS = os.path.join(harness.ROOT, "build", "systems")
LINUX = os.path.join(SYSTEMS, "linux")


def test_xen_begins_a_linux_of_its_own_on_vmx(machine):
    m = machine("--machine", "bochs", "--memory", "1024", "--ipl", os.path.join(SYSTEMS, "xen"), "--append",
                "xen com1=115200,8n1 console=com1 dom0_mem=160M", "--module", LINUX, "--module-append",
                "console=hvc0 earlyprintk=xen", "--initrd", LINUX + ".initrd", "--guest-memory", "512")
    m.console.expect(r"\(XEN\) Xen version 4", 120)
    m.console.expect(r"\(XEN\) Bootloader: VM/N", 30)
    m.console.expect(r"ACPI: RSDP 000F0FC0, 0024 \(r2 VMN", 30)
    m.console.expect("Linux version .*Debian", 120)
    m.console.expect("Command line: console=hvc0 earlyprintk=xen", 60)
    m.console.expect("p2m virtual area", 60)
