"""The launcher by itself: what it refuses, what it carries, and that it leaves nothing behind. Bare payloads stand in
CP's place, so that nothing here depends on CP."""
import os
import pathlib
import re
import resource
import signal
import subprocess
import termios
import time

import pexpect
import pytest

import harness
from harness import VMN, guest, run_piped

ECHO = {"VMN_CP": guest("echo")}


def refusal(*options, env=None):
    """The one line it says when it refuses."""
    done = run_piped(*options, env=env)
    assert done.returncode == 2
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith("vmn: ")
    return lines[0]


# ---- what it says ---------------------------------------------------------------------

def test_help_names_every_option():
    done = run_piped("--help")
    assert done.returncode == 0
    for option in ("--machine", "--memory", "--disk", "--lines", "--cpu-clock", "--ipl", "--append", "--module",
                   "--initrd", "--guest-memory", "--levels", "--boot"):
        assert option.encode() in done.stdout


@pytest.mark.parametrize("payload, typed, said", [
    ("triple", b"", b"triple fault"),
    ("spin", b"#CP LOGOFF\r", b"LOGOFF AT"),
    (None, b"", b"HCPVMI9011E The image cannot be IPLed"),
], ids=["triple fault", "LOGOFF", "no image"])
def test_a_machine_that_does_not_end_itself_has_the_status_that_help_names(tmp_path, payload, typed, said):
    (tmp_path / "none").write_text("no system")
    done = run_piped("--machine", "tcg", "--ipl", guest(payload) if payload else str(tmp_path / "none"), data=typed)
    assert said in done.stdout
    statuses = run_piped("--help").stdout.split(b"Exit status:")[1]
    named = b"%d when it ended in another way (a triple fault, LOGOFF) or could not be started" % done.returncode
    assert named in statuses


@pytest.mark.parametrize("options, reason", [
    (["--frobnicate"], "unknown option: --frobnicate"),
    (["surplus"], "surplus"),
    (["--memory"], "--memory needs a value"),
    (["--memory", "lots"], "not a number: lots"),
    (["--memory", "99999999999999999999"], "is not within 64 to 2048"),
    (["--memory", "1"], "not within 64 to 2048"),
    (["--lines", "0"], "not within 1 to 91"),
    (["--machine", "tcg", "--lines", "92"], "not within 1 to 91"),
    (["--lines", "5"], "not within 1 to 4"),
    (["--machine", "pdp11"], "pdp11"),
    (["--cpu-clock", "slow"], "slow"),
    (["--levels", "0"], "--levels: 0 is not within 1 to 9"),
    (["--ssh", "127.0.0.1:1:3"], "--ssh: not [ADDRESS:]PORT: 127.0.0.1:1:3"),
    (["--ssh", ":2222"], "--ssh: not [ADDRESS:]PORT: :2222"),
    (["--ssh", "localhost:"], "--ssh: not a number:"),
    (["--disk", "/no/such/disk"], "no such file: /no/such/disk"),
    (["--ipl", "/no/such/kernel"], "no such file: /no/such/kernel"),
    (["--guest-memory", "64"], "go with --ipl"),
    (["--boot", "/no/such/image"], "no such file: /no/such/image"),
    (["--boot", "/etc/passwd", "--logon", "ALICE"], "--boot goes without"),
    (["--boot", os.path.join(harness.ROOT, "README.md")], "not the image of a CD one can boot from: "),
    (["--initrd", "/etc/passwd"], "--initrd: comes behind the kernel it is for"),
    (["--module", "/etc/passwd"] * 14, "--module: 14 are more than CP takes here, 13"),
    (["--ipl", "/etc/passwd", "--levels", "3"] + ["--module", "/etc/passwd"] * 12, "12 are more than CP takes here"),
    (["--nesting", "shadow"], "go with --ipl"),
    (["--nesting", "maybe"], "off, trap, shadow, memory or chain"),
])
def test_a_wrong_command_line_is_refused_with_its_reason(options, reason):
    said = refusal(*options, env=ECHO)
    assert reason in said


def test_cp_takes_no_words_of_append():
    assert "go with --ipl" in refusal("--append", "x")


def test_a_missing_emulator_is_named():
    assert "bochs-that-is-not-there is missing: run scripts/setup" in refusal(
        env={**ECHO, "VMN_BOCHS": "bochs-that-is-not-there"})


