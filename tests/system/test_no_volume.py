"""A CP that is given disks of which none is a CP volume."""
import pytest

import harness
from harness import new_disk

SECONDS = 120


@pytest.mark.parametrize("host", ["bochs", "tcg"])
def test_disks_that_are_none_of_its_own_keep_no_key_from_a_cp(machine, tmp_path, host):
    """Their interrupts come by wires that CP's own devices share."""
    m = machine("--machine", host, "--disk", new_disk(tmp_path / "disk.img"), "--lines", "1")
    line = m.console
    line.expect("CP> ", timeout=harness.BOOT_SECONDS)
    line.type("LOGON MAINT NOIPL")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect("CP> ", SECONDS)
    for vdev in ("19F", "1A0", "1A1", "1A2"):
        line.type(f"LINK MAINT 190 {vdev} RR")
        line.expect("CP> ")
        line.type("IPL CP")
        line.expect("HCPDIR9033")
        line.expect("Enter LOGON")
        line.expect("CP> ")
        line.type("LOGON OPERATOR NOIPL")
        line.expect("(?i)password")
        line.type("vmn")
        line.expect("LOGON AT", SECONDS)
        line.expect("CP> ")
        line.type("QUERY NAMES")
        line.expect("OPERATOR - L0001")
        line.type("#CP QUERY VIRTUAL DASD")
        line.expect(f"{vdev} ")
        line.type("#CP")
        line.expect("CP> ")
