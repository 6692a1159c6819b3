"""The same CP on other hosts: QEMU without any virtualization hardware (SVM in software), hosts that
lack something, the boot image."""
import glob
import os
import random
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time

import harness
import pexpect
import pytest
from harness import ROOT, guest, run_piped

QEMU = "qemu-system-x86_64"


def test_a_payload_runs_and_its_status_comes_out():
    done = run_piped("--machine", "tcg", "--ipl", guest("hello"))
    assert b"hello from a bare machine" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("levels", [1, 2])
def test_a_triple_fault_stops_the_guest_and_not_cp_and_has_a_status_no_guest_can_give(levels):
    done = run_piped("--machine", "tcg", "--levels", str(levels), "--ipl", guest("triple"))
    assert b"triple fault" in done.stdout
    assert done.returncode == 125
    said = run_piped("--machine", "tcg", "--levels", str(levels), "--ipl", guest("echo"), data=b"Q\xad")
    assert said.returncode == 124  # it wrote 125


def test_as_many_systems_as_are_taken_are_offered_and_one_twice_is_told(machine, tmp_path):
    names = [f"SYS{n}" for n in range(12)]
    for name in names:
        shutil.copy(guest("echo"), tmp_path / f"{name.lower()}.elf")
    modules = [word for name in names + names[:1] for word in ("--module", str(tmp_path / f"{name.lower()}.elf"))]
    m = machine("--machine", "tcg", "--lines", "1", *modules, "--disk", harness.new_disk(tmp_path / "disk.img"))
    m.console.expect("HCPISU9034W System SYS0 is not offered: there is one of that name\r")
    m.console.expect("CP> ")
    m.console.type("LOGON ALICE NOIPL")
    m.console.expect("PASSWORD")
    m.console.type("vmn")
    m.console.expect("CP> ")
    m.console.type("QUERY NSS")
    said = m.console.expect("CP> ")
    for name in ["CP", "CMS", *names]:
        assert re.search(rf"\b{name}\b", said), said
    m.console.type("IPL SYS11")
    m.console.expect("echo ready")


@pytest.mark.parametrize("levels", [1, 2])
def test_code_that_changes_is_carried_out_as_it_is_now(levels):
    """CP fetches what SVM does not tell, and keeps the way there; a guest may change every step of it."""
    done = run_piped("--machine", "tcg", "--levels", str(levels), "--ipl", guest("code"))
    assert b"end" in done.stdout and b"FAIL" not in done.stdout
    assert done.returncode == 0


def test_a_user_works_with_files(machine, tmp_path):
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "1")
    alice = m.console
    alice.expect("Enter LOGON")
    alice.logon("ALICE")
    alice.cms("PIPE literal written on QEMU| > qemu text a")
    assert alice.code == 0
    assert "written on QEMU" in alice.cms("TYPE QEMU TEXT A")
    assert "QEMU     TEXT" in alice.cms("LISTFILE * * A")


# ---- lines on a virtio console ------------------------------------------------------------

def echoing(machine, tmp_path, lines):
    """A machine whose users' IPL is a payload that echoes each byte as [hex]; ALICE and BOB on lines 2 and 3."""
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", str(lines),
                env={"VMN_CMS": guest("echo")})
    for number, user in ((2, "ALICE"), (3, "BOB")):
        line = m.line(number)
        line.expect("Enter LOGON")
        line.type("LOGON " + user)
        line.expect("(?i)password")
        line.type("vmn")
        line.expect("echo ready")
    return m


def typed_and_echoed(line, seed):
    """Types 17000 bytes, more than CP keeps of what is typed ahead, without waiting for their
    echo; True: all came back in order."""
    dice = random.Random(seed)
    typed = bytes(dice.choice(b"abcdeghijklmnop0123456789 ") for _ in range(17000))
    wanted = b"".join(b"[%02x]" % byte for byte in typed)
    fd = line.child.child_fd

    def keys():
        for at in range(0, len(typed), 500):
            left = typed[at:at + 500]
            while left:
                left = left[os.write(fd, left):]

    typist = threading.Thread(target=keys, daemon=True)
    typist.start()
    seen = b""
    while len(seen) < len(wanted):
        seen += os.read(fd, 65536).replace(b"\r", b"").replace(b"\n", b"")
    typist.join()
    return seen == wanted


