"""TRACE VMX: the developer of a hypervisor is told which rule a failed entry broke, and is not flooded."""
import re

from test_neighbours import Cp


def test_failed_entries_name_their_rule_and_field(machine, tmp_path):
    cp = Cp(machine, tmp_path, "vmx_entry_rules")
    cp.logon(cp.bob, "BOB")
    cp.bob.type("TRACE VMX ON")
    cp.bob.expect("CP> ")
    cp.bob.type("IPL VMX_ENTR")
    said = cp.bob.expect(r"end\r?\n", timeout=60)
    told = re.findall(r"HCPVMX9040I (.+); field ([0-9A-F]{4} [A-Z0-9_]+|none)\r?\n", said)
    assert len({field for _, field in told if field != "none"}) >= 3, told
    cp.bob.type("#CP TRACE VMX OFF")
    cp.bob.expect(r"HCPVMX9041I \d+ further failures at VMX were not shown")
    cp.end(cp.bob)


def test_without_it_nothing_is_said(machine, tmp_path):
    cp = Cp(machine, tmp_path, "vmx_entry_rules")
    cp.logon(cp.bob, "BOB")
    cp.bob.type("IPL VMX_ENTR")
    assert "HCPVMX" not in cp.bob.expect(r"end\r?\n", timeout=60)
