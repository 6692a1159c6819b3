"""A machine with an sshd before it, and people who come by that."""
import os
import re
import select
import socket
import subprocess
import threading
import time

import pexpect

import harness
from harness import ROOT


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


class Front:
    """A machine with an sshd before it, and ALICE's key in its directory."""

    def __init__(self, machine, place, host, *more):
        self.place, self.port, self.lines = str(place), free_port(), []
        self.key = os.path.join(self.place, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.disk = harness.new_disk(place / "disk.img")
        self.give_keys("ALICE")
        self.state = os.path.join(self.place, "state")
        self.machine = machine("--machine", host, "--disk", os.path.relpath(self.disk), "--ssh", self.port,
                               "--ssh-state", os.path.relpath(self.state), *more, clock="real")
        self.machine.console.expect("Enter LOGON", timeout=60)

    def give_keys(self, user):
        with open(self.key + ".pub", encoding="ascii") as file:
            key = file.read().strip()
        with open(harness.DIRECTORY, encoding="utf-8") as file:
            source = re.sub(rf"(\b{user} {{)", rf'\1 ssh-keys = "{key}";', file.read(), count=1)
        compiled = os.path.join(self.place, "directory.dtb")
        subprocess.run(["dtc", "-q", "-o", compiled], input=source.encode(), check=True)
        subprocess.run([os.path.join(ROOT, "build", "mkimage"), "--replace-directory", self.disk, "--directory",
                        compiled], check=True)

    def command(self, user, *options, key=True):
        return ["ssh", "-F", "none", "-p", self.port, "-o", "StrictHostKeyChecking=no", "-o",
                f"UserKnownHostsFile={self.place}/hosts", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o",
                "IdentitiesOnly=yes", "-o", f"IdentityFile={self.key if key else '/dev/null'}", *options,
                f"{user}@127.0.0.1"]

    def visit(self, user, *options, key=True):
        child = pexpect.spawn(self.command(user, "-tt", *options, key=key)[0],
                              self.command(user, "-tt", *options, key=key)[1:], encoding="latin-1", timeout=30,
                              dimensions=(30, 100))
        child.delaybeforesend = None
        self.lines.append(harness.Line(child, open(os.path.join(self.place, f"ssh{len(self.lines)}"), "w",
                                                   encoding="latin-1")))
        return self.lines[-1]

    def piped(self, user, text, key=True):
        return subprocess.run(self.command(user, "-T", key=key), input=text.encode(), capture_output=True, timeout=60)


class Typist:
    """Somebody by SSH whose bytes are neither a terminal's nor a person's: any number of them, at once."""

    def __init__(self, front, user, key=True):
        self.client = subprocess.Popen(front.command(user, "-tt", "-e", "none", key=key), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, bufsize=0)

    def read(self, wanted, seconds=60):
        """All that comes until `wanted` says it is enough, or nothing comes for so long."""
        read = bytearray()
        while not wanted(read) and select.select([self.client.stdout], [], [], seconds)[0]:
            some = os.read(self.client.stdout.fileno(), 1 << 16)
            if not some:
                break
            read += some
        return bytes(read)

    def expect(self, text):
        read = self.read(lambda said: text in said)
        assert text in read, read

    def send(self, data):
        while data:
            data = data[os.write(self.client.stdin.fileno(), data):]

    def ipl(self, system, says):
        self.send(b"#CP IPL " + system + b"\r")
        self.expect(says)

    def mirrored(self, data):
        """What comes back of it, from a machine that sends back what is typed."""
        threading.Thread(target=self.send, args=(data,), daemon=True).start()
        return self.read(lambda read: len(read) >= len(data))

    def close(self):
        self.client.kill()
        self.client.wait()


def lost(sent, read):
    """Bytes that did not come back, or not where they should."""
    return len(sent) - len(os.path.commonprefix([sent, read])) + max(0, len(read) - len(sent))


def two_at_once(front, size):
    """ALICE and BOB type so many bytes each, at once, to machines that mirror them: bytes lost, and the seconds."""
    who = [Typist(front, "alice"), Typist(front, "bob", key=False)]
    who[1].expect(b"ENTER PASSWORD")
    who[1].send(b"vmn\r")
    for each in who:
        each.expect(b"Ready;")
        each.ipl(b"MIRROR", b"mirror ready\r\n")
    data = [os.urandom(size // 2).hex().encode() for _ in who]
    read = [None, None]

    def exchange(n):
        read[n] = who[n].mirrored(data[n])

    begun = time.monotonic()
    running = [threading.Thread(target=exchange, args=(n,)) for n in (0, 1)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    taken = time.monotonic() - begun
    for each in who:
        each.close()
    return sum(map(lost, data, read)), taken
