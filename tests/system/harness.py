"""A machine under test: scripts/vmn under a pty or a pipe, its further lines, its log in build/system/."""
import fcntl
import os
import re
import shutil
import signal
import subprocess
import termios
import time
import tty

import pexpect
import pexpect.fdpexpect

os.environ.setdefault("VMN_MACHINE", "bochs")  # a test that wants another says so
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VMN = os.path.join(ROOT, "scripts", "vmn")
READY = r"Ready(?:\(-?\d+\))?; T=\S+[^\r\n]*\r?\n"
BOOT_SECONDS = 60
LOGON_PROMPT = "Enter LOGON"


def guest(name):
    """The path of a bare payload."""
    return os.path.join(ROOT, "build", "guest", name + ".elf")


class Line:
    """What a person at a terminal sees of one line, and can do there."""

    def __init__(self, child, log):
        self.child = child
        self.child.logfile_read = log
        self.child.delaybeforesend = None

    def expect(self, pattern, timeout=20):
        """Waits for the pattern and returns the text that came before it."""
        try:
            self.child.expect(pattern, timeout=timeout)
        except pexpect.TIMEOUT:
            raise pexpect.TIMEOUT(f"no {pattern!r} within {timeout} s after {self.child.before[-500:]!r}") from None
        return self.child.before

    def expect_exact(self, text, timeout=20):
        """The same for a text; fast also in a flood."""
        self.child.expect_exact(text, timeout=timeout, searchwindowsize=4096)
        return self.child.before

    @property
    def match(self):
        return self.child.match

    def send(self, text):
        """Bytes, without an end of line."""
        self.child.send(text)

    def type(self, text):
        """One line, as typed with Enter."""
        self.child.send(text + "\r")

    def logon(self, user, password="vmn", timeout=30):
        """LOGON to the first Ready, whatever the user's system says on the way."""
        self.type("LOGON " + user)
        self.expect("(?i)password")
        self.type(password)
        return self.expect(READY, timeout)

    def cms(self, command, timeout=20):
        """A CMS command: what it says, up to its Ready message. The return code is left in `code`."""
        self.type(command)
        said = self.expect(READY, timeout)
        code = re.search(r"Ready\((-?\d+)\)", self.child.after)
        self.code = int(code.group(1)) if code else 0
        return said

    def close(self):
        if isinstance(self.child, pexpect.fdpexpect.fdspawn):
            self.child.close()


