"""Networks: who has one, who reaches whom, and what comes through. Linux is Debian's, unmodified."""
import hashlib
import os
import re

import harness
import networks
import pytest
from networks import linux, shell

BOTH = pytest.mark.parametrize("emulator", ["tcg", "bochs"])


def start(machine, emulator, image, *options, lines=2):
    return harness.start(machine, image, "--machine", emulator, *networks.LINUX, *options, lines=lines)


@BOTH
def test_two_users_linuxes_copy_a_file_over_a_lan(machine, tmp_path, emulator):
    nic = 'nic@600 { lan = "SYSTEM NET1"; };'
    m = start(machine, emulator, networks.disk(tmp_path, {"ALICE": nic, "BOB": nic}, "NET1 {};"))
    alice, bob = m.console, m.line(2)
    linux(alice, "ALICE", "10.1.1.1")
    linux(bob, "BOB", "10.1.1.2")
    shell(alice, "mkdir /www; dd if=/dev/urandom of=/www/file bs=1k count=300 2>/dev/null; httpd -p 80 -h /www")
    assert "saved" in shell(bob, "wget -O /copy http://10.1.1.1/file", 120)
    assert networks.said_sum(bob, "/copy") == networks.said_sum(alice, "/www/file")
    assert "3 packets received" in shell(bob, "ping -c 3 -i 0.2 10.1.1.1")
    networks.cp(bob, "UNCOUPLE 600", "NIC 0600 is disconnected from LAN SYSTEM NET1\r\n")
    assert shell(bob, "cat /sys/class/net/eth0/carrier").startswith("0")
    networks.cp(bob, "COUPLE 600 TO SYSTEM NET1", "NIC 0600 is connected to LAN SYSTEM NET1\r\n")
    assert shell(bob, "cat /sys/class/net/eth0/carrier").startswith("1")
    assert "1 packets received" in shell(bob, "ping -c 1 10.1.1.1")
    networks.cp(bob, "QUERY NIC",
                r"Adapter 0600 Type: VIRTIO  MAC: 02-[-0-9A-F]+  LAN: SYSTEM NET1[^#]*TX Packets: \d\d+")


@pytest.mark.parametrize("levels", [1, 2])
def test_linux_fetches_a_file_of_the_host_through_the_uplink(machine, tmp_path, levels):
    content = os.urandom(700000)
    (tmp_path / "file").write_bytes(content)
    with networks.host_server(tmp_path) as port:
        m = machine("--machine", "tcg", "--net", "user", "--levels", str(levels), "--ipl", networks.KERNEL, "--initrd",
                    networks.INITRD, "--append", "console=ttyS0 quiet", "--guest-memory", "192")
        m.console.expect("Linux is up", networks.BOOT)
        m.console.expect("/ # ", 60)
        assert "lease of 10.0.2.15 obtained" in shell(m.console, "udhcpc -i eth0 -n -q")
        assert "saved" in shell(m.console, f"wget -O /copy http://10.0.2.2:{port}/file", 120)
        assert networks.said_sum(m.console, "/copy") == hashlib.sha256(content).hexdigest()


def test_users_share_an_uplink_and_who_has_no_permission_has_no_nic(machine, tmp_path):
    (tmp_path / "file").write_bytes(os.urandom(100000))
    users = {"ALICE": 'nic@600 { lan = "SYSTEM OUT"; };', "MAINT": 'nic@600 { lan = "SYSTEM OUT"; rate = <2048>; };'}
    image = networks.disk(tmp_path, users, "OUT { uplink = <0>; isolated; };")
    with networks.host_server(tmp_path) as port:
        m = start(machine, "tcg", image, "--net", "user", lines=3)
        for line, user in ((m.console, "ALICE"), (m.line(2), "MAINT"), (m.line(3), "BOB")):
            linux(line, user)
        addresses = []
        for line in (m.console, m.line(2)):
            said = shell(line, "udhcpc -i eth0 -n -q")
            addresses.append(said.partition("lease of ")[2].partition(" ")[0])
            assert "saved" in shell(line, f"wget -O /copy http://10.0.2.2:{port}/file", 120)
        assert len(set(addresses)) == 2
        assert "0 packets received" in shell(m.console, f"ping -c 2 -W 1 {addresses[1]}"), "isolated"
        bob = m.line(3)
        assert "eth0" not in shell(bob, "ls /sys/class/net")
        assert "0x1041" not in shell(bob, "cat /sys/bus/pci/devices/*/device")
        networks.cp(bob, "COUPLE 600 TO SYSTEM OUT", "HCPCPL040E Device 0600 does not exist")
        networks.cp(bob, "QUERY LAN", "HCPQLN9127E")