def test_two_users_at_once_lose_no_byte(machine, tmp_path):
    m = echoing(machine, tmp_path, 3)
    results = {}
    users = [threading.Thread(target=lambda n=n: results.update({n: typed_and_echoed(m.line(n), n)}), daemon=True)
             for n in (2, 3)]
    for user in users:
        user.start()
    for user in users:
        user.join(120)
    assert results == {2: True, 3: True}


def test_a_user_who_does_not_read_holds_up_nobody_else(machine, tmp_path):
    m = echoing(machine, tmp_path, 3)
    m.line(2).send("F")  # 4500 lines, which nobody looks at
    m.line(3).send("abc")
    m.line(3).expect(r"\[61\]\[62\]\[63\]", timeout=60)
    said = m.line(2).expect_exact("04499 the quick brown fox", timeout=120)
    assert [int(n) for n in said.replace("\r", "").split("\n")[-2:-1] for n in [n[:5]]] == [4498]


def a_disk_with_a_long_file(tmp_path):
    disk = harness.new_disk(tmp_path / "disk.img")
    (tmp_path / "long").write_text("a secret of the one who left\n" * 30000)
    harness.cmsdisk(disk, "ALICE", "191", "put", str(tmp_path / "long"), "LONG", "TEXT")
    return disk


def test_who_leaves_with_much_unread_leaves_none_of_it_and_a_line_that_works(machine, tmp_path):
    """QEMU loses for good what it could not write when the line's socket closes; a pty keeps
    what was not read for the next."""
    m = machine("--machine", "tcg", "--disk", a_disk_with_a_long_file(tmp_path))
    m.line(2).expect("Enter LOGON")
    m.line(2).logon("ALICE")
    m.line(2).type("TYPE LONG TEXT")
    time.sleep(5)  # nobody reads: all on the way is full by then
    m.line(2).close()
    del m.lines[2]
    time.sleep(3)  # the relay has seen that nobody is there
    assert "secret" not in m.line(2).expect("Enter LOGON", timeout=60)
    m.line(2).logon("BOB")


def a_front_end(m, number):
    """One of one's own on the line's socket, in place of vmn-relay: it does not read a
    socket dry before it closes it."""
    [place] = glob.glob(os.path.join(m.temporary, "*", f"line{number}"))
    directory = os.open(os.path.dirname(place), os.O_PATH)
    plug = socket.socket(socket.AF_UNIX)
    plug.connect(f"/proc/self/fd/{directory}/line{number}")  # a socket's path may not be long
    os.close(directory)
    return plug, harness.Line(pexpect.fdpexpect.fdspawn(plug.fileno(), encoding="latin-1", timeout=20), None)


def test_a_line_works_again_whatever_its_front_end_left_unread_when_it_closed_the_socket(machine, tmp_path):
    """QEMU keeps for good what it has written of in part only: CP goes on without it."""
    m = machine("--machine", "tcg", "--disk", a_disk_with_a_long_file(tmp_path))
    m.line(2).expect("Enter LOGON")
    m.line(2).close()
    del m.lines[2]
    time.sleep(1)  # the relay has closed its end
    for _ in range(3):
        plug, line = a_front_end(m, 2)
        line.expect("Enter LOGON")
        line.type("LOGON ALICE")
        line.expect("(?i)password")
        line.type("vmn")
        line.expect("(?i)logon at|reconnected")
        time.sleep(1)
        line.type("TYPE LONG TEXT")
        time.sleep(3)
        plug.close()
    plug, line = a_front_end(m, 2)
    with plug:
        assert "secret" not in line.expect("Enter LOGON")
        line.logon("BOB")


