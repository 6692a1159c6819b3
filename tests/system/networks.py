"""Directories that give users NICs, and Linux in users' machines, for the tests of networks and for bench/bench."""
import contextlib
import http.server
import os
import re
import subprocess
import threading

import harness

KERNEL = os.path.join(harness.ROOT, "build", "systems", "linux")
INITRD = KERNEL + ".initrd"
LINUX = ("--module", KERNEL, "--initrd", INITRD)
BOOT = 300
MKIMAGE = os.path.join(harness.ROOT, "build", "mkimage")


def directory(place, users, lans="", name="directory"):
    """The sample directory as a blob, with LANs, and further properties of some users."""
    with open(harness.DIRECTORY, encoding="utf-8") as source:
        text = source.read()
    text = text.replace("    users {\n", f"    lans {{ {lans} }};\n    users {{\n", 1)
    for user, said in users.items():
        text = re.sub(rf"(\n +{user} \{{\n(?:.*\n)*? +)(mdisk@191)", lambda m, said=said: m[1] + said + "\n" + m[2],
                      text, count=1)
    source, blob = os.path.join(place, f"{name}.dts"), os.path.join(place, f"{name}.dtb")
    with open(source, "w", encoding="utf-8") as out:
        out.write(text)
    subprocess.run(["dtc", "-q", "-o", blob, source], check=True)
    return blob


def disk(place, users, lans=""):
    image = harness.new_disk(os.path.join(place, "disk.img"))
    subprocess.run([MKIMAGE, "--replace-directory", image, "--directory", directory(place, users, lans)], check=True)
    return image


def shell(line, command, timeout=60):
    line.send(command + "\r")
    said = line.expect("\n/ # ", timeout)
    return said.partition("\n")[2]


def cp(line, command, pattern):
    """A command for CP while the shell waits: what matched, and the shell at its prompt again."""
    line.type("#CP " + command)
    line.expect(pattern, 30)
    said = line.child.before + line.child.after
    line.send("\r")
    line.expect("\n/ # ", 60)
    return said


def linux(line, user, address=None):
    """Debian's Linux in that user's machine, to its prompt."""
    line.logon(user)
    line.type("#CP DEFINE STORAGE 128M")
    line.expect("STORAGE = ", 30)
    line.type("IPL LINUX PARM console=ttyS0 quiet")
    line.expect("Linux is up", BOOT)
    line.expect("/ # ", 60)
    if address:
        shell(line, f"ip address add {address}/24 dev eth0; ip link set eth0 up")


def said_sum(line, file):
    return re.search(r"\b([0-9a-f]{64})\b", shell(line, f"sha256sum {file}"))[1]


@contextlib.contextmanager
def host_server(folder):
    """A server of HTTP on this host's loopback: its port."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **more):
            super().__init__(*arguments, directory=str(folder), **more)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
