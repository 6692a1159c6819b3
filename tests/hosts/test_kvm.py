"""KVM as host: Debian's kernel with KVM and Debian's QEMU run inside an emulator, and
scripts/vmn --machine kvm inside that."""
import os
import subprocess

import pytest
from host import READY, ROOT, Host

VIRTUALIZATION = {"amd": "SVM", "intel": "VMX"}
PAGING = {"amd": "npt", "intel": "ept"}
LACKS = {"amd": "SVM's nested paging", "intel": "secondary controls (EPT, unrestricted guest)"}

# what SVM cannot give, and KVM's own ways: docs/hosts.md
PAYLOADS = {"amd": ("vmx_bitmaps", "vmx_instructions"),
            "intel": ("vmx_bitmaps", "vmx_instructions", "vmx_state", "vmx_ept", "vmx_shadow")}


def transcript(name):
    with open(os.path.join(ROOT, "tests", "guest", "expected", name + ".txt"), encoding="ascii") as text:
        return text.read().splitlines()


@pytest.fixture(scope="session")
def initramfs():
    """The kernel and the file tree of the host, once."""
    subprocess.run([os.path.join(ROOT, "tests", "hosts", "initramfs")], check=True)


@pytest.fixture(scope="session", params=["amd", "intel"])
def booted(initramfs, request):
    """One Linux for all tests of a vendor: it takes a minute to boot."""
    with Host(request.param) as host:
        yield host


@pytest.fixture
def host(booted):
    """It, with a KVM that offers nested virtualization."""
    facts = booted.load("nested=1")
    assert facts["nested"] in ("Y", "1") and facts[PAGING[booted.vendor]] == "Y"
    yield booted
    booted.tidy()


def test_a_user_logs_on_and_keeps_a_file(host):
    host.start("sample", "--lines 1")
    host.wait("CP asks for a user", "Enter LOGON")
    host.type("LOGON ALICE")
    host.wait("CP asks for the password", "(?i)password")
    host.type("vmn")
    host.wait("CMS is ready", READY)
    host.type("PIPE literal beneath KVM| > beneath kvm a")
    host.wait("a file is written", READY)
    host.type("TYPE BENEATH KVM A")
    host.wait("and read", "beneath KVM\r")
    assert host.switch_off()["nested_run"] > 0


def test_cms_is_ready_beneath_two_levels_of_cp(host):
    host.start("tower", "--machine auto --lines 1 --logon CP2")  # which takes kvm, as level 0 says below
    host.wait("the outer CP is up", "VM/N ONLINE")
    host.wait("the inner CP is up", "VM/N ONLINE")
    host.wait("CMS is ready", READY)
    host.type("CP QUERY NEST")
    host.wait("CP counts the levels", "LEVEL 2: ALICE .*LEVEL 1: CP2 .*LEVEL 0: KVM, " + VIRTUALIZATION[host.vendor])
    host.wait("and is through", READY)
    assert host.switch_off()["nested_run"] > 0


def test_virtual_vmx_is_that_of_vmx_hardware(host):
    for name in PAYLOADS[host.vendor]:
        said, status = host.run(f"start --ipl /vmn/guest/{name}.elf </dev/null")
        assert status == 0, said
        assert [line for line in said.splitlines() if not line.startswith("exits=")] == transcript(name)
        host.say(f"{name} prints the transcript")


def test_without_nested_virtualization_kvm_is_refused(booted):
    booted.load("nested=0")
    said, status = booted.run("start --lines 1 </dev/null")
    assert "no kvm here: KVM does not offer nested virtualization (module parameter nested)" in said
    assert status == 2


def test_without_nested_paging_cp_says_what_it_lacks(booted):
    booted.load(f"nested=1 {PAGING[booted.vendor]}=0")
    said, status = booted.run("start --lines 1 </dev/null")
    assert [line for line in said.splitlines() if "HCPISU951E" in line and LACKS[booted.vendor] in line], said
    assert status == 1
