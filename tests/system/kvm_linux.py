"""A Linux with KVM and QEMU (images/systems/kvm) in a user's machine, and what runs in it."""
import os
import subprocess

import harness

KERNEL = os.path.join(harness.ROOT, "build", "systems", "linux")
INITRD = os.path.join(harness.ROOT, "build", "systems", "kvm.initrd")
PROMPT = "\n/ # "
OPTIONS = ("--memory", "1024", "--guest-memory", "512")


def initrd_with(place, *files):
    """kvm.initrd, and these of build/ at its root."""
    path = os.path.join(place, "initrd")
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input="\n".join(files).encode(), check=True,
                             cwd=os.path.join(harness.ROOT, "build"), capture_output=True).stdout
    with open(path, "wb") as out, open(INITRD, "rb") as first:
        out.write(first.read())
        out.write(archive)
    return path


def options(host, initrd=INITRD):
    """of scripts/vmn"""
    return ("--machine", host, *OPTIONS, "--ipl", KERNEL, "--initrd", initrd, "--append", "console=ttyS0 quiet")


def up(console, timeout):
    """Waits for its shell; which of KVM's modules it has."""
    console.expect(r"Linux with (kvm_\w+) is up", timeout)
    module = console.match.group(1)
    console.expect(PROMPT, timeout)
    return module


def shell(console, command, timeout=60):
    """What a command said."""
    console.send(command + "\r")
    return console.expect(PROMPT, timeout)