def test_a_flood_and_false_addresses_are_their_senders_loss(machine, tmp_path):
    """MAINT floods the LAN with broadcasts, first from its own address and then from ALICE's."""
    nic = 'nic@600 { lan = "SYSTEM NET1"; };'
    image = networks.disk(tmp_path, {"ALICE": nic, "BOB": nic, "MAINT": nic}, "NET1 {};")
    m = start(machine, "tcg", image, lines=3)
    alice, bob, flooder = m.console, m.line(2), m.line(3)
    for n, (line, user) in enumerate(((alice, "ALICE"), (bob, "BOB"), (flooder, "MAINT"))):
        linux(line, user, f"10.1.1.{n + 1}")
    address = shell(alice, "cat /sys/class/net/eth0/address").strip()
    shell(alice, "mkdir /www; dd if=/dev/urandom of=/www/file bs=1k count=500 2>/dev/null; httpd -p 80 -h /www")
    expected = networks.said_sum(alice, "/www/file")
    flood = "for i in 1 2 3; do ping -q -i 0.0005 -s 1400 10.1.1.255 >/dev/null & done"
    for false in (False, True):
        if false:
            shell(flooder, f"ip link set eth0 down; ip link set eth0 address {address}; ip link set eth0 up")
        shell(flooder, flood)
        assert "saved" in shell(bob, "rm -f /copy; wget -O /copy http://10.1.1.1/file", 120)
        assert networks.said_sum(bob, "/copy") == expected
        shell(flooder, "killall ping; sleep 1")
    said = networks.cp(flooder, "QUERY NIC", r"TX Packets: \d+[^\n]*\n")
    assert int(re.search(r"TX Packets: (\d+)", said)[1]) > 100
    assert int(re.search(r"TX .*Errors: (\d+)", said)[1]) > 0, "an address that is another's"


def test_a_directory_that_is_put_in_force_gives_networks_and_moves_uplinks(machine, tmp_path):
    m = harness.start(machine, harness.new_disk(tmp_path / "disk.img"), "--machine", "tcg", "--net", "user")
    maint, alice = m.console, m.line(2)
    maint.logon("MAINT")
    maint.cms("DIRECTXA (GET")
    nic = 'nic@600 { lan = "SYSTEM NET1", "SYSTEM OUT"; };'
    maint.cms(f"PIPE < USER DIRECT A | change /mdisk@191/{nic} mdisk@191/ | > NEXT DIRECT A")
    maint.cms("PIPE < NEXT DIRECT A | change /users {/lans { NET1 { }; OUT { uplink = <0>; }; }; users {/ "
              "| > NEXT DIRECT A")
    assert "DIRECTORY REPLACED" in maint.cms("DIRECTXA NEXT DIRECT A", 60)
    alice.logon("ALICE")
    assert "LAN: SYSTEM NET1" in alice.cms("CP QUERY NIC")
    assert "is connected to LAN SYSTEM OUT" in alice.cms("CP UNCOUPLE 600") + alice.cms("CP COUPLE 600 TO SYSTEM OUT")
    assert "Uplink: 52-54-00-12-34-56" in alice.cms("CP QUERY LAN OUT")
    maint.cms("PIPE < NEXT DIRECT A | change /OUT { uplink = <0>; };/OUT { };/ "
              "| change /NET1 { };/NET1 { uplink = <0>; };/ | > NEXT DIRECT A")
    assert "DIRECTORY REPLACED" in maint.cms("DIRECTXA NEXT DIRECT A", 60)
    assert "Uplink: NONE" in alice.cms("CP QUERY LAN OUT")
    alice.cms("CP UNCOUPLE 600")
    assert "is connected to LAN SYSTEM NET1" in alice.cms("CP COUPLE 600 TO SYSTEM NET1")
    assert "Uplink: 52-54-00-12-34-56" in alice.cms("CP QUERY LAN NET1")
