"""Linux on Bochs, with the root image's own files: what a program costs there is what it is compared with. Debian's
kernel, `mitigations=off`, all files in storage (an initramfs)."""
import os
import shutil
import subprocess
import sys
import tempfile

import pexpect

from record import ROOT, costs

sys.path.insert(0, os.path.join(ROOT, "tests", "hosts"))
import host  # noqa: E402

MODEL = "broadwell_ult"  # CMS is to have the same
INIT = """#!/bin/busybox sh
export PATH=/usr/local/bin:/usr/bin:/bin
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
busybox dmesg -n 1
exec </dev/ttyS0 >/dev/ttyS0 2>&1
/figures /a
exec busybox sleep 1000000  # what has been said is still on its way, and must not end with the kernel
"""


def initrd(files, image, place):
    """The root image's tree, `figures`, and the folder `files` as /a."""
    tree = os.path.join(place, "tree")
    shutil.copytree(os.path.join(ROOT, "build", "root", "tree"), tree, symlinks=True)
    for name in ("proc", "dev", "tmp", "root"):
        os.makedirs(os.path.join(tree, name), exist_ok=True)
    shutil.copytree(files, os.path.join(tree, "a"))
    shutil.copy(os.path.join(ROOT, "build", "programs", "figures-musl"), os.path.join(tree, "figures"))
    with open(os.path.join(tree, "init"), "w", encoding="ascii") as init:
        init.write(INIT)
    os.chmod(os.path.join(tree, "init"), 0o755)
    with open(image, "wb") as out:
        subprocess.run("find . | usr/bin/busybox cpio -o -H newc -R 0:0", shell=True, cwd=tree, stdout=out,
                       stderr=subprocess.DEVNULL, check=True)


def figures(files):
    """What build/programs/figures-musl says there: {name: ticks}."""
    subprocess.run([os.path.join(ROOT, "tests", "hosts", "kernel")], check=True)
    with tempfile.TemporaryDirectory() as place:
        os.symlink(os.path.realpath(os.path.join(host.HOSTS, "vmlinuz")), os.path.join(place, "vmlinuz"))
        initrd(files, os.path.join(place, "initrd"), place)
        run = os.path.join(place, "run")
        os.mkdir(run)
        command = host.start_bochs(run, host.KERNEL, place, MODEL)
        child = pexpect.spawn(os.path.join(ROOT, "build", "vmn-relay"),
                              [run, "1", os.path.join(place, "log"), "--", *command], encoding="latin-1",
                              dimensions=(24, 200))
        try:
            child.expect(r"R rexx_1000 min=\d+\r\nend\r", timeout=host.PATIENCE)
            return costs((child.before + child.after).replace("\r", ""))
        finally:
            child.close(force=True)
