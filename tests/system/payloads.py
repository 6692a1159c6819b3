"""Where the VMX payloads print on SVM in QEMU what differs from the transcript of a VMX machine, line by
line, and why. docs/hosts.md has the reasons at length. A line that is not here must be the same; a line that
is here must differ in just this way."""

NOT_INTERCEPTED = "SVM has no such intercept, so the control is not offered"
NO_CONTROL = "what SVM has for it is another thing, or none, so the control is not offered"
NO_INVPCID = "QEMU's processor lacks the instruction, so the control is not offered"
NO_EXECUTE_ONLY = ("nested page tables have no execute-only pages: such an entry is a misconfiguration where they are "
                   "not offered")
QEMU_XSETBV = "QEMU 7.2 does not intercept XSETBV"
QEMU_DATA_BREAKPOINT = "QEMU 7.2 ends when an event's delivery meets a data breakpoint, so CP arms none"
WALKS_WRITE = "nested paging asks to write to a guest's page tables even if it only reads them"

QEMU_CANONICAL = "QEMU 7.2's own WRMSR takes addresses that are not canonical"
QEMU_STACK = "QEMU 7.2 raises #GP where the stack's address is not canonical"
PDPTES_MARKED = ("QEMU's walks set bit 5 of PAE's top entries, which is reserved: it is not looked at, or such a guest "
                 "could not go on")

MISCONFIGURED = "49 EPT MISCONFIGURATION qualification 0 physical 0x40005123"

# payload: {what VMX hardware prints: (what SVM in QEMU prints, None: nothing; why)}
SVM = {
    "vmx_state": {
        "watch point: 0 EXCEPTION OR NMI qualification 0x1 event #1":
            ("watch point: 18 VMCALL qualification 0 length 3", QEMU_DATA_BREAKPOINT),
    },
    "vmx_debug": {
        "data breakpoint: 0 EXCEPTION OR NMI qualification 0x1 event #1":
            ("data breakpoint: 18 VMCALL qualification 0 length 3", QEMU_DATA_BREAKPOINT),
        "  RCX 0x77 blocking 0 pending 0 DR6 0xffff0ff0 DR7 0x400, L2 got 1 with DR6 0xffff0ff1 DR7 0x90401":
            ("  RCX 0x77 blocking 0 pending 0 DR6 0xffff0ff0 DR7 0x90401", QEMU_DATA_BREAKPOINT),
        "L1's own: 1": ("L1's own: 0", QEMU_DATA_BREAKPOINT),
    },
    "vmx_ept": {
        "read of X: 48 EPT VIOLATION qualification 0x1a1 physical 0x40005123 linear 0x40005123":
            (f"read of X: {MISCONFIGURED}", NO_EXECUTE_ONLY),
        "write to X: 48 EPT VIOLATION qualification 0x1a2 physical 0x40005123 linear 0x40005123":
            (f"write to X: {MISCONFIGURED}", NO_EXECUTE_ONLY),
        "fetch from X: 18 VMCALL qualification 0 length 3": (f"fetch from X: {MISCONFIGURED}", NO_EXECUTE_ONLY),
        "CR3 on a page R: VMCALL": ("CR3 on a page R: EPT VIOLATION", WALKS_WRITE),
    },
    "vmx_controls": {
        "PAUSE loop: 40 PAUSE qualification 0 length 2": ("PAUSE loop: not offered", NO_CONTROL),
        "PAUSE loop shorter than the window: 18 VMCALL qualification 0 length 3": (None, NO_CONTROL),
        "PAUSEs further apart than the gap: 18 VMCALL qualification 0 length 3": (None, NO_CONTROL),
        "ok TSC is scaled, then offset": ("TSC scaling: not offered", NO_CONTROL),
        "ok as its MSR too": (None, NO_CONTROL),
    },
    "vmx_exits": {
        "XSETBV: 55 XSETBV qualification 0 length 3": (None, QEMU_XSETBV),
        "RDRAND r12: 57 RDRAND qualification 0 length 4 info 0x1460": ("RDRAND r12: not offered", NOT_INTERCEPTED),
        "RDRAND ecx: 57 RDRAND qualification 0 length 3 info 0xc08": ("RDRAND ecx: not offered", NOT_INTERCEPTED),
        "RDSEED ax: 61 RDSEED qualification 0 length 4 info 0xc00": ("RDSEED ax: not offered", NOT_INTERCEPTED),
        "INVPCID (rax), rcx: 58 INVPCID qualification 0 length 5 info 0x10418100":
            ("INVPCID (rax), rcx: not offered", NO_INVPCID),
    },
    "vmx_entry_rules": {
        "PDPTE 0x1021, not IA-32e: 33 INVALID GUEST STATE at entry qualification 0x2":
            ("PDPTE 0x1021, not IA-32e: 52 PREEMPTION TIMER qualification 0", PDPTES_MARKED),
    },
    "vmx_modes": {
        "64-bit, POP, not canonical: 0 EXCEPTION OR NMI qualification 0 event #12 error 0":
            ("64-bit, POP, not canonical: 0 EXCEPTION OR NMI qualification 0 event #13 error 0", QEMU_STACK),
    },
}