class Machine:
    """scripts/vmn on a pty. A context manager: whatever happens, nothing of it is left."""

    def __init__(self, name, *options, env=None, clock="fast"):
        self.directory = os.path.join(ROOT, "build", "system")
        os.makedirs(self.directory, exist_ok=True)
        self.name = name
        self.held = open(os.path.join(self.directory, name + ".lock"), "w", encoding="ascii")
        fcntl.flock(self.held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # two of one name would sweep each other away
        self.emulator_log = os.path.join(self.directory, name + ".bochs.log")
        command = [VMN, "--cpu-clock", clock, "--log", self.emulator_log, *options]
        self.logs = [self._log(1)]
        self.temporary = os.path.join(self.directory, name + ".tmp")
        shutil.rmtree(self.temporary, ignore_errors=True)
        os.makedirs(self.temporary)
        environment = {**os.environ, "TMPDIR": self.temporary, **(env or {})}
        child = pexpect.spawn(command[0], command[1:], encoding="latin-1", env=environment,
                              timeout=BOOT_SECONDS, dimensions=(24, 80))
        self.child = child
        self.lines = {1: Line(child, self.logs[0])}

    def _log(self, number):
        return open(os.path.join(self.directory, f"{self.name}.line{number}"), "w", encoding="latin-1")

    def line(self, number):
        """Line 1 is the launcher's own terminal; the others are the ptys it named before the machine said anything."""
        if number not in self.lines:
            pattern = rf"vmn: line {number} is (/dev/pts/\d+)"
            with open(self.logs[0].name, encoding="latin-1") as said:
                found = re.search(pattern, said.read())
            if not found:
                self.child.expect(pattern, timeout=10)
                found = self.child.match
            fd = os.open(found.group(1), os.O_RDWR | os.O_NOCTTY)
            tty.setraw(fd, termios.TCSANOW)
            self.logs.append(self._log(number))
            self.lines[number] = Line(pexpect.fdpexpect.fdspawn(fd, encoding="latin-1", timeout=20), self.logs[-1])
        return self.lines[number]

    @property
    def console(self):
        return self.lines[1]

    def wait(self, timeout=30):
        """The launcher's exit status, once it ends by itself."""
        self.child.expect(pexpect.EOF, timeout=timeout)
        self.child.wait()
        return self.child.exitstatus if self.child.signalstatus is None else -self.child.signalstatus

    def power_cut(self):
        """The launcher is killed, its emulator with it, as if the plug were pulled.
        Nobody was left to sweep, so we do."""
        emulator = self.processes()
        self.child.kill(signal.SIGKILL)
        self.child.wait()
        deadline = time.monotonic() + 10
        while any(os.path.exists(f"/proc/{p}") for p in emulator) and time.monotonic() < deadline:
            time.sleep(0.01)
        shutil.rmtree(self.temporary)
        os.makedirs(self.temporary)

    def run_directories(self):
        """What it made in the place for temporary files."""
        return os.listdir(self.temporary)

    def processes(self):
        """What still runs of it, as process ids."""
        return descendants(self.child.pid)

    def close(self):
        for line in self.lines.values():
            line.close()
        if self.child.isalive():
            self.child.kill(signal.SIGTERM)
            try:
                self.child.expect(pexpect.EOF, timeout=10)
                self.child.wait()
            except pexpect.TIMEOUT:
                self.child.kill(signal.SIGKILL)
        self.child.close(force=True)
        for log in self.logs:
            log.close()
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.held.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def start(machine, disk, *options, lines=2):
    """machine() with that disk and so many lines, each at its logon prompt."""
    m = machine("--disk", disk, "--lines", str(lines), *options)
    for number in range(2, lines + 1):
        m.line(number)
    for number in range(1, lines + 1):
        m.line(number).expect(LOGON_PROMPT, timeout=BOOT_SECONDS)
    return m


def descendants(pid):
    """Process ids of all descendants of pid."""
    try:
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    except OSError:
        return []
    children = [int(p) for p in found]
    return children + [d for c in children for d in descendants(c)]


def run_piped(*options, data=b"", env=None, timeout=60):
    """scripts/vmn with pipes instead of a terminal; its completed process."""
    return subprocess.run([VMN, *options], input=data, capture_output=True, timeout=timeout,
                          env={**os.environ, **(env or {})})


# ---- CP's disk --------------------------------------------------------------------------

DIRECTORY = os.path.join(ROOT, "images", "directory.dts")
BLOCK = 4096
SAMPLE = os.path.join(ROOT, "build", "vmn.img")


def new_disk(path):
    """A fresh CP volume with the sample directory and empty minidisks."""
    subprocess.run(["cp", "--sparse=always", SAMPLE, str(path)], check=True)
    return str(path)


def extent(user, vdev):
    """(offset, size) in bytes of a user's minidisk, as the sample directory has it."""
    with open(DIRECTORY, encoding="utf-8") as source:
        entry = re.search(rf"^\s*{user} \{{(.*?)^\s*\}};", source.read(), re.M | re.S).group(1)
    first, blocks = re.search(rf"mdisk@{vdev} \{{ extent = <(\d+) (\d+)>", entry).groups()
    return int(first) * BLOCK, int(blocks) * BLOCK


def cmsdisk(image, user, vdev, verb, *operands, check=True):
    """build/cmsdisk on one user's minidisk in the image; its completed process."""
    offset, size = extent(user, vdev)
    return subprocess.run([os.path.join(ROOT, "build", "cmsdisk"), verb, "--offset", str(offset), "--size", str(size),
                           str(image), *operands], capture_output=True, check=check)
