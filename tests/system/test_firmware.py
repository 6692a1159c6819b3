"""Debian's SeaBIOS in a user's machine, and what it boots from a minidisk: a boot record of our own, and a CD's image
made by GRUB's tools, which may as well be on a disk, with Debian's Linux."""
import os
import shutil
import subprocess

import pexpect
import pytest

import harness

SEABIOS = "/usr/share/seabios/bios-256k.bin"
KERNEL = os.path.join(harness.ROOT, "build", "systems", "linux")
BOOT = 60
RECORD, CD = 0x500, 0x501
RECORD_BLOCKS, CD_BLOCKS = 256, 6144 # firmware wants a cylinder at least

# Says so by INT 10H, reads the second sector by INT 13H and says what is there, echoes keys of INT 16H, and powers off
# at a q.
BOOT_RECORD = """
    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw $0x7c00, %sp
    movw $text, %si
    call say
    movw $packet, %si
    movb $0x42, %ah
    int $0x13
    jc bad
    movw $0x7e00, %si
    call say
again:
    xorw %ax, %ax
    int $0x16
    call show
    cmpb $'q', %al
    jne again
    movw $0x604, %dx
    movw $0x2000, %ax
    outw %ax, %dx
bad:
    hlt
    jmp bad
say:
    lodsb
    testb %al, %al
    jz said
    call show
    jmp say
said:
    ret
show:
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    ret
text: .asciz "boot record runs\\r\\n"
packet: .byte 16, 0
    .word 1, 0x7e00, 0
    .quad 1
    .org 510
    .word 0xaa55
    .asciz "second sector read\\r\\n"
    .org 4096
"""

GRUB = """set timeout=-1
menuentry "Debian" {
    linux /boot/linux OPTIONS
    initrd /boot/initrd
}
"""


def record_made(folder):
    """A boot record's image."""
    source, code, image = folder / "record.s", folder / "record.o", folder / "record"
    source.write_text(BOOT_RECORD)
    subprocess.run(["as", "--32", str(source), "-o", str(code)], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", str(code), "-o", str(image)],
                   check=True)
    return image


def cd_made(folder, options="console=ttyS0 quiet"):
    """A hybrid image of a CD with GRUB and Linux."""
    tree = folder / "cd"
    (tree / "boot" / "grub").mkdir(parents=True)
    (tree / "boot" / "grub" / "grub.cfg").write_text(GRUB.replace("OPTIONS", options))
    for name, source in ("linux", KERNEL), ("initrd", KERNEL + ".initrd"):
        shutil.copy(source, tree / "boot" / name)
    subprocess.run(["grub-mkrescue", "--directory=/usr/lib/grub/i386-pc", "--fonts=", "--locales=", "--themes=",
                    "--install-modules=linux iso9660 part_msdos biosdisk normal", "-o", str(folder / "cd.iso"),
                    str(tree)], check=True, capture_output=True)
    return folder / "cd.iso"


def disk_with(folder, images):
    """A CP volume on which ALICE has these, by device number, on minidisks of their own."""
    with open(harness.DIRECTORY, encoding="utf-8") as source:
        text = source.read()
    first, disks, raw = 16384, "", []
    for number, (image, blocks) in images.items():
        disks += f"mdisk@{number:x} {{ extent = <{first} {blocks}>; }};\n"
        raw += ["--raw", f"ALICE:{number:X}:{image}"]
        first += blocks
    at = text.index("mdisk@191", text.index("ALICE {"))
    (folder / "directory.dts").write_text(text[:at] + disks + text[at:])
    subprocess.run(["dtc", "-q", "-o", str(folder / "directory.dtb"), str(folder / "directory.dts")], check=True)
    subprocess.run([os.path.join(harness.ROOT, "build", "mkimage"), str(folder / "disk.img"), "--sparse",
                    "--directory", str(folder / "directory.dtb"), *raw], check=True)
    return str(folder / "disk.img")


def alice(machine, host, disk, *options):
    m = machine("--machine", host, "--lines", "1", "--disk", disk, "--firmware", SEABIOS, *options)
    m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    m.console.type("LOGON ALICE NOIPL")
    m.console.expect("PASSWORD")
    m.console.type("vmn")
    m.console.expect("CP> ", 60)
    return m


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_a_boot_record_is_booted_by_its_disks_number(machine, tmp_path, host):
    m = alice(machine, host, disk_with(tmp_path, {RECORD: (record_made(tmp_path), RECORD_BLOCKS)}))
    m.console.type("IPL 502")
    m.console.expect("HCPNSS9014E Named saved system 502 does not exist")
    m.console.type("IPL 190") # which is CMS' own, and has no boot record
    m.console.expect("SeaBIOS", BOOT)
    m.console.expect("not a bootable disk", BOOT)
    m.console.type("#CP IPL 500")
    m.console.expect("SeaBIOS .*Booting from Hard Disk", BOOT)
    m.console.expect("boot record runs\r\nsecond sector read\r\n", BOOT)
    m.console.send("xyzq")
    m.console.expect("xyz", BOOT)
    m.console.expect("HCPGIR2629I", 60)
    m.console.type("#CP IPL CMS")
    m.console.expect(harness.READY, 60)


def choose(console):
    """The menu's first entry: GRUB forgets what is typed while it draws."""
    for _ in range(20):
        console.send("\r")
        try:
            console.expect("Linux is up", BOOT / 10)
            return
        except pexpect.TIMEOUT:
            pass
    raise AssertionError("no Linux")


def test_linux_boots_from_a_cds_image_on_a_minidisk_and_again(machine, tmp_path):
    m = alice(machine, "tcg", disk_with(tmp_path, {CD: (cd_made(tmp_path), CD_BLOCKS)}))
    m.console.type("DEFINE STORAGE 128M")
    m.console.expect("STORAGE = ", 30)
    m.console.type("IPL 501")
    for end in "reboot -f", "poweroff -f":
        m.console.expect("Booting from Hard Disk", BOOT)
        choose(m.console)
        m.console.expect("/ # ", 60)
        m.console.send("cat /sys/class/dmi/id/product_sku\r")
        m.console.expect("0501", 60)
        m.console.send("ls /sys/bus/acpi/devices\r")
        m.console.expect("PNP0A03", 60)
        m.console.send(end + "\r")
    m.console.expect("HCPGIR2629I", 60)