def test_what_was_typed_as_its_user_left_is_typed_to_nobody_who_comes(machine):
    m = machine("--machine", "tcg")
    for _ in range(10):
        line = m.line(2)
        line.expect("Enter LOGON")
        line.type("LOGON BOB")
        line.expect("(?i)password")
        line.send("half a word")  # and goes, in one look of the relay's or in two
        line.close()
        del m.lines[2]
        time.sleep(0.3)


def test_a_terminal_joins_a_further_line_and_leaves_it_as_it_was(machine, tmp_path):
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"))
    m.console.expect("vmn: line 2 is (\\S+)\r")
    name = m.console.match[1]
    command = f"stty -a; {harness.VMN} --join {name}; echo status $?; stty -a"
    shell = pexpect.spawn("/bin/sh", ["-c", command], encoding="latin-1", timeout=30, dimensions=(24, 200))
    window = harness.Line(shell, None)
    before = window.expect("Enter LOGON")
    window.logon("ALICE")
    window.send("\x1d\x1d")  # is one Ctrl-], of which CMS shows nothing
    assert "ALI191" in window.cms("QUERY DISK")
    window.send("\x1dq")
    window.expect(rf"vmn: left {name}\r\n")
    window.expect(r"status 0\r\n")
    window.expect(pexpect.EOF)
    assert " icanon" in shell.before and shell.before.strip() in before
    m.console.logon("OPERATOR")
    assert "ALICE    - DSC" in m.console.cms("CP QUERY NAMES")
    refused = run_piped("--join", str(tmp_path))
    assert refused.returncode == 2 and refused.stderr.startswith(b"vmn: ")


def test_who_joined_a_line_leaves_behind_a_paste_that_it_does_not_take():
    line, name = os.openpty()
    window = pexpect.spawn(harness.VMN, ["--join", os.ttyname(name)], encoding="latin-1", timeout=30)
    window.setecho(False)
    window.waitnoecho()
    window.send("A" * 200000)
    window.send("\x1dq")
    window.expect(f"vmn: left {os.ttyname(name)}")
    window.expect(pexpect.EOF)
    window.close()
    assert window.exitstatus == 0
    assert set(os.read(line, 4096)) == {ord("A")}  # as much as it took
    os.close(line)
    os.close(name)


def test_what_is_piped_into_a_joined_line_is_all_given_before_it_is_left():
    line, name = os.openpty()
    taken = bytearray()

    def take():
        while len(taken) < 100000:
            taken.extend(os.read(line, 4096))

    reader = threading.Thread(target=take)
    reader.start()
    done = run_piped("--join", os.ttyname(name), data=b"0123456789" * 10000)
    reader.join(30)
    assert done.returncode == 0 and bytes(taken) == b"0123456789" * 10000
    os.close(line)
    os.close(name)


def test_a_user_whose_line_drops_is_disconnected_and_finds_everything_again(machine, tmp_path):
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"))
    line = m.line(2)
    line.expect("Enter LOGON")
    line.logon("ALICE")
    line.cms("PIPE literal kept| > kept text a")
    line.send("TYPE KEPT")
    line.expect("TYPE KEPT")  # CMS has it
    line.close()
    del m.lines[2]
    m.console.expect("Enter LOGON")
    m.console.type("LOGON OPERATOR NOIPL")
    m.console.expect("(?i)password")
    m.console.type("vmn")
    for _ in range(50):
        m.console.type("QUERY NAMES")
        if m.console.expect(r"ALICE +- (\w+)") is not None and m.console.match.group(1) == "DSC":
            break
    else:
        pytest.fail("ALICE is still there")
    line = m.line(2)
    line.expect("Enter LOGON")
    line.type("LOGON ALICE")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect("RECONNECTED AT[^\n]*\n")
    shown = line.expect("TYPE KEPT")  # so that nobody ends unseen what they once began
    assert "PIPE literal kept" in shown and shown.endswith("\n"), shown
    line.type(" TEXT A")
    line.expect(r"kept\r")


