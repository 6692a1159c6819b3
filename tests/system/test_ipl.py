"""scripts/vmn --ipl: a bare payload as the guest of a real CP, in a fresh class G machine."""
import re
import subprocess

import pytest

from harness import guest, new_disk, run_piped


def test_a_payload_runs_and_its_status_is_the_launchers():
    done = run_piped("--ipl", guest("hello"))
    said = done.stdout.decode()
    assert "hello from a bare machine" in said
    assert "FAIL" not in said
    assert done.returncode == 0


@pytest.mark.parametrize("status", [0, 7])
def test_the_console_carries_every_byte_both_ways(machine, status):
    m = machine("--ipl", guest("echo"))
    m.console.expect("echo ready")
    for byte in (0x00, 0x03, 0x0D, 0x7F, 0x80, 0xFF):
        m.console.send(chr(byte))
        m.console.expect(rf"\[{byte:02x}\]")
    m.console.send(f"Q{status}")
    assert m.wait() == status


def test_a_flood_of_output_is_complete():
    done = run_piped("--ipl", guest("echo"), data=b"fQ0")
    assert done.returncode == 0
    numbers = re.findall(r"^(\d{5}) the quick brown fox\r?$", done.stdout.decode(), re.M)
    assert [int(n) for n in numbers] == list(range(1000))


def test_the_guest_gets_complete_multiboot_information(tmp_path):
    module = tmp_path / "first"
    module.write_bytes(b"\1" * 5000)
    done = run_piped("--ipl", guest("multiboot"), "--append", "one two=3", "--module", str(module),
                     "--guest-memory", "48")
    said = done.stdout.decode()
    assert done.returncode == 0, said
    assert re.search(r"command line '.*one two=3'", said)
    assert re.search(r"module 'first' 5000 bytes sum 5000", said)
    assert re.search(r"loader '.+'", said)
    upper = int(re.search(r"upper (\d+) KiB", said).group(1))
    assert 46 * 1024 <= upper <= 47 * 1024


def test_an_image_that_is_no_kernel_is_refused_with_a_reason(tmp_path):
    junk = tmp_path / "junk"
    junk.write_bytes(bytes(range(256)) * 64)
    done = run_piped("--ipl", str(junk))
    assert done.returncode not in (0, 70)
    assert done.stdout.decode().strip()


@pytest.mark.parametrize("where", ["bochs", "tcg", "qemu's own"])
def test_kernels_under_test_find_the_device_they_expect(where):
    if where in ("bochs", "tcg"):
        done = run_piped("--machine", where, "--ipl", guest("test_device"))
    else:
        done = subprocess.run(["qemu-system-x86_64", "-display", "none", "-serial", "stdio", "-cpu", "max", "-m", "128",
                               "-device", "pc-testdev", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4",
                               "-kernel", guest("test_device")],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120, check=False)
    lines = done.stdout.decode("latin-1").replace("\r", "").splitlines()
    assert len(lines) == 13 and lines[-1] == "end" and all(line.startswith("ok ") for line in lines[:-1])
    assert done.returncode == (1 if where == "qemu's own" else 0)


@pytest.mark.parametrize("where", ["bochs", "tcg"])
def test_a_reset_and_an_init_leave_nothing_of_what_ran_before(machine, where, tmp_path):
    m = machine("--machine", where, "--disk", new_disk(tmp_path / "disk.img"), "--module", guest("reset"))
    m.console.expect("CP> ")
    m.console.type("LOGON ALICE NOIPL")
    m.console.expect("(?i)password")
    m.console.type("vmn")
    m.console.expect("CP> ")
    m.console.type("IPL RESET")
    for how in "bib":
        said = m.console.expect("as after power-up")
        assert "FAIL" not in said
        m.console.send(how)
    assert "FAIL" not in m.console.expect("as after power-up")