# the same, of the CP that has the SVM; with another CP above it the rule is that one's
SVM_ITSELF = {
    "vmx_list": {f"load {msr} 0x800000000000: as by itself":
                     (f"load {msr} 0x800000000000: NOT AS BY ITSELF", QEMU_CANONICAL)
                 for msr in ("0x175", "0xc0000082", "0xc0000083", "0xc0000102")},
}


BOCHS_REAL = "Bochs 2.7 has error codes of exceptions in real-address mode, and refuses to inject them"

# lines of exceptions there
REAL_FAULTS = [f"{name}: 0 EXCEPTION OR NMI qualification 0 event #{vector}" for name, vector in (
    ("real, MOVS over the limit", 13), ("real, MOVS of storage over the limit", 13), ("real, MOVS one over it", 13),
    ("real, REP MOVS ends over the limit", 13), ("real, REP MOVS wraps downwards", 13),
    ("real, PUSH over the top", 12), ("real, POP over the top", 12), ("real, CALL beyond the limit", 13),
    ("real, beyond 64 KiB", 13), ("big real, MOVS beyond 64 KiB", 13), ("real, INS over the limit", 13),
    ("real, REP INS ends over the limit", 13), ("real, OUTS over the limit", 13),
    ("real, OUTS of the stack over the limit", 12))]

BOCHS_TSC = "Bochs 2.7 stores L2's TSC in the list of an exit"
BOCHS_RF = "Bochs 2.7 saves RF = 0 at an EPT violation"
BOCHS_IF = "Bochs 2.7 sees no interrupt for L1 while L2's are off"

# the same, of the bare machine in Bochs, where that departs from the manual: the transcript has what the manual says
BARE = {
    "vmx_first": {
        "#UD for L2, and all: EXTERNAL INTERRUPT in a handler":
            ("#UD for L2, and all: INTERRUPT WINDOW at the beginning, had 1 of vector 6", BOCHS_IF),
        "#UD for L2, and all: INTERRUPT WINDOW at the beginning, had 1 of vector 6, had 1 of vector 81":
            ("#UD for L2, and all: EXTERNAL INTERRUPT at the beginning", BOCHS_IF),
        "#UD for L2, and all: VMCALL in its code":
            ("#UD for L2, and all: VMCALL in its code, had 1 of vector 81", BOCHS_IF),
    },
    "vmx_modes": {line: (line + " error 0", BOCHS_REAL) for line in REAL_FAULTS},
    "vmx_operand": {f"{name}: RF 1": (f"{name}: RF 0", BOCHS_RF)
                    for name in ("REP OUTS of nothing", "REP INS to nothing", "REP INS to a page to be read only")},
    "vmx_list": {
        "TSC of L2: 33, stored: 32, of L1: 64": ("TSC of L2: 33, stored: 33, of L1: 64", BOCHS_TSC),
        "TSC of L2, none loaded: 65, stored: 64, of L1: 64":
            ("TSC of L2, none loaded: 65, stored: 65, of L1: 64", BOCHS_TSC),
    },
}


# payloads that ask what QEMU answers otherwise, without CP too
VMX_ONLY = {"vmx_raised": "QEMU 7.2 checks no alignment, and traps behind STI only after the next instruction",
            "vmx_random": "QEMU 7.2 checks no limits of segments, and what L2 stores beyond one is L1's"}


def on_svm(name, transcript, levels):
    """The transcript of a VMX machine as it must be beneath so many CPs on SVM in QEMU."""
    return changed(name, transcript, {**SVM.get(name, {}), **(SVM_ITSELF.get(name, {}) if levels == 1 else {})})


def on_bare_bochs(name, transcript):
    """The same as it must be on Bochs without CP."""
    return changed(name, transcript, BARE.get(name, {}))


def changed(name, transcript, differs):
    missing = set(differs) - set(transcript)
    assert not missing, f"not in the transcript of {name}: {missing}"
    lines = [differs[line][0] if line in differs else line for line in transcript]
    return [line for line in lines if line is not None]
