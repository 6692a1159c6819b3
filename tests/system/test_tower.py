"""A tower of three: the session at its top, what it says of the levels beneath, and the way out."""
import re
import subprocess

import harness
from harness import READY, ROOT, guest, run_piped

BENEATH = ["LEVEL 3: ALICE    AT VMN, VM/N 1.0, NESTED MEMORY", "LEVEL 2: CP2      AT VMN, VM/N 1.0, NESTED MEMORY",
           "LEVEL 1: CP2      AT VMN, VM/N 1.0, NESTED MEMORY", "LEVEL 0: REAL MACHINE, VMX"]


def tower(directory, depth):
    disk = str(directory / "tower.img")
    subprocess.run([f"{ROOT}/scripts/tower", str(depth), disk], check=True)
    return disk


def counts(said):
    """{reason: [own, VMX instructions, handled by CP, given to L1]} of INDICATE NEST."""
    rows = re.findall(r"^([A-Z/ ]+?) +(\d+) +(\d+) +(\d+) +(\d+)\r?$", said, re.M)
    return {name: [int(n) for n in numbers] for name, *numbers in rows}


def test_at_the_top_of_three_one_works_and_sees_all_levels(machine, tmp_path):
    top = machine("--machine", "bochs", "--disk", tower(tmp_path, 3), "--logon", "CP2", "--lines", "1").console
    top.expect(READY, timeout=harness.BOOT_SECONDS)
    said = top.cms("CP QUERY NEST").replace("\r", "").splitlines()
    assert [line for line in said if line.startswith("LEVEL")] == BENEATH
    assert "ALICE    AT VMN" in top.cms("CP QUERY USERID")
    top.cms("PIPE literal three up| > three up a")
    assert top.code == 0 and "three up" in top.cms("TYPE THREE UP A")
    assert "CPUID" in counts(top.cms("CP INDICATE NEST"))
    top.type("LOGOFF")  # CMS asks the innermost CP
    top.expect("LOGOFF AT .* UTC")
    top.expect("VM/N ONLINE")


def test_the_lowest_cp_counts_what_its_guest_does_with_vmx(machine, tmp_path):
    """#CP at the terminal speaks to the lowest CP."""
    top = machine("--machine", "bochs", "--disk", tower(tmp_path, 2), "--logon", "CP2", "--lines", "1").console
    top.expect(READY, timeout=harness.BOOT_SECONDS)
    top.type("#CP INDICATE NEST")
    top.expect(r"TOTAL +\d+ +\d+ +\d+ +\d+\r?\n")
    rows = counts(top.child.before + top.child.after)
    assert rows["VMCALL"][1] > 30  # its entries: some fifty calls are a LOGON
    assert rows["EPT VIOLATION"][2] > 10 and rows["I/O"][3] > 10
    for column in range(4):
        assert sum(row[column] for name, row in rows.items() if name != "TOTAL") == rows["TOTAL"][column]
    top.type("#CP LOGOFF")
    top.expect("LOGOFF AT .* UTC")
    top.expect("VM/N ONLINE")


def test_what_ends_beneath_three_levels_ends_them_all_with_its_status():
    for payload, status in (("hello", 0), ("triple", 125)):
        done = run_piped("--machine", "bochs", "--levels", "3", "--ipl", guest(payload))
        assert done.returncode == status, done.stdout + done.stderr
