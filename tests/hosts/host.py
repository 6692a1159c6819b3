"""A Linux host with KVM, inside an emulator: QEMU in software, whose processor has SVM, or
Bochs, whose processor has VMX.

tests/hosts/initramfs makes what it boots; tests/hosts/init takes commands on the console, the emulator's serial line,
which is VM/N's line 1 while scripts/vmn runs there.
"""
import os
import re
import shutil
import subprocess
import sys
import time

import pexpect

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOSTS = os.path.join(ROOT, "build", "hosts")
READY = r"Ready; T=\S+[^\r\n]*\r"
PATIENCE = 900  # seconds, on a slow machine; each step takes a minute at most on a fast one
MEGABYTES = 1536
# no mitigations: nobody attacks this host, and each costs instructions
KERNEL = "console=ttyS0,115200 quiet panic=-1 nokaslr mitigations=off"

BOCHS = """
cpu: model={model}, count=1, ips=200000000, reset_on_triple_fault=0
memory: guest={megabytes}, host={megabytes}
clock: sync=none, time0=utc
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: cdrom
floppy_bootsig_check: disabled=1
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=boot.iso, status=inserted
display_library: term
log: log
panic: action=fatal
error: action=ignore
info: action=report
debug: action=ignore
plugin_ctrl: sb16=false, es1370=false, gameport=false, speaker=false, e1000=false, iodebug=false
sound: waveoutdrv=dummy, waveout=none, waveindrv=dummy, wavein=none, midioutdrv=dummy, midiout=none
com1: enabled=1, mode=term, dev=line1
"""


def start_qemu(directory, arguments):
    """In software, with SVM and nested paging."""
    for name in ("vmlinuz", "initrd"):
        os.symlink(os.path.join(HOSTS, name), os.path.join(directory, name))
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none",
            "-no-reboot", "-machine", "pc,accel=tcg", "-cpu", "max,+svm,+npt", "-m", str(MEGABYTES),
            "-d", "cpu_reset", "-D", "log",
            "-chardev", "pipe,id=line1,path=line1", "-device", "isa-serial,chardev=line1",
            "-kernel", "vmlinuz", "-initrd", "initrd", "-append", arguments]


def start_bochs(directory, arguments, files=HOSTS, model="broadwell_ult"):
    """GRUB on a CD starts the kernel and initrd of a folder. The package is the debugger build: "c" lets the machine
    go."""
    grub = os.path.join(directory, "image", "boot", "grub")
    os.makedirs(grub)
    for name in ("vmlinuz", "initrd"):
        os.link(os.path.realpath(os.path.join(files, name)), os.path.join(directory, "image", "boot", name))
    with open(os.path.join(grub, "grub.cfg"), "w", encoding="ascii") as config:
        config.write(f"linux /boot/vmlinuz {arguments}\ninitrd /boot/initrd\nboot\n")
    subprocess.run(["grub-mkrescue", "--directory=/usr/lib/grub/i386-pc", "--fonts=", "--locales=", "--themes=",
                    "--install-modules=linux iso9660 biosdisk normal", "-o", os.path.join(directory, "boot.iso"),
                    os.path.join(directory, "image")], check=True, capture_output=True)
    with open(os.path.join(directory, "bochsrc"), "w", encoding="ascii") as config:
        config.write(BOCHS.format(megabytes=MEGABYTES, model=model))
    with open(os.path.join(directory, "debugger"), "w", encoding="ascii") as commands:
        commands.write("c\n")
    return ["bochs-bin", "-q", "-f", "bochsrc", "-rc", "debugger"]


EMULATORS = {"amd": start_qemu, "intel": start_bochs}


class Host:
    """The host, from power on to power off. A context manager: nothing of it is left."""

    def __init__(self, vendor):
        self.vendor = vendor
        self.started = time.monotonic()
        self.running = False
        directory = os.path.join(HOSTS, "run-" + vendor)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        command = EMULATORS[vendor](directory, KERNEL)
        log = os.path.join(HOSTS, vendor)
        self.console = open(log + ".console", "w", encoding="latin-1")
        # the relay owns the emulator and sweeps the directory
        self.child = pexpect.spawn(os.path.join(ROOT, "build", "vmn-relay"),
                                   [directory, "1", log + ".log", "--", *command],
                                   encoding="latin-1", dimensions=(24, 200))
        self.child.logfile_read = self.console
        self.child.delaybeforesend = None
        self.say("Linux boots")
        self.child.expect(r"HOST READY\r\n", timeout=PATIENCE)
        self.say("Linux is up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)
        self.console.close()

    def say(self, text):
        """Progress, for who waits."""
        print(f"{time.monotonic() - self.started:7.1f} s  kvm_{self.vendor}: {text}", file=sys.stderr, flush=True)

    def type(self, text):
        """A line at the console: Linux's, or VM/N's line 1."""
        self.child.send(text + "\r")

    # ---- the shell ----

    def run(self, command):
        """A command of the host's (tests/hosts/init): what it said, and its status."""
        self.type(command)
        self.child.expect(r"HOST DONE (\d+)\r\n", timeout=PATIENCE)
        return self.child.before.replace("\r", ""), int(self.child.match.group(1))

    def load(self, parameters):
        """KVM with these parameters of its module. {parameter: value} as the module has them."""
        said, status = self.run(f"load {self.vendor} {parameters}")
        assert status == 0, said
        self.say("KVM with " + " ".join(said.split()))
        return dict(re.findall(r"^(\w+)=(\w+)$", said, re.M))

    # ---- VM/N on it ----

    def start(self, disk, options):
        """scripts/vmn on a fresh disk."""
        self.say(f"starts scripts/vmn {options}")
        self.run("disk " + disk)
        self.type(f"start --disk /disk {options}")
        self.running = True

    def wait(self, what, pattern):
        """The seconds until the pattern came. Ends at once if VM/N does."""
        began = time.monotonic()
        if self.child.expect([pattern, r"HOST DONE \d+\r\n"], timeout=PATIENCE) == 1:
            self.running = False
            raise AssertionError(f"{what} never came: {self.child.before[-2000:]}{self.child.after}")
        self.say(what)
        return time.monotonic() - began

    def switch_off(self):
        """Ends VM/N as one does at its terminal, by a key that passes this emulator's relay to reach the one inside.
        {name: value} of what KVM counted."""
        self.child.send("\x1d\x1dq")
        self.child.expect(r"HOST DONE 130\r\n", timeout=PATIENCE)
        self.running = False
        counts = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", self.child.before)}
        self.say("KVM counted " + " ".join(f"{name}={count}" for name, count in counts.items()))
        return counts

    def tidy(self):
        """After a test that failed: back to the shell."""
        if self.running:
            self.switch_off()
