"""What a network carries: Debian's Linux in a user's machine fetches a file from another user's, and from this host,
against the same Linux on the bare emulator in the same run. Two machines beneath CP have one processor, and so have the
two bare ones, which a socket joins."""
import contextlib
import glob
import os
import re
import tempfile
import time

import pexpect
from record import figure, harness
import networks  # tests/system, which record has put into the path

MIB = 24
ROUNDS = 3
QEMU = os.environ.get("VMN_QEMU", "qemu-system-x86_64")


class Bare:
    """Linux on the emulator alone."""

    def __init__(self, *network):
        self.child = pexpect.spawn(QEMU, ["-name", "bare,debug-threads=on", "-nodefaults",
                                          "-no-user-config", "-display", "none", "-machine",
                                          "pc,accel=tcg", "-cpu", "max,+svm", "-m", "128", "-serial", "stdio",
                                          "-kernel", networks.KERNEL, "-initrd", networks.INITRD, "-append",
                                          "console=ttyS0 quiet", *network,
                                          "-device", "virtio-net-pci,netdev=n,disable-legacy=on,romfile=,mac="
                                          f"52:54:00:00:00:{len(network[1]) % 90 + 10}"],
                                   encoding="latin-1", timeout=networks.BOOT)
        self.child.expect("Linux is up")
        self.child.expect("/ # ")
        for thread in glob.glob(f"/proc/{self.child.pid}/task/*/comm"):
            with open(thread, encoding="ascii") as name:
                if name.read().startswith("CPU 0"):
                    os.sched_setaffinity(int(thread.split("/")[-2]), {max(os.sched_getaffinity(0))})

    def send(self, text):
        self.child.send(text)

    def expect(self, pattern, timeout):
        self.child.expect(pattern, timeout=timeout)
        return self.child.before

    def close(self):
        self.child.close(force=True)


def address(line, number):
    networks.shell(line, f"ip address add 10.1.1.{number}/24 dev eth0; ip link set eth0 up")


def serve(line):
    networks.shell(line, f"mkdir /www; dd if=/dev/zero of=/www/file bs=1M count={MIB} 2>/dev/null; httpd -h /www")


def rate(line, url):
    """MiB a second, by this host's clock."""
    begun = time.monotonic()
    said = networks.shell(line, f"wget -q -O /dev/null {url}; echo ended $?", 120)
    assert "ended 0" in said, said
    return MIB / (time.monotonic() - begun)


def best(pairs):
    """(the best under CP, the best of the bare machine), of pairs taken by turns."""
    taken = [[fetch() for fetch in pairs] for _ in range(ROUNDS)]
    return [max(each) for each in zip(*taken)]


def tell(name, value, floor):
    figure(name, round(value, 1), unit="MiB/s", floor=round(floor, 1))
    figure(f"{name}_part", round(value / floor, 2), unit="of bare")


def figures(place):
    nic = 'nic@600 { lan = "SYSTEM NET1"; }; nic@601 { lan = "SYSTEM OUT"; };'
    image = networks.disk(place, {"ALICE": nic, "BOB": nic}, "NET1 {}; OUT { uplink = <0>; };")
    with open(os.path.join(place, "file"), "wb") as file:
        file.truncate(MIB << 20)
    socket = os.path.join(place, "socket")
    with contextlib.ExitStack() as ends:
        port = ends.enter_context(networks.host_server(place))
        m = ends.enter_context(harness.Machine("bench-network", "--machine", "tcg", "--net", "user", "--disk", image,
                                               "--lines", "2", *networks.LINUX))
        bare = []
        for network in ("user,id=n", f"stream,id=n,server=on,addr.type=unix,addr.path={socket}",
                        f"stream,id=n,server=off,addr.type=unix,addr.path={socket}"):
            bare.append(Bare("-netdev", network))
            ends.callback(bare[-1].close)
        alice, bob = m.line(1), m.line(2)
        for line, user in ((alice, "ALICE"), (bob, "BOB")):
            line.expect("Enter LOGON", harness.BOOT_SECONDS)
            networks.linux(line, user)
        for n, line in enumerate((alice, bob, bare[1], bare[2])):
            address(line, n + 1)
        networks.shell(bob, "udhcpc -i eth1 -n -q")
        networks.shell(bare[0], "udhcpc -i eth0 -n -q")
        serve(alice)
        serve(bare[1])
        tell("network_machines", *best([lambda: rate(bob, "http://10.1.1.1/file"),
                                        lambda: rate(bare[2], "http://10.1.1.3/file")]))
        host = f"http://10.0.2.2:{port}/file"
        tell("network_host", *best([lambda: rate(bob, host), lambda: rate(bare[0], host)]))


def had(line):
    """Ticks of the user's: those that the machine ran, and all with CP's work for it."""
    said = networks.cp(line, "INDICATE USER", r"VIRTUAL=(\d+) TOTAL=(\d+)[^\n]*\n")
    return [int(n) for n in re.search(r"VIRTUAL=(\d+) TOTAL=(\d+)", said).groups()]


def instructions(place):
    """Where a tick is an instruction: what CP does for a KiB, and what part of all the machines have."""
    nic = 'nic@600 { lan = "SYSTEM NET1"; };'
    image = networks.disk(place, {"ALICE": nic, "BOB": nic}, "NET1 {};")
    with harness.Machine("bench-network-bochs", "--machine", "bochs", "--disk", image, "--lines", "2",
                         *networks.LINUX) as m:
        lines = alice, bob = m.line(1), m.line(2)
        for n, (line, user) in enumerate(((alice, "ALICE"), (bob, "BOB"))):
            line.expect("Enter LOGON", harness.BOOT_SECONDS)
            networks.linux(line, user, f"10.1.1.{n + 1}")
        networks.shell(alice, "mkdir /www; dd if=/dev/zero of=/www/file bs=1M count=2 2>/dev/null; httpd -h /www")
        before = [had(line) for line in lines]
        networks.shell(bob, "wget -q -O /dev/null http://10.1.1.1/file", 300)
        after = [had(line) for line in lines]
    virtual, total = (sum(b[i] - a[i] for a, b in zip(before, after)) for i in (0, 1))
    figure("network_block", round((total - virtual) / 2048), unit="instr/KiB", bound=5000)
    figure("network_block_part", round(virtual / total, 2), unit="of all")


def taken():
    with tempfile.TemporaryDirectory() as place:
        instructions(place)
    with tempfile.TemporaryDirectory() as place:
        figures(place)