def test_a_missing_image_is_named():
    assert "no such file: /no/cp.elf" in refusal(env={"VMN_CP": "/no/cp.elf"})


def test_a_disk_image_of_odd_size_is_refused(tmp_path):
    odd = tmp_path / "odd"
    odd.write_bytes(b"x" * 1000)
    assert "not a multiple of 512" in refusal("--disk", str(odd), env=ECHO)


# ---- what it hands to CP ----------------------------------------------------------------

def test_cp_gets_itself_and_cms_as_modules():
    done = run_piped("--lines", "1", env={"VMN_CP": guest("multiboot"), "VMN_CMS": guest("hello")})
    said = done.stdout.decode()
    assert done.returncode == 0
    assert "command line ''" in said
    assert re.findall(r"module '(\w+)' (\d+) bytes", said) == [
        ("cp", str(os.path.getsize(guest("multiboot")))), ("cms", str(os.path.getsize(guest("hello"))))]


def test_with_ipl_cp_gets_kernel_arguments_and_modules(tmp_path):
    kernel, first, second = tmp_path / "my kernel", tmp_path / "first module", tmp_path / "second"
    kernel.write_bytes(b"k" * 100)
    first.write_bytes(b"\1" * 7)
    second.write_bytes(b"\2" * 9)
    done = run_piped("--ipl", str(kernel), "--append", "console=ttyS0 root=* $HOME;reboot it's", "--guest-memory", "96",
                     "--module", str(first), "--module", str(second),
                     env={"VMN_CP": guest("multiboot"), "VMN_CMS": "/no/cms"})
    said = done.stdout.decode()
    assert done.returncode == 0 and done.stderr == b""
    assert "command line 'ipl guest-memory=96'" in said
    modules = re.findall(r"module '(.*)' (\d+) bytes sum (\d+)", said)
    assert modules[1] == (r"ipl console=ttyS0 root=* $HOME;reboot it\'s", "100", str(100 * ord("k")))
    assert modules[2:] == [('"first module"', "7", "7"), ("second", "9", "18")]


@pytest.mark.parametrize("grub", [True, False], ids=["GRUB", "QEMU"])
def test_names_and_arguments_may_have_any_characters(tmp_path, grub):
    words = r"a\nb \c '%s it's" + ' "q" $HOME `x` ; c,,d \\\\'
    modules = [r"-a\c", "it's"] if grub else []  # QEMU's own loader is not given such names
    for name in ("-kernel", *modules):
        (tmp_path / name).write_bytes(pathlib.Path(guest("multiboot")).read_bytes())
    (tmp_path / "-disk").write_bytes(bytes(1 << 20))
    done = subprocess.run([VMN, "--machine", "bochs" if grub else "tcg", "--ipl", "-kernel", "--append", words,
                           *(word for name in modules for word in ("--module", name)), "--disk", "-disk",
                           "--log", "-log"], stdin=subprocess.DEVNULL, cwd=tmp_path, capture_output=True, timeout=60)
    said = done.stdout.decode()
    if grub:
        said = re.sub(r"\\(.)", r"\1", said)  # it puts one before quotes and backslashes
    assert done.returncode == 0
    assert f"command line '{words}'" in said
    assert all(f"module '{name}'" in said for name in modules)
    assert (tmp_path / "-log").exists()


def test_a_name_of_several_lines_is_refused(tmp_path):
    two = tmp_path / "one\ntwo"
    two.write_bytes(bytes(512))
    for option in ("--disk", "--module", "--initrd", "--ipl", "--boot", "--log"):
        done = run_piped("--machine", "tcg", option, str(two), env=ECHO)
        assert done.returncode == 2 and b"more than one line" in done.stderr


@pytest.mark.parametrize("memory", [64, 2048])
def test_the_machine_has_the_storage_asked_for(memory):
    done = run_piped("--lines", "1", "--memory", str(memory), env={"VMN_CP": guest("multiboot")})
    upper = int(re.search(r"upper (\d+) KiB", done.stdout.decode()).group(1))
    assert (memory - 1) * 1024 - 128 <= upper <= (memory - 1) * 1024


# ---- status and cleanliness -----------------------------------------------------------

@pytest.mark.parametrize("status", [0, 7])
def test_the_machines_status_is_the_launchers(bare, status):
    m = bare("echo")
    m.console.expect("echo ready")
    m.console.send(f"Q{status}")
    assert m.wait() == status


