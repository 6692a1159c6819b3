"""CMS on a plain PC, without CP: QEMU, a serial line, virtio disks made by cmsdisk or formatted by CMS itself."""
import os
import re
import subprocess

import foreign
import pexpect
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CMS = os.path.join(ROOT, "build", "cms.elf")
CMSDISK = os.path.join(ROOT, "build", "cmsdisk")
END = r"\r+\n"  # QEMU lets the terminal add a carriage return of its own
READY = r"Ready(?:\((-?\d+)\))?;(?: T=\S+ \d\d:\d\d:\d\d)?" + END
SECONDS = 30

TREE = """/dts-v1/;
/ {
    #address-cells = <2>; #size-cells = <2>;
    chosen { stdout-path = "/isa/serial@2f8"; bootargs = ""; };
    cpus { #address-cells = <1>; #size-cells = <0>;
        cpu@0 { device_type = "cpu"; reg = <0>; timebase-frequency = <1000000000>; }; };
    memory@0 { device_type = "memory"; reg = <0 0 0 0xa0000>, <0 0x100000 0 0x1e00000>; };
    isa { #address-cells = <2>; #size-cells = <1>; compatible = "isa";
        serial@3f8 { compatible = "ns16550a"; reg = <1 0x3f8 8>; interrupts = <4 3>; };
        serial@2f8 { compatible = "ns16550a"; reg = <1 0x2f8 8>; interrupts = <3 3>; }; };
};
"""


class Cms:
    """One IPL of CMS. `disks` is a list of (virtual device number, image, read-only)."""

    def __init__(self, disks, *options, log=None):
        arguments = ["-M", "pc", "-cpu", "max", "-m", "32", "-kernel", CMS, "-monitor", "none", "-display", "none",
                     "-no-reboot", *(options or ("-serial", "stdio"))]
        for vdev, image, read_only in disks:
            access = "on" if read_only else "off"
            arguments += ["-drive", f"file={image},format=raw,if=none,id=d{vdev},readonly={access}",
                          "-device", f"virtio-blk-pci,disable-legacy=on,drive=d{vdev},serial={vdev}"]
        self.child = pexpect.spawn("qemu-system-x86_64", arguments, encoding="utf-8", timeout=SECONDS,
                                   dimensions=(25, 80), echo=False)
        self.child.logfile_read = log
        self.child.delaybeforesend = None
        self.code = None

    def ready(self):
        self.child.expect(READY)
        self.code = int(self.child.match.group(1) or 0)
        return re.sub(END, "\n", self.child.before)

    def do(self, command, code=0):
        """What the command shows; its return code must be `code`."""
        self.child.send(command + "\r")
        shown = self.ready()
        assert self.code == code, f"{command}: {shown}"
        return shown.split("\n", 1)[1]

    def power_off(self):
        self.child.close(force=True)