def test_all_the_lines_there_may_be(machine, tmp_path):
    m = machine("--machine", "tcg", "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "91")
    for number in (91, 62, 32, 31, 17, 2):
        m.line(number).expect("Enter LOGON")
    m.line(91).logon("ALICE")
    assert "ALICE    - L0091" in m.line(91).cms("CP QUERY NAMES")


# ---- virtual VMX ------------------------------------------------------------------------

def test_a_user_works_on_the_svm_of_bochs_too(machine, tmp_path):
    m = machine("--machine", "bochs", "--disk", harness.new_disk(tmp_path / "disk.img"), "--lines", "1",
                env={"VMN_BOCHS_MODEL": "ryzen"})
    m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    m.console.logon("ALICE")
    assert "191" in m.console.cms("QUERY DISK")


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
    assert done.returncode == 125


LOCKED = [(None, "0x3a", 1, "VMX (locked off in IA32_FEATURE_CONTROL by the firmware)"),
          ("ryzen", "0xc0010114", 0x10, "SVM (switched off in VM_CR by the firmware)")]


@pytest.mark.parametrize("model, msr, value, missing", LOCKED, ids=["vmx", "svm"])
def test_what_the_firmware_locked_is_named(tmp_path, model, msr, value, missing):
    """No emulator has such firmware: Bochs' debugger makes CP's first look at the MSR that decides find this value."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", os.path.join(ROOT, "build", "cp.elf64")],
                          capture_output=True, text=True, check=True).stdout
    after, = re.findall(rf"\${msr},%ecx\n.*rdmsr.*\n +([0-9a-f]+):", code)
    emulator = tmp_path / "bochs-locked"
    emulator.write_text(f"#!/bin/sh\nprintf 'lb 0x{after}\\nc\\nset eax = {value}\\nc\\n' >debugger\n" +
                        (f"sed -i 's/model=[^,]*/model={model}/' bochsrc\n" if model else "") + 'exec bochs-bin "$@"\n')
    emulator.chmod(0o755)
    done = run_piped("--machine", "bochs", "--lines", "1", "--cpu-clock", "fast", env={"VMN_BOCHS": str(emulator)})
    said = [line for line in done.stdout.decode("latin-1").splitlines() if line]
    assert len(said) == 1 and said[0].startswith("HCPISU951E CP cannot start: this machine lacks ")
    assert missing in said[0]
    assert done.returncode == 125


# ---- the boot image ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def image():
    subprocess.run(["make", "-s", "build/vmn.iso"], cwd=ROOT, check=True)
    return os.path.join(ROOT, "build", "vmn.iso")


@pytest.mark.parametrize("emulator", ["tcg", "bochs"])
def test_the_boot_image_boots_from_a_cd(machine, tmp_path, image, emulator):
    m = machine("--machine", emulator, "--boot", image, "--disk", harness.new_disk(tmp_path / "disk.img"),
                "--lines", "1")
    m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    m.console.logon("ALICE")
    assert "191" in m.console.cms("QUERY DISK")


@pytest.mark.parametrize("medium", ["-drive file={0},format=raw,if=ide,index=0,readonly=off,snapshot=on",
                                    "-device qemu-xhci -drive file={0},format=raw,if=none,id=stick,snapshot=on "
                                    "-device usb-storage,drive=stick,bootindex=0"], ids=["disk", "usb"])
def test_the_boot_image_boots_when_written_to_a_disk(tmp_path, image, medium):
    disk = harness.new_disk(tmp_path / "disk.img")
    child = pexpect.spawn(QEMU, ["-accel", "tcg", "-cpu", "max,+svm", "-m", "512", "-display", "none",
                                 "-monitor", "none", "-serial", "stdio", "-no-reboot", *medium.format(image).split(),
                                 "-drive", f"file={disk},format=raw,if=none,id=disk",
                                 "-device", "virtio-blk-pci,drive=disk,disable-legacy=on"],
                          encoding="latin-1", timeout=60)
    try:
        child.expect("Enter LOGON")
    finally:
        child.close(force=True)
