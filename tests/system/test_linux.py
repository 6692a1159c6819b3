"""Debian's Linux, unmodified, in a user's machine: it finds its disks, reads its keyboard, and powers off."""
import os
import re
import struct

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


# 32-bit code that prints its command line at COM1 and powers off: what Linux' protocol hands over, and no more
CODE = bytes.fromhex("8bb628020000"  # mov esi, [esi + 228h]
                     "66baf803"      # mov dx, 3f8h
                     "ac84c07403"    # next: lodsb; test al, al; jz end
                     "eeebf8"        # out dx, al; jmp next
                     "66ba0406"      # end: mov dx, 604h
                     "66b80020"      # mov ax, 2000h
                     "66effaf4")     # out dx, ax; cli; hlt


def small_kernel():
    setup = bytearray(1024)
    setup[0x1F1] = 1
    struct.pack_into("<I", setup, 0x1F4, len(CODE) // 16)
    struct.pack_into("<H", setup, 0x1FE, 0xAA55)
    setup[0x201] = 0x6A
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", setup, 0x206, 0x20F)
    setup[0x211] = 1
    struct.pack_into("<III", setup, 0x22C, 0x7FFFFFFF, 0, 1)
    struct.pack_into("<I", setup, 0x238, 255)
    struct.pack_into("<QI", setup, 0x258, 1 << 20, 1 << 16)
    return bytes(setup) + CODE


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_a_kernel_on_a_minidisk_runs_by_its_name(machine, tmp_path, host):
    disk = harness.new_disk(tmp_path / "disk.img")
    (tmp_path / "small").write_bytes(small_kernel())
    harness.cmsdisk(disk, "ALICE", "191", "put", "--recfm", "F", "--lrecl", "1", "--binary", str(tmp_path / "small"),
                    "SMALL", "KERNEL")
    m = machine("--machine", host, "--lines", "1", "--disk", disk)
    m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    m.console.logon("ALICE")
    assert "BZIMAGE" in m.console.cms("EEL QUERY SMALL KERNEL")
    assert "console=ttyS0" in m.console.cms("small", 60) and m.console.code == 0
    assert "root=/dev/vda quiet" in m.console.cms("small root=/dev/vda quiet", 60) and m.console.code == 0


def test_a_linux_kernel_that_is_cut_off_is_refused(tmp_path):
    cut = tmp_path / "linux"
    with open(KERNEL, "rb") as kernel:
        cut.write_bytes(kernel.read(1 << 20))
    done = harness.run_piped("--ipl", str(cut), "--guest-memory", "192")
    assert "shorter than its header says" in done.stdout.decode()
    assert done.returncode not in (0, 70)