def test_under_a_pipe_output_is_the_machines_and_nothing_else():
    done = run_piped("--lines", "1", data=b"abQ3", env=ECHO)
    assert done.returncode == 3
    assert done.stdout == b"echo ready\r\n[61][62]"
    assert done.stderr == b""


def without_room(byte):
    """For a process that may write no file beyond that byte, and hears of it by an error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (byte, resource.RLIM_INFINITY))


def test_a_host_without_room_to_start_is_told_of(tmp_path):
    done = subprocess.run([VMN, "--machine", "tcg"], env={**os.environ, "TMPDIR": str(tmp_path)}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, restore_signals=False,
                          preexec_fn=lambda: without_room(1 << 16))
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert done.stderr.endswith(f"vmn: what the machine starts from could not be put into {tmp_path}\n")
    assert not os.listdir(tmp_path)


def test_a_host_that_fills_up_does_not_change_the_status(bare):
    m = bare("echo")
    m.console.expect("echo ready")
    resource.prlimit(m.child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    m.console.send("Q7")
    assert m.wait() == 7


def broken_emulator(tmp_path, more=":"):
    emulator = tmp_path / "bochs-broken"
    emulator.write_text(f"#!/bin/sh\necho '0000p[CPU0  ] >>PANIC<< it fell over' >log\n{more}\nexit 1\n")
    emulator.chmod(0o755)
    return str(emulator)


def test_an_emulator_that_fails_is_reported_with_its_log(tmp_path):
    broken = tmp_path / "not-multiboot"
    broken.write_bytes(b"\0" * 4096)
    log = tmp_path / "kept.log"
    done = run_piped("--lines", "1", "--log", str(log), env={**ECHO, "VMN_BOCHS": broken_emulator(tmp_path)})
    assert done.returncode == 70
    assert done.stderr.decode().strip() == f"vmn: the emulator stopped: it fell over (log: {log})"
    assert "it fell over" in log.read_text()


@pytest.mark.parametrize("in_the_way, reason", [
    (lambda log, other: log.symlink_to(other), "is a symbolic link"),
    (lambda log, other: log.symlink_to(other.parent / "not-there"), "is a symbolic link"),
    (lambda log, other: log.hardlink_to(other), "has other names"),
    (lambda log, other: log.mkdir(), "Is a directory"),
    (lambda log, other: os.mkfifo(log), "No such device or address"),
])
def test_a_log_goes_through_no_link_and_into_nothing_but_a_file(tmp_path, in_the_way, reason):
    other, log = tmp_path / "another's", tmp_path / "kept.log"
    other.write_text("precious")
    in_the_way(log, other)
    said = refusal("--lines", "1", "--log", str(log), env={**ECHO, "TMPDIR": str(tmp_path)})
    assert said.endswith(f"{log}: {reason}")
    assert other.read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["another's", "kept.log"]


def test_a_log_of_ones_own_is_written_over(tmp_path):
    log = tmp_path / "kept.log"
    log.write_text("old " * 10000)
    run_piped("--lines", "1", "--log", str(log), env={**ECHO, "VMN_BOCHS": broken_emulator(tmp_path)})
    assert "it fell over" in log.read_text() and "old" not in log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file to somebody else takes root")
def test_a_log_is_not_written_into_a_file_of_somebody_elses(tmp_path):
    log = tmp_path / "kept.log"
    log.write_text("precious")
    os.chown(log, 65534, -1)
    assert refusal("--lines", "1", "--log", str(log), env=ECHO).endswith("is somebody else's")
    assert log.read_text() == "precious"


def test_a_failed_emulators_log_goes_through_no_link_planted_beside_the_run_directory(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    emulator = broken_emulator(tmp_path, more=f"ln -s {victim} {tmp_path}/$(basename $PWD).log")
    done = run_piped("--lines", "1", env={**ECHO, "VMN_BOCHS": emulator, "TMPDIR": str(tmp_path)})
    named = re.search(r"\(log: (.*)\)", done.stderr.decode()).group(1)
    assert done.returncode == 70
    assert victim.read_text() == "precious"
    assert any(entry.is_symlink() for entry in tmp_path.iterdir())
    assert not os.path.islink(named) and os.stat(named).st_mode & 0o777 == 0o600
    with open(named, encoding="latin-1") as log:
        assert "it fell over" in log.read()


def test_the_run_directory_is_its_owners_alone(bare):
    m = bare("echo")
    m.console.expect("echo ready")
    run, = m.run_directories()
    assert os.stat(os.path.join(m.temporary, run)).st_mode & 0o777 == 0o700


def test_nothing_is_left_behind(bare):
    m = bare("echo")
    m.console.expect("echo ready")
    assert m.processes()
    assert len(m.run_directories()) == 1
    m.console.send("Q0")
    assert m.wait() == 0
    assert not m.processes()
    assert not m.run_directories()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_cleanly(bare, number):
    m = bare("echo")
    m.console.expect("echo ready")
    emulator = m.processes()
    m.child.kill(number)
    assert m.wait() == 128 + number
    assert not any(os.path.exists(f"/proc/{p}") for p in emulator)
    assert not m.run_directories()


def test_a_killed_launcher_takes_the_emulator_with_it(bare):
    m = bare("echo")
    m.console.expect("echo ready")
    emulator = m.processes()
    m.power_cut()
    assert emulator and not any(os.path.exists(f"/proc/{p}") for p in emulator)


# ---- the terminal ---------------------------------------------------------------------

def test_the_terminal_is_raw_while_it_runs_and_restored_after():
    shell = pexpect.spawn("/bin/sh", ["-c", f"stty -a; {VMN} --cpu-clock fast; echo status $?; stty -a"],
                          env={**os.environ, **ECHO}, encoding="latin-1", timeout=60, dimensions=(24, 200))
    shell.expect("echo ready")
    before = shell.before
    assert not termios.tcgetattr(shell.child_fd)[3] & termios.ICANON
    shell.send("\x1dq")
    shell.expect(r"vmn: switched off\r\n")
    shell.expect(r"status 130\r\n")
    shell.expect(pexpect.EOF)
    settings = before[before.index("speed"):before.index("vmn: line")]
    assert "icanon" in settings
    assert shell.before.strip() == settings.strip()


def test_control_characters_go_to_the_machine(bare):
    m = bare("echo")
    m.console.expect("echo ready")
    for byte in (0x03, 0x04, 0x11, 0x13, 0x1A, 0x1C, 0x7F, 0x0D, 0x0A):
        m.console.send(chr(byte))
        m.console.expect(rf"\[{byte:02x}\]")
    m.console.send("\x1d\x1d")
    m.console.expect(r"\[1d\]")


def test_further_lines_are_ptys_that_may_be_closed_and_opened_again(bare):
    m = bare("echo", "--lines", "2")
    m.line(2).close()
    del m.lines[2]
    m.console.expect("echo ready")
    m.console.send("x")
    m.console.expect(r"\[78\]")
    m.line(2)


def test_a_slow_reader_loses_nothing():
    reader = subprocess.Popen([VMN, "--cpu-clock", "fast", "--lines", "1"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **ECHO})
    reader.stdin.write(b"FQ0")
    reader.stdin.close()
    time.sleep(5)
    text = reader.stdout.read().decode()
    assert reader.wait(60) == 0
    numbers = [int(line[:5]) for line in text.split("\r\n")[1:4501]]
    assert numbers == list(range(4500))


# ---- the disk -------------------------------------------------------------------------

def test_a_disk_serves_one_machine_at_a_time_and_no_lock_outlives_it(bare, tmp_path):
    disk = tmp_path / "a disk.img"
    disk.write_bytes(bytes(4 << 20))
    m = bare("echo", "--disk", str(disk))
    m.console.expect("echo ready")
    assert refusal("--disk", str(disk), env=ECHO) == f"vmn: in use by vmn-relay (process {m.child.pid}): {disk}"
    m.power_cut()
    again = bare("echo", "--disk", str(disk))
    again.console.expect("echo ready")
    assert os.listdir(tmp_path) == ["a disk.img"]


def test_it_ends_when_its_terminal_has_hung_up_and_nobody_will_ever_read():
    master, slave = os.openpty()
    os.close(master)
    done = subprocess.run([VMN, "--machine", "tcg"], env={**os.environ, **ECHO}, stdin=subprocess.DEVNULL, stdout=slave,
                          stderr=subprocess.DEVNULL, start_new_session=True, timeout=60)
    os.close(slave)
    assert done.returncode == 128 + signal.SIGPIPE
