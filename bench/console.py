"""How fast a console is on QEMU: bytes out, and answers to somebody who types. Wall clock, so take them on a quiet
machine: each has beside it the same CMS alone on the same emulator (`bare`), and on KVM where there is one (`KVM`),
in the same run. The instructions a byte costs on a UART are counted on Bochs."""
import os
import re
import statistics
import subprocess
import tempfile
import threading
import time

import pexpect

from record import ROOT, figure, harness

TYPED = 1000  # lines of 79 characters
SPINNERS = 16
KEYS, COMMANDS = 200, 20
TURNS_MS = 10  # two of CP's turns (SCHEDULER_SLICE_US)
TRIES = 3


def text_file(place):
    path = os.path.join(place, "text")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{n:079}\n" for n in range(TYPED))
    return path


def microseconds_a_byte(type_it):
    """The least of some TYPEs of the file; type_it() answers what was shown."""
    taken = []
    for _ in range(TRIES):
        begun = time.monotonic()
        shown = type_it()
        taken.append((time.monotonic() - begun) / len(shown))
    return round(min(taken) * 1e6, 2)


# ---- beneath CP, and alone --------------------------------------------------------------------

def beneath(place, file):
    """Microseconds a byte on line 1, a UART, and on line 2, a port; and the echo's milliseconds on line 1 while
    line 2 shows as much as it can."""
    disk = harness.new_disk(os.path.join(place, "disk.img"))
    for user in ("ALICE", "BOB"):
        harness.cmsdisk(disk, user, "191", "put", file, "BIG", "TEXT")
    with harness.Machine("bench-console", "--machine", "tcg", "--disk", disk, clock="real") as machine:
        taken = []
        for number, user in ((1, "ALICE"), (2, "BOB")):
            line = machine.line(number)
            line.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
            line.logon(user)
            taken.append(microseconds_a_byte(lambda line=line: line.cms("TYPE BIG TEXT A", timeout=120)))
        return *taken, statistics.median(echoes_beside_flood(machine.line(1), machine.line(2)))


def echoes_beside_flood(line, flood):
    ended = threading.Event()

    def read():
        while not ended.is_set():
            os.read(flood.child.child_fd, 65536)

    flood.send("TYPE BIG TEXT A\r" * 60)
    reader = threading.Thread(target=read)
    reader.start()
    taken = list(echoes(line))
    ended.set()
    flood.send("\r")
    reader.join()
    return taken


def alone(place, file, accelerator, processor):
    """CMS without CP, its console a 16550 on a pseudo terminal; None: QEMU has no such processor."""
    image = os.path.join(place, f"{accelerator}.img")
    tool = os.path.join(ROOT, "build", "cmsdisk")
    for arguments in (("format", image, "ALONE", "--size", str(2 << 20)), ("put", image, file, "BIG", "TEXT")):
        subprocess.run([tool, *arguments], check=True, capture_output=True)
    kernel = os.path.join(ROOT, "build", "cms.elf")
    child = pexpect.spawn("qemu-system-x86_64", [
        "-M", f"pc,accel={accelerator}", "-cpu", processor, "-m", "32", "-kernel", kernel, "-monitor", "none",
        "-display", "none", "-no-reboot", "-serial", "stdio", "-drive",
        f"file={image},format=raw,if=none,id=d", "-device", "virtio-blk-pci,disable-legacy=on,drive=d,serial=0191"],
        encoding="latin-1", timeout=harness.BOOT_SECONDS, dimensions=(24, 80), echo=False)
    child.delaybeforesend = None
    ready = harness.READY.replace(r"\r?", r"\r*")  # QEMU has the terminal add one of its own

    def type_it():
        child.send("TYPE BIG TEXT A\r")
        child.expect(ready, timeout=120)
        return (child.before + child.after).replace("\r\r", "\r")

    try:
        if child.expect([ready, pexpect.EOF]):
            return None
        return microseconds_a_byte(type_it)
    finally:
        child.close(force=True)


def output():
    with tempfile.TemporaryDirectory() as place:
        file = text_file(place)
        uart, port, echo = beneath(place, file)
        bare = alone(place, file, "tcg", "max")
        on_kvm = (alone(place, file, "kvm", processor) for processor in ("max", "max,pmu=off", "qemu64"))
        kvm = next((taken for taken in on_kvm if taken), None)
    figure("tcg_console_uart_byte", uart, "us", floor=bare, peer=kvm, bound=5)
    figure("tcg_console_port_byte", port, "us", floor=bare, peer=kvm, bound=1)
    figure("tcg_console_echo_beside_flood", round(echo, 1), "ms", bound=5)


# ---- answers, while others want the processor ---------------------------------------------------

def crowd(place):
    """The sample volume with users more, whose machines loop."""
    with open(harness.DIRECTORY, encoding="utf-8") as file:
        source = file.read()
    password = re.search(r'password = "(\$6[^"]*)"', source)[1]
    users = "".join(f'S{n:02} {{ password = "{password}"; classes = "G"; storage = <2>; maximum = <2>; ipl = "SPIN"; '
                    f'xautolog = "OPERATOR"; }};\n' for n in range(SPINNERS))
    directory = os.path.join(place, "directory.dtb")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", directory], check=True,
                   input=source.replace("    users {", "    users {\n" + users, 1).encode())
    disk = harness.new_disk(os.path.join(place, "disk.img"))
    subprocess.run([os.path.join(ROOT, "build", "mkimage"), "--replace-directory", disk, "--directory", directory],
                   check=True, capture_output=True)
    return disk


def milliseconds(line, text, answer):
    begun = time.monotonic()
    line.send(text)
    line.expect(answer)
    return (time.monotonic() - begun) * 1000


def echoes(line):
    for n in range(KEYS):
        time.sleep(0.05)
        yield milliseconds(line, chr(ord("a") + n % 26), chr(ord("a") + n % 26))
    line.send("\x15")  # the line is not meant to be obeyed


def answers(line):
    for _ in range(COMMANDS):
        time.sleep(0.2)
        yield milliseconds(line, "CP QUERY TIME\r", harness.READY)


def crowded():
    with tempfile.TemporaryDirectory() as place:
        with harness.Machine("bench-crowd", "--machine", "tcg", "--disk", crowd(place),
                             "--module", harness.guest("spin"), clock="real") as machine:
            operator, alice = machine.line(1), machine.line(2)
            for line in (operator, alice):
                line.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
            alice.logon("ALICE")
            operator.logon("OPERATOR")
            for n in range(SPINNERS):
                operator.cms(f"CP XAUTOLOG S{n:02}", timeout=60)
            for name, take, bound in (("echo", echoes, 5), ("answer", answers, 50)):
                taken = sorted(take(alice))
                figure(f"tcg_{name}_of_{SPINNERS + 1}", round(statistics.median(taken), 1), "ms", bound=bound)
                if name == "echo":
                    figure(f"tcg_echo_of_{SPINNERS + 1}_late", round(taken[len(taken) * 99 // 100 - 1], 1), "ms",
                           bound=TURNS_MS)


# ---- what a byte costs on a UART -------------------------------------------------------------

PARTS = {"tcg_console": output, "tcg_echo": crowded}