@pytest.fixture
def ipl(request, tmp_path):
    started = []
    os.makedirs(os.path.join(ROOT, "build", "system"), exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    log = open(os.path.join(ROOT, "build", "system", f"cms-alone-{name}.log"), "w", encoding="utf-8")

    def start(disks, *options):
        started.append(Cms(disks, *options, log=log))
        return started[-1]

    yield start
    for each in started:
        each.power_off()
    log.close()


def cmsdisk(*arguments):
    return subprocess.run([CMSDISK, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def s_disk(tmp_path):
    """A system disk with one file."""
    image, text = tmp_path / "190.img", tmp_path / "news"
    text.write_text("Welcome.\nThe machine is up.\n")
    cmsdisk("format", image, "MNT190", "--size", 2 << 20)
    cmsdisk("put", image, text, "SYSTEM", "NEWS", "--mode", 2)
    return image


def blank(path, size=2 << 20):
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def test_cms_starts_without_any_disk(ipl):
    cms = ipl([])
    assert "VM/N CMS Version" in cms.ready()
    assert cms.code == 100
    assert "CMS Level" in cms.do("QUERY CMSLEVEL")
    assert "Unknown CP/CMS command" in cms.do("FROBNICATE", code=-3)
    assert "DMSCPF9001E" in cms.do("CP QUERY NAMES", code=88)


def test_format_asks_and_what_it_wrote_is_clean(ipl, tmp_path, s_disk):
    image = blank(tmp_path / "191.img")
    cms = ipl([("0190", s_disk, True), ("0191", image, False)])
    shown = cms.ready()
    assert "DMSACP723I S (190) R/O" in shown
    assert "DMSACP112S A(191) device error" in shown
    cms.child.send("format 191 a (blksize 1k\r")
    cms.child.expect("DMSFOR603R")
    cms.child.expect(r"Enter 1 \(YES\) or 0 \(NO\)\." + END)
    cms.child.send("1\r")
    cms.child.expect("DMSFOR605R Enter disk label:" + END)
    cms.child.send("ali191\r")
    cms.ready()
    assert cms.code == 0
    assert re.search(r"ALI191 191  A   R/W    FB 9336 1024 +0 ", cms.do("QUERY DISK A"))
    assert "DMSFOR037E" in cms.do("FORMAT 190 S", code=36)
    cms.power_off()
    cmsdisk("check", image)


def test_files_are_created_listed_and_erased_and_are_there_after_a_restart(ipl, tmp_path, s_disk):
    image = tmp_path / "191.img"
    cmsdisk("format", image, "ALI191", "--size", 2 << 20)
    disks = [("0190", s_disk, True), ("0191", image, False)]
    cms = ipl(disks)
    cms.ready()
    cms.do("PIPE LITERAL Hello, world.| > HELLO SCRIPT A")
    cms.do("COPYFILE HELLO SCRIPT A SECOND SCRIPT A")
    cms.do("COPYFILE SYSTEM NEWS S = = A")
    cms.do("RENAME SECOND SCRIPT A OTHER SCRIPT A")
    assert "Hello, world." in cms.do("TYPE OTHER SCRIPT A")
    cms.do("ERASE HELLO SCRIPT A")
    assert "DMSLST002E" in cms.do("LISTFILE HELLO SCRIPT A", code=28)
    listed = cms.do("LISTFILE * * A")
    assert "OTHER" in listed and "SYSTEM" in listed and "HELLO" not in listed
    assert "DMSERS" in cms.do("ERASE SYSTEM NEWS S", code=36)
    cms.power_off()

    cmsdisk("check", image)
    assert cmsdisk("get", image, "OTHER", "SCRIPT") == "Hello, world.\n"
    again = ipl(disks)
    again.ready()
    assert again.do("LISTFILE * * A") == listed
    assert "The machine is up." in again.do("TYPE SYSTEM NEWS A")


def test_a_device_tree_says_where_the_console_is(ipl, tmp_path):
    source, blob = tmp_path / "machine.dts", tmp_path / "machine.dtb"
    source.write_text(TREE)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", str(blob), str(source)], check=True)
    cms = ipl([], "-serial", "null", "-serial", "stdio", "-initrd", f"{blob} tree")
    cms.ready()
    assert "CMS Level" in cms.do("QUERY CMSLEVEL")


def test_lines_sent_faster_than_they_are_obeyed_are_all_obeyed(ipl):
    cms = ipl([])
    cms.ready()
    cms.do("SET RDYMSG SMSG")
    for first in range(0, 400, 50):
        cms.child.send("".join(f"query nonsense {n}\r" for n in range(first, first + 50)))
        for n in range(first, first + 50):
            cms.child.expect(f"query nonsense {n}" + END)
            cms.ready()
            assert cms.code == 24


def test_lines_are_edited_recalled_and_completed(ipl):
    cms = ipl([])
    cms.ready()
    cms.do("SET RDYMSG SMSG")
    assert "IMPCP    = ON" in cms.do("quXry\x1b[D\x1b[D\x7fe\x1b[Fy\x08 impcp")
    cms.child.send("\x1b[A\x17abbrev\r")
    assert "ABBREV   = ON" in cms.ready()
    assert "VM/N CMS" in cms.do("que\tcmslevel")


def test_hx_ends_a_long_listing(ipl, tmp_path):
    image, text = tmp_path / "191.img", tmp_path / "long"
    text.write_text("".join(f"line {n}\n" for n in range(200000)))
    cmsdisk("format", image, "ALI191", "--size", 16 << 20)
    cmsdisk("put", image, text, "LONG", "LISTING")
    cms = ipl([("0191", image, False)])
    cms.ready()
    cms.child.send("type long listing\r")
    cms.child.expect("line 100" + END)
    cms.child.send("hx\r")
    shown = cms.ready()
    assert cms.code == 0
    assert "line 199999" not in shown
    assert "CMS Level" in cms.do("QUERY CMSLEVEL")


def test_an_abend_comes_back_to_the_command_level(ipl, tmp_path):
    monitor = str(tmp_path / "monitor")
    image = tmp_path / "191.img"
    cmsdisk("format", image, "ALI191", "--size", 1 << 20)
    cms = ipl([("0191", image, False)], "-serial", "stdio", "-qmp", f"unix:{monitor},server=on,wait=off")
    cms.ready()
    qmp(monitor, "inject-nmi")
    assert "DMSITP141T Nonmaskable interrupt exception" in cms.ready()
    assert cms.code == 256
    assert "ALI191" in cms.do("QUERY DISK A")


def qmp(path, command):
    import json
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(SECONDS)
        s.connect(path)
        stream = s.makefile("rw")
        stream.readline()
        for each in ("qmp_capabilities", command):
            stream.write(json.dumps({"execute": each}) + "\n")
            stream.flush()
            stream.readline()


def test_a_disk_that_another_tool_filled_is_used_and_its_names_are_completed(ipl, tmp_path, s_disk):
    image = foreign.full_disk(tmp_path / "191.img", hostile=True)
    cms = ipl([("0190", s_disk, True), ("0191", image, False)])
    cms.ready()
    assert cms.do("TYPE VOID FILE").strip("\n") == ""
    assert "DMSCPY107S" in cms.do("COPYFILE VOID FILE A NEW FILE A", code=100)
    assert "BBBB" in cms.do("TYPE F1 FILE")
    cms.do("ERASE F1 FILE")
    cms.do("ERASE F1% FILE")
    cms.do("COPYFILE VOID FILE A NEW FILE A")
    cms.do("PIPE < VOID FILE | > NEWER FILE A")
    assert "DMSCMP179I" in cms.do("COMPARE VOID FILE A NEW FILE A")

    cms.child.send("type \t\t")
    cms.child.expect_exact("NEWER")
    assert "E\x1bL" not in cms.child.before
    cms.child.expect_exact("VOID ")
    cms.child.send("voi\tf\t\r")
    cms.child.expect_exact("void file ")
    cms.ready()
    assert cms.code == 0
    assert "E?L      FILE" in cms.do("LISTFILE E* * A")
    for number in (0, *range(2, 10)):
        cms.do(f"ERASE F{number} FILE")
    cms.power_off()
    shown = subprocess.run([CMSDISK, "check", image], capture_output=True, text=True, check=False).stdout
    assert "1 inconsistency" in shown and "E?L FILE: its name or type" in shown


def test_a_tape_goes_to_the_host_and_one_of_the_host_is_loaded(ipl, tmp_path):
    disk, tape = tmp_path / "191.img", tmp_path / "tape.aws"
    cmsdisk("format", disk, "ALI191", "--size", 2 << 20)
    cms = ipl([("0191", disk, False)])
    cms.ready()
    cms.do("PIPE literal A dark and stormy night/rain fell| split /| > STORY TEXT A")
    assert cms.do("TAPE DUMP STORY TEXT A") == "Dumping.....\nSTORY TEXT A1\n"
    cms.do("ERASE STORY TEXT A")
    cms.power_off()
    cmsdisk("get", disk, "TAP1", "AWSTAPE", tape, "--binary")
    assert cmsdisk("tape", "list", tape).startswith("STORY    TEXT     A1 V     23          2          1  ")
    assert cmsdisk("tape", "get", tape, "STORY", "TEXT") == "A dark and stormy night\nrain fell\n"
    cmsdisk("put", disk, tape, "HOST", "TAPE", "--binary", "--lrecl", "50")
    cms = ipl([("0191", disk, False)])
    cms.ready()
    cms.do("FILEDEF TAP2 DISK HOST TAPE A")
    assert cms.do("TAPE LOAD (TAP2") == "Loading.....\nSTORY TEXT A1\nEnd-of-file or end-of-tape\n"
    assert cms.do("TYPE STORY TEXT") == "\nA dark and stormy night\nrain fell\n\n"
    cms.power_off()
    assert "clean" in cmsdisk("check", disk)


def test_records_are_rearranged_sorted_and_a_whole_disk_copied(ipl, tmp_path):
    disk, other = tmp_path / "191.img", blank(tmp_path / "192.img")
    cmsdisk("format", disk, "ALI191", "--size", 2 << 20)
    cms = ipl([("0191", disk, False), ("0192", other, False)])
    cms.ready()
    cms.do("PIPE literal pear 2,apple 3,fig 1| split ,| specs w1 1 w2 10 | > FRUIT LIST A F 10")
    # The lists they ask for stand in the line already.
    assert "DMSSRT604R Enter sort fields:" in cms.do("SORT FRUIT LIST A SORTED = A#1 8")
    cms.do("COPYFILE SORTED LIST A SHOWN = A (RECFM V SPECS NOPROMPT#10 1 /:/ 2 1-8 4")
    assert cms.do("TYPE SHOWN LIST") == "\n3: apple   \n1: fig     \n2: pear    \n\n"
    assert re.search(r"DMSDDR9042I 4096 sectors of disk 192, \d+ of them not zero", cms.do("DDR COPY 191 TO 192#YES"))
    cms.do("ACCESS 192 B")
    assert cms.do("TYPE SHOWN LIST B").startswith("\n3: apple")
    cms.power_off()
    assert disk.read_bytes() == other.read_bytes()
    assert "clean" in cmsdisk("check", other)
