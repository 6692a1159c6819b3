"""The same CP on other hosts: QEMU without any virtualization hardware (SVM in software), hosts that lack something, the boot image."""
import os
import stat
import subprocess
import sys

import harness
import pexpect
import pytest
from harness import ROOT, guest, run_piped

QEMU = "qemu-system-x86_64"


def transcript(name):
    with open(os.path.join(ROOT, "tests", "guest", "expected", name + ".txt"), encoding="ascii") as text:
        return text.read().splitlines()


def test_a_payload_runs_and_its_status_comes_out():
    done = run_piped("--machine", "tcg", "--ipl", guest("hello"))
    assert b"hello from a bare machine" in done.stdout
    assert done.returncode == 0


def test_a_triple_fault_stops_the_guest_and_not_cp():
    done = run_piped("--machine", "tcg", "--ipl", guest("triple"))
    assert b"triple fault" in done.stdout
    assert done.returncode == 125


def test_a_user_works_with_files(machine, tmp_path):
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "1")
    alice = m.console
    alice.expect("Enter LOGON")
    alice.logon("ALICE")
    alice.cms("PIPE literal written on QEMU| > qemu text a")
    assert alice.code == 0
    assert "written on QEMU" in alice.cms("TYPE QEMU TEXT A")
    assert "QEMU     TEXT" in alice.cms("LISTFILE * * A")


@pytest.mark.parametrize("name", ["vmx_bitmaps", "vmx_instructions"])
def test_virtual_vmx_on_svm_is_that_of_vmx_hardware(name):
    """The payloads that ask for nothing the SVM backend does not offer (docs/hosts.md) print what VMX hardware makes them print."""
    said = run_piped("--machine", "tcg", "--ipl", guest(name)).stdout.decode("latin-1").replace("\r", "")
    assert said.splitlines() == transcript(name)


@pytest.mark.parametrize("depth", [2, 3])
def test_cms_runs_beneath_several_levels_of_cp(machine, tmp_path, depth):
    image = tmp_path / "tower.img"
    subprocess.run([os.path.join(ROOT, "scripts", "tower"), str(depth), image], check=True)
    m = machine("--machine", "tcg", "--disk", str(image), "--lines", "1", "--logon", "CP2")
    m.console.expect(harness.READY, timeout=60)
    assert "191" in m.console.cms("QUERY DISK", timeout=60)


def kvm_offers_nesting():
    """As far as one can tell without asking it."""
    def says(module):
        try:
            with open(f"/sys/module/{module}/parameters/nested", encoding="ascii") as value:
                return value.read().strip() in ("Y", "1")
        except OSError:
            return False
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and any(map(says, ("kvm_intel", "kvm_amd")))


@pytest.mark.skipif(kvm_offers_nesting(), reason="KVM may offer nested virtualization here")
def test_without_nested_hardware_auto_is_qemu_in_software(tmp_path):
    seen = tmp_path / "arguments"
    emulator = tmp_path / "qemu-that-tells"
    emulator.write_text(f"#!/bin/sh\necho \"$@\" >>{seen}\nexec {QEMU} \"$@\"\n")
    emulator.chmod(0o755)
    done = run_piped("--machine", "auto", "--ipl", guest("hello"), env={"VMN_QEMU": str(emulator)})
    assert b"hello from a bare machine" in done.stdout
    assert done.returncode == 0
    assert "accel=tcg" in seen.read_text()


@pytest.mark.skipif(kvm_offers_nesting(), reason="KVM may offer nested virtualization here")
def test_kvm_without_nesting_is_refused_with_its_reason():
    done = run_piped("--machine", "kvm", "--ipl", guest("hello"))
    said = done.stderr.decode().splitlines()
    assert done.returncode == 2 and done.stdout == b""
    assert len(said) == 1 and said[0].startswith("vmn: no kvm here: ")


def emulator_without(tmp_path, feature):
    """A QEMU whose processor lacks it."""
    path = tmp_path / f"qemu-without-{feature}"
    path.write_text(f"#!{sys.executable}\nimport os, sys\n"
                    f"a = [x.replace('+{feature}', '-{feature}') for x in sys.argv[1:]]\n"
                    f"os.execvp('{QEMU}', ['{QEMU}'] + a)\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_host_with_neither_is_told_what_it_lacks(tmp_path):
    done = run_piped("--machine", "tcg", env={"VMN_QEMU": emulator_without(tmp_path, "svm")})
    said = [line for line in done.stdout.decode("latin-1").splitlines() if "HCPISU951E" in line]
    assert len(said) == 1
    assert "lacks VMX (CPUID leaf 1 ECX bit 5), and SVM (CPUID leaf 80000001H ECX bit 2)" in said[0]
    assert done.returncode == 1


def test_the_boot_image_boots(tmp_path):
    subprocess.run(["make", "-s", "build/vmn.iso"], cwd=ROOT, check=True)
    disk = harness.new_disk(tmp_path / "disk.img")
    child = pexpect.spawn(QEMU, ["-accel", "tcg", "-cpu", "max,+svm", "-m", "512", "-display", "none", "-monitor", "none",
                                 "-serial", "stdio", "-no-reboot", "-boot", "d", "-cdrom", os.path.join(ROOT, "build", "vmn.iso"),
                                 "-drive", f"file={disk},format=raw,if=none,id=disk",
                                 "-device", "virtio-blk-pci,drive=disk,disable-legacy=on"],
                          encoding="latin-1", timeout=60)
    try:
        child.expect("Enter LOGON")
    finally:
        child.close(force=True)
