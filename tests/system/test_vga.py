"""Software whose console is a PC's screen and keyboard: what it shows and reads on a terminal, on both hosts."""
import pytest

import harness
from test_firmware import BOOT, CD, CD_BLOCKS, alice, cd_made, choose, disk_with


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_a_kernel_shows_text_and_reads_keys(machine, host):
    m = machine("--machine", host, "--ipl", harness.guest("vga"))
    m.console.expect("\u2554\u2550\u2557 text in colour".encode().decode("latin-1"), 60)
    m.console.send("a")
    m.console.expect("1e", 30)
    m.console.send("\r")
    m.console.expect("1c", 30)
    m.console.send("\x1b[A") # up
    m.console.expect("48", 30)
    m.console.send("q")
    m.console.expect("the end", 30)
    assert m.wait(30) == 0


def test_linux_without_an_option_has_its_console_there(machine, tmp_path):
    m = alice(machine, "tcg", disk_with(tmp_path, {CD: (cd_made(tmp_path, ""), CD_BLOCKS)}))
    m.console.type("DEFINE STORAGE 128M")
    m.console.expect("STORAGE = ", 30)
    m.console.type("IPL 501")
    m.console.expect("Booting from Hard Disk", BOOT)
    choose(m.console)
    m.console.send("echo $((40+2))x >/dev/tty0\r")
    m.console.expect("42x", 30)
    m.console.send("ls /sys/bus/serio/drivers\r")
    m.console.expect("atkbd", 30)
    m.console.send("poweroff -f\r")
    m.console.expect("HCPGIR2629I", 60)
    m.console.type("#CP IPL CMS")
    m.console.expect(harness.READY, 60)
