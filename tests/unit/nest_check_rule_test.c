/* Every rule of a VM entry: a vmcs12 that breaks just it is refused in its name, and its boundary passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/nest_check_base.h"

/* What is not in the VMCS is set by these instead of a field. */
enum { SET_LONG_MODE = 0x10000, SET_LINK_READABLE, SET_LINK_REVISION, SET_PDPTE0, SET_PDPTES_READABLE, SET_VTPR,
       SET_MISC, SET_EPT_CAP };

struct set {
    uint32_t what;
    uint64_t value;
};
struct broken {
    enum nest_check_base base;
    uint32_t field;
    const char *rule; /* part of its text */
    struct set set[4];
};
struct passing {
    enum nest_check_base base;
    struct set set[4];
};

#define F(name) VMCS_##name
#define CPU_ON(bits) {F(PROCESSOR_CONTROLS), 0x84006172u | (bits)}
#define CPU2_ON(bits) {F(SECONDARY_CONTROLS), CPU2_EPT | CPU2_UNRESTRICTED_GUEST | (bits)}
#define PIN_ON(bits) {F(PIN_CONTROLS), 0x16u | (bits)}
#define EXIT_ON(bits) {F(EXIT_CONTROLS), 0x00036DFBu | EXIT_HOST_LONG_MODE | (bits)}
#define INJECT(type, vector, more) {F(ENTRY_INTERRUPTION_INFO), 0x80000000u | (type) << 8 | (vector) | (more)}
#define FAR (1ull << BASE_PHYSICAL_BITS)
#define NOT_CANONICAL 0x0000800000000000ull

#define BROKEN_ADDRESS(name, ...)                                       \
    {BASE_LONG, F(name), "bits 11:0", {{F(name), 0x800}, __VA_ARGS__}}, \
    {BASE_LONG, F(name), "beyond the physical-address width", {{F(name), FAR}, __VA_ARGS__}}
#define BROKEN_LIST(address, count)                                                                           \
    {BASE_LONG, F(address), "bits 3:0", {{F(address), 8}, {F(count), 1}}},                                    \
    {BASE_LONG, F(address), "list: the address must not set", {{F(address), FAR}, {F(count), 1}}},            \
    {BASE_LONG, F(address), "last byte", {{F(address), FAR - 16}, {F(count), 2}}},                            \
    {BASE_LONG, F(address), "last byte", {{F(address), FAR - 0x800000000}, {F(count), 0xFFFFFFFF}}}
#define EACH(X) X(CS) X(SS) X(DS) X(ES) X(FS) X(GS)
#define EACH_USABLE(X) X(SS) X(DS) X(ES) X(FS) X(GS)
#define EACH_DATA(X) X(DS) X(ES) X(FS) X(GS)
#define RIGHTS(R) F(GUEST_##R##_ACCESS_RIGHTS)

static const struct broken broken[] = {
    /* VM-execution controls */
    {BASE_LONG, F(PIN_CONTROLS), "reserved bits in the pin", {{F(PIN_CONTROLS), 0}}},
    {BASE_LONG, F(PIN_CONTROLS), "reserved bits in the pin", {PIN_ON(0x100)}},
    {BASE_LONG, F(PROCESSOR_CONTROLS), "reserved bits in the primary", {{F(PROCESSOR_CONTROLS), 0x84006170}}},
    {BASE_LONG, F(PROCESSOR_CONTROLS), "reserved bits in the primary", {CPU_ON(CPU_TERTIARY_CONTROLS)}},
    {BASE_LONG, F(SECONDARY_CONTROLS), "reserved bits in the secondary", {CPU2_ON(1u << 31)}},
    {BASE_LONG, F(CR3_TARGET_COUNT), "CR3-target count", {{F(CR3_TARGET_COUNT), 5}}},
    {BASE_LONG, F(CR3_TARGET_COUNT), "CR3-target count", {{F(CR3_TARGET_COUNT), 0x80000000}}},
    BROKEN_ADDRESS(IO_BITMAP_A, CPU_ON(CPU_IO_BITMAPS)),
    BROKEN_ADDRESS(IO_BITMAP_B, CPU_ON(CPU_IO_BITMAPS)),
    BROKEN_ADDRESS(MSR_BITMAP, CPU_ON(CPU_MSR_BITMAPS)),
    BROKEN_ADDRESS(VIRTUAL_APIC_ADDRESS, CPU_ON(CPU_TPR_SHADOW)),
    {BASE_LONG, F(TPR_THRESHOLD), "31:4 of the TPR", {CPU_ON(CPU_TPR_SHADOW), {F(TPR_THRESHOLD), 0x10}}},
    {BASE_LONG, F(PIN_CONTROLS), "NMI exiting is 0", {PIN_ON(PIN_VIRTUAL_NMIS)}},
    {BASE_LONG, F(PROCESSOR_CONTROLS), "virtual NMIs is 0", {CPU_ON(CPU_NMI_WINDOW_EXITING), PIN_ON(PIN_NMI_EXITING)}},
    BROKEN_ADDRESS(APIC_ACCESS_ADDRESS, CPU2_ON(CPU2_APIC_ACCESSES)),
    {BASE_LONG, F(SECONDARY_CONTROLS), "virtualize x2APIC mode must be 0", {CPU2_ON(CPU2_X2APIC_MODE)}},
    {BASE_LONG, F(SECONDARY_CONTROLS), "APIC-register", {CPU2_ON(CPU2_APIC_REGISTERS)}},
    {BASE_LONG, F(SECONDARY_CONTROLS), "virtual-interrupt delivery must be 0", {CPU2_ON(CPU2_VIRTUAL_INTERRUPT_DELIVERY)}},
    {BASE_LONG, F(SECONDARY_CONTROLS), "virtualize APIC accesses must be 0",
     {CPU_ON(CPU_TPR_SHADOW), CPU2_ON(CPU2_X2APIC_MODE | CPU2_APIC_ACCESSES)}},
    {BASE_LONG, F(PIN_CONTROLS), "external-interrupt exiting must be 1",
     {CPU_ON(CPU_TPR_SHADOW), CPU2_ON(CPU2_VIRTUAL_INTERRUPT_DELIVERY)}},
    {BASE_LONG, F(SECONDARY_CONTROLS), "virtual-interrupt delivery must be 1", {PIN_ON(PIN_POSTED_INTERRUPTS)}},
#define POSTING CPU_ON(CPU_TPR_SHADOW), CPU2_ON(CPU2_VIRTUAL_INTERRUPT_DELIVERY)
#define POSTED PIN_ON(PIN_POSTED_INTERRUPTS | PIN_EXTERNAL_INTERRUPT_EXITING)
    {BASE_LONG, F(EXIT_CONTROLS), "acknowledge", {POSTING, POSTED, EXIT_ON(0)}},
    {BASE_LONG, F(VPID), "VPID", {CPU2_ON(CPU2_VPID)}},
    {BASE_LONG, F(EPT_POINTER), "memory type", {{F(EPT_POINTER), 3 << 3 | 1}}},
    {BASE_LONG, F(EPT_POINTER), "memory type", {{SET_EPT_CAP, EPT_CAP_UNCACHEABLE}}},
    {BASE_LONG, F(EPT_POINTER), "page-walk", {{F(EPT_POINTER), 4 << 3 | 6}}},
    {BASE_LONG, F(EPT_POINTER), "bit 6", {{F(EPT_POINTER), 1 << 6 | 3 << 3 | 6}}},
    {BASE_LONG, F(EPT_POINTER), "11:7", {{F(EPT_POINTER), 1 << 7 | 3 << 3 | 6}}},
    {BASE_LONG, F(EPT_POINTER), "11:7", {{F(EPT_POINTER), FAR | 3 << 3 | 6}}},
    {BASE_PAE, F(SECONDARY_CONTROLS), "PML", {CPU_ON(0), {F(SECONDARY_CONTROLS), CPU2_PML}}},
    BROKEN_ADDRESS(PML_ADDRESS, CPU2_ON(CPU2_PML)),
    {BASE_PAE, F(SECONDARY_CONTROLS), "unrestricted guest is 1", {CPU_ON(0), {F(SECONDARY_CONTROLS), CPU2_UNRESTRICTED_GUEST}}},
    {BASE_PAE, F(SECONDARY_CONTROLS), "mode-based", {CPU_ON(0), {F(SECONDARY_CONTROLS), CPU2_MODE_BASED_EXECUTE}}},
    {BASE_LONG, F(VM_FUNCTION_CONTROLS), "VM-function", {CPU2_ON(CPU2_VM_FUNCTIONS), {F(VM_FUNCTION_CONTROLS), 2}}},
    {BASE_PAE, F(SECONDARY_CONTROLS), "EPTP switching",
     {CPU_ON(0), {F(SECONDARY_CONTROLS), CPU2_VM_FUNCTIONS}, {F(VM_FUNCTION_CONTROLS), 1}}},
    BROKEN_ADDRESS(EPTP_LIST_ADDRESS, CPU2_ON(CPU2_VM_FUNCTIONS), {F(VM_FUNCTION_CONTROLS), 1}),
    BROKEN_ADDRESS(VMREAD_BITMAP, CPU2_ON(CPU2_VMCS_SHADOWING)),
    BROKEN_ADDRESS(VMWRITE_BITMAP, CPU2_ON(CPU2_VMCS_SHADOWING)),
    BROKEN_ADDRESS(VIRTUALIZATION_EXCEPTION_ADDRESS, CPU2_ON(CPU2_VIRTUALIZATION_EXCEPTION)),
    {BASE_LONG, F(TPR_THRESHOLD), "VTPR", {CPU_ON(CPU_TPR_SHADOW), {F(TPR_THRESHOLD), 5}}},
    {BASE_LONG, F(TPR_THRESHOLD), "VTPR", {CPU_ON(CPU_TPR_SHADOW), {F(TPR_THRESHOLD), 1}, {SET_VTPR, 0x0F}}},

    /* VM-exit and VM-entry controls */
    {BASE_LONG, F(EXIT_CONTROLS), "reserved bits", {{F(EXIT_CONTROLS), EXIT_HOST_LONG_MODE}}},
    {BASE_LONG, F(EXIT_CONTROLS), "reserved bits", {EXIT_ON(1u << 31)}},
    {BASE_LONG, F(EXIT_CONTROLS), "preemption timer", {EXIT_ON(EXIT_SAVE_PREEMPTION_TIMER)}},
    BROKEN_LIST(EXIT_MSR_STORE_ADDRESS, EXIT_MSR_STORE_COUNT),
    BROKEN_LIST(EXIT_MSR_LOAD_ADDRESS, EXIT_MSR_LOAD_COUNT),
    {BASE_LONG, F(ENTRY_CONTROLS), "reserved bits", {{F(ENTRY_CONTROLS), 0}}},
    {BASE_LONG, F(ENTRY_CONTROLS), "reserved bits", {{F(ENTRY_CONTROLS), 0x800013FB}}},
    BROKEN_LIST(ENTRY_MSR_LOAD_ADDRESS, ENTRY_MSR_LOAD_COUNT),
    {BASE_LONG, F(ENTRY_CONTROLS), "entry to SMM", {{F(ENTRY_CONTROLS), 0x13FB | ENTRY_TO_SMM}}},
    {BASE_LONG, F(ENTRY_CONTROLS), "dual-monitor", {{F(ENTRY_CONTROLS), 0x13FB | ENTRY_DEACTIVATE_DUAL_MONITOR}}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "reserved value", {INJECT(1u, 32, 0)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "consistent", {INJECT(2u, 3, 0)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "consistent", {INJECT(3u, 32, 0)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "consistent", {INJECT(7u, 1, 0)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "deliver error code", {INJECT(3u, 13, 0)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "deliver error code", {INJECT(3u, 6, 0x800)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "deliver error code", {INJECT(0u, 13, 0x800), {F(GUEST_RFLAGS), 0x202}}},
    {BASE_REAL, F(ENTRY_INTERRUPTION_INFO), "deliver error code", {INJECT(3u, 13, 0x800)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "30:12", {INJECT(2u, 2, 0x1000)}},
    {BASE_LONG, F(ENTRY_INTERRUPTION_INFO), "30:12", {INJECT(2u, 2, 0x40000000)}},
    {BASE_LONG, F(ENTRY_EXCEPTION_ERROR_CODE), "31:16", {INJECT(3u, 14, 0x800), {F(ENTRY_EXCEPTION_ERROR_CODE), 0x10000}}},
    {BASE_LONG, F(ENTRY_INSTRUCTION_LENGTH), "0 to 15", {INJECT(4u, 0x80, 0), {F(ENTRY_INSTRUCTION_LENGTH), 16}}},
    {BASE_LONG, F(ENTRY_INSTRUCTION_LENGTH), "must not be 0", {INJECT(6u, 3, 0), {F(ENTRY_INSTRUCTION_LENGTH), 0}}},
    {BASE_LONG, F(ENTRY_INSTRUCTION_LENGTH), "must not be 0", {INJECT(5u, 1, 0), {F(ENTRY_INSTRUCTION_LENGTH), 0}}},

    /* host state */
    {BASE_LONG, F(HOST_CR0), "CR0", {{F(HOST_CR0), 0x80000011}}},
    {BASE_LONG, F(HOST_CR0), "CR0", {{F(HOST_CR0), 0x180000031}}},
    {BASE_LONG, F(HOST_CR0), "CR0", {{F(HOST_CR0), 0x31}}},
    {BASE_LONG, F(HOST_CR4), "not supported", {{F(HOST_CR4), 0x20}}},
    {BASE_LONG, F(HOST_CR4), "not supported", {{F(HOST_CR4), 0x1000002020}}},
    {BASE_LONG, F(HOST_CR3), "CR3", {{F(HOST_CR3), FAR}}},
    {BASE_LONG, F(HOST_SYSENTER_ESP), "canonical", {{F(HOST_SYSENTER_ESP), NOT_CANONICAL}}},
    {BASE_LONG, F(HOST_SYSENTER_EIP), "canonical", {{F(HOST_SYSENTER_EIP), NOT_CANONICAL}}},
    {BASE_LONG, F(HOST_PAT), "PAT", {{F(HOST_PAT), 2}}},
    {BASE_LONG, F(HOST_PAT), "PAT", {{F(HOST_PAT), 3ull << 56}}},
    {BASE_LONG, F(HOST_PAT), "PAT", {{F(HOST_PAT), 8ull << 24}}},
    {BASE_LONG, F(HOST_EFER), "reserved", {{F(HOST_EFER), 0xD02}}},
    {BASE_LONG, F(HOST_EFER), "LMA", {{F(HOST_EFER), 0x100}}},
    {BASE_LONG, F(HOST_EFER), "LME", {{F(HOST_EFER), 0x400}}},
#define BROKEN_HOST_SELECTOR(R)                                                          \
    {BASE_LONG, F(HOST_##R##_SELECTOR), "RPL", {{F(HOST_##R##_SELECTOR), 0x9}}},         \
    {BASE_LONG, F(HOST_##R##_SELECTOR), "RPL", {{F(HOST_##R##_SELECTOR), 0xC}}},
    EACH(BROKEN_HOST_SELECTOR) BROKEN_HOST_SELECTOR(TR)
    {BASE_LONG, F(HOST_CS_SELECTOR), "CS cannot be 0000H", {{F(HOST_CS_SELECTOR), 0}}},
    {BASE_LONG, F(HOST_TR_SELECTOR), "TR cannot be 0000H", {{F(HOST_TR_SELECTOR), 0}}},
#define HOST_32 {F(EXIT_CONTROLS), 0x00036DFB & ~(uint32_t)EXIT_HOST_LONG_MODE}
    {BASE_PAE, F(HOST_SS_SELECTOR), "SS cannot be 0000H", {HOST_32, {SET_LONG_MODE, 0}, {F(HOST_SS_SELECTOR), 0}}},
#define BROKEN_HOST_BASE(R) {BASE_LONG, F(HOST_##R##_BASE), "canonical", {{F(HOST_##R##_BASE), NOT_CANONICAL}}},
    BROKEN_HOST_BASE(FS) BROKEN_HOST_BASE(GS) BROKEN_HOST_BASE(GDTR) BROKEN_HOST_BASE(IDTR) BROKEN_HOST_BASE(TR)
    {BASE_LONG, F(ENTRY_CONTROLS), "outside IA-32e mode, IA-32e mode guest", {{SET_LONG_MODE, 0}}},
    {BASE_PAE, F(EXIT_CONTROLS), "outside IA-32e mode, host", {{SET_LONG_MODE, 0}}},
    {BASE_PAE, F(EXIT_CONTROLS), "in IA-32e mode, host", {HOST_32}},
    {BASE_PAE, F(HOST_CR4), "PCIDE", {HOST_32, {SET_LONG_MODE, 0}, {F(HOST_CR4), 0x22020}}},
    {BASE_PAE, F(HOST_RIP), "63:32 of RIP", {HOST_32, {SET_LONG_MODE, 0}, {F(HOST_RIP), 0x100000000}}},
    {BASE_LONG, F(HOST_CR4), "PAE", {{F(HOST_CR4), 0x2000}}},
    {BASE_LONG, F(HOST_RIP), "canonical", {{F(HOST_RIP), NOT_CANONICAL}}},

    /* guest control registers, debug registers and MSRs */
    {BASE_LONG, F(GUEST_CR0), "not supported", {{F(GUEST_CR0), 0x80000011}}},
    {BASE_RESTRICTED, F(GUEST_CR0), "not supported", {{F(GUEST_CR0), 0x31}}},
    {BASE_RESTRICTED, F(GUEST_CR0), "not supported", {{F(GUEST_CR0), 0x80000030}}},
    {BASE_LONG, F(GUEST_CR0), "CR0.PE must be 1", {{F(GUEST_CR0), 0x80000030}}},
    {BASE_LONG, F(GUEST_CR4), "not supported", {{F(GUEST_CR4), 0x20}}},
    {BASE_LONG, F(GUEST_DEBUGCTL), "DEBUGCTL", {{F(GUEST_DEBUGCTL), 4}}},
    {BASE_LONG, F(GUEST_DEBUGCTL), "DEBUGCTL", {{F(GUEST_DEBUGCTL), 0x10000}}},
    {BASE_LONG, F(GUEST_CR0), "CR0.PG must be 1", {{F(GUEST_CR0), 0x31}}},
    {BASE_LONG, F(GUEST_CR4), "PAE", {{F(GUEST_CR4), 0x2000}}},
    {BASE_PAE, F(GUEST_CR4), "PCIDE", {{F(GUEST_CR4), 0x22020}}},
    {BASE_LONG, F(GUEST_CR3), "CR3", {{F(GUEST_CR3), FAR}}},
    {BASE_LONG, F(GUEST_CR3), "CR3", {{F(GUEST_CR3), 1ull << 63}}},
    {BASE_LONG, F(GUEST_DR7), "DR7", {{F(GUEST_DR7), 0x100000400}}},
    {BASE_LONG, F(GUEST_SYSENTER_ESP), "canonical", {{F(GUEST_SYSENTER_ESP), NOT_CANONICAL}}},
    {BASE_LONG, F(GUEST_SYSENTER_EIP), "canonical", {{F(GUEST_SYSENTER_EIP), NOT_CANONICAL}}},
    {BASE_LONG, F(GUEST_PAT), "PAT", {{F(GUEST_PAT), 0x0002000000000000}}},
    {BASE_LONG, F(GUEST_EFER), "reserved", {{F(GUEST_EFER), 0xD00 | 1 << 12}}},
    {BASE_LONG, F(GUEST_EFER), "that of IA-32e", {{F(GUEST_EFER), 0x100}}},
    {BASE_PAE, F(GUEST_EFER), "that of IA-32e", {{F(GUEST_EFER), 0x500}}},
    {BASE_LONG, F(GUEST_EFER), "that of LME", {{F(GUEST_EFER), 0x400}}},

    /* guest segments: virtual-8086 */
#define BROKEN_VIRTUAL_8086(R)                                                                             \
    {BASE_VIRTUAL_8086, F(GUEST_##R##_BASE), "shifted", {{F(GUEST_##R##_BASE), 0x101}}},                   \
    {BASE_VIRTUAL_8086, F(GUEST_##R##_LIMIT), "0000FFFFH", {{F(GUEST_##R##_LIMIT), 0x1FFFF}}},             \
    {BASE_VIRTUAL_8086, RIGHTS(R), "000000F3H", {{RIGHTS(R), 0x93}}},
    EACH(BROKEN_VIRTUAL_8086)
    /* guest segments: others */
    {BASE_RESTRICTED, F(GUEST_SS_SELECTOR), "that of CS", {{F(GUEST_SS_SELECTOR), 0x13}}},
    {BASE_LONG, F(GUEST_CS_BASE), "63:32", {{F(GUEST_CS_BASE), 0x100000000}}},
    {BASE_LONG, F(GUEST_SS_BASE), "63:32", {{F(GUEST_SS_BASE), 0x100000000}}},
    {BASE_LONG, F(GUEST_DS_BASE), "63:32", {{F(GUEST_DS_BASE), 0x100000000}}},
    {BASE_LONG, F(GUEST_ES_BASE), "63:32", {{F(GUEST_ES_BASE), 0x100000000}}},
    {BASE_LONG, F(GUEST_FS_BASE), "canonical", {{F(GUEST_FS_BASE), NOT_CANONICAL}}},
    {BASE_LONG, F(GUEST_GS_BASE), "canonical", {{F(GUEST_GS_BASE), NOT_CANONICAL}}},
    {BASE_LONG, RIGHTS(CS), "type of CS must be", {{RIGHTS(CS), 0xA09A}}},
    {BASE_RESTRICTED, RIGHTS(CS), "type of CS must be", {{RIGHTS(CS), 0xC093}}},
    {BASE_LONG, RIGHTS(SS), "3 or 7", {{RIGHTS(SS), 0xC091}}},
    {BASE_LONG, RIGHTS(SS), "3 or 7", {{RIGHTS(SS), 0xC09B}}},
#define BROKEN_TYPE(R)                                               \
    {BASE_LONG, RIGHTS(R), "accessed", {{RIGHTS(R), 0xC092}}},       \
    {BASE_LONG, RIGHTS(R), "accessed", {{RIGHTS(R), 0xC099}}},
    EACH_DATA(BROKEN_TYPE)
    {BASE_LONG, RIGHTS(CS), "S must be 1", {{RIGHTS(CS), 0xA08B}}},
    {BASE_LONG, RIGHTS(CS), "P must be 1", {{RIGHTS(CS), 0xA01B}}},
    {BASE_LONG, RIGHTS(CS), "reserved bits 11:8", {{RIGHTS(CS), 0xA19B}}},
    {BASE_LONG, RIGHTS(CS), "G must be 1", {{RIGHTS(CS), 0x209B}, {F(GUEST_CS_LIMIT), 0x100FFF}}},
    {BASE_LONG, RIGHTS(CS), "reserved bits 31:17", {{RIGHTS(CS), 0x2A09B}}},
#define BROKEN_DATA(R)                                                                         \
    {BASE_LONG, RIGHTS(R), "S must be 1", {{RIGHTS(R), 0xC083}}},                              \
    {BASE_LONG, RIGHTS(R), "P must be 1", {{RIGHTS(R), 0xC013}}},                              \
    {BASE_LONG, RIGHTS(R), "reserved bits 11:8", {{RIGHTS(R), 0xC893}}},                       \
    {BASE_LONG, RIGHTS(R), "G must be 0", {{F(GUEST_##R##_LIMIT), 0xFFFFFFFE}}},               \
    {BASE_LONG, RIGHTS(R), "G must be 1", {{RIGHTS(R), 0x4093}, {F(GUEST_##R##_LIMIT), 0x80000FFF}}}, \
    {BASE_LONG, RIGHTS(R), "reserved bits 31:17", {{RIGHTS(R), 0x8000C093}}},
    EACH_USABLE(BROKEN_DATA)
    {BASE_LONG, RIGHTS(CS), "G must be 0", {{F(GUEST_CS_LIMIT), 0xFFFFF7FF}}},
    {BASE_LONG, RIGHTS(CS), "type of CS is 3", {{RIGHTS(CS), 0xC0F3}}},
    {BASE_LONG, RIGHTS(CS), "9 or 11", {{RIGHTS(CS), 0xA0FB}}},
    {BASE_LONG, RIGHTS(CS), "9 or 11", {{RIGHTS(SS), 0xC0F3}}},
    {BASE_LONG, RIGHTS(CS), "13 or 15", {{RIGHTS(CS), 0xA0BF}}},
    {BASE_RESTRICTED, RIGHTS(SS), "must be its RPL", {{F(GUEST_SS_SELECTOR), 0x11}, {F(GUEST_CS_SELECTOR), 9}}},
    {BASE_LONG, RIGHTS(SS), "DPL of SS must be 0", {{RIGHTS(CS), 0xC093}, {RIGHTS(SS), 0xC0F3}}},
    {BASE_REAL, RIGHTS(SS), "DPL of SS must be 0", {{RIGHTS(CS), 0xFB}, {RIGHTS(SS), 0xF3}}},
#define BROKEN_DPL(R) {BASE_RESTRICTED, RIGHTS(R), "less than its RPL", {{F(GUEST_##R##_SELECTOR), 0x11}}},
    EACH_DATA(BROKEN_DPL)
    {BASE_LONG, RIGHTS(CS), "D/B", {{RIGHTS(CS), 0xE09B}}},
    /* TR and LDTR */
    {BASE_LONG, F(GUEST_TR_SELECTOR), "TI", {{F(GUEST_TR_SELECTOR), 0x1C}}},
    {BASE_LONG, F(GUEST_TR_BASE), "canonical", {{F(GUEST_TR_BASE), NOT_CANONICAL}}},
    {BASE_LONG, RIGHTS(TR), "busy TSS", {{RIGHTS(TR), 0x83}}},
    {BASE_PAE, RIGHTS(TR), "busy TSS", {{RIGHTS(TR), 0x89}}},
    {BASE_LONG, RIGHTS(TR), "S of TR", {{RIGHTS(TR), 0x9B}}},
    {BASE_LONG, RIGHTS(TR), "P of TR", {{RIGHTS(TR), 0x0B}}},
    {BASE_LONG, RIGHTS(TR), "11:8", {{RIGHTS(TR), 0x18B}}},
    {BASE_LONG, RIGHTS(TR), "G must be 0", {{RIGHTS(TR), 0x808B}}},
    {BASE_LONG, RIGHTS(TR), "G must be 1", {{F(GUEST_TR_LIMIT), 0x100000}}},
    {BASE_LONG, RIGHTS(TR), "unusable", {{RIGHTS(TR), 0x1008B}}},
    {BASE_LONG, RIGHTS(TR), "31:17", {{RIGHTS(TR), 0x2008B}}},
    {BASE_LONG, F(GUEST_LDTR_SELECTOR), "TI", {{RIGHTS(LDTR), 0x82}, {F(GUEST_LDTR_SELECTOR), 4}}},
    {BASE_LONG, F(GUEST_LDTR_BASE), "canonical", {{RIGHTS(LDTR), 0x82}, {F(GUEST_LDTR_BASE), NOT_CANONICAL}}},
    {BASE_LONG, RIGHTS(LDTR), "type of LDTR", {{RIGHTS(LDTR), 0x8B}}},
    {BASE_LONG, RIGHTS(LDTR), "S of LDTR", {{RIGHTS(LDTR), 0x92}}},
    {BASE_LONG, RIGHTS(LDTR), "P of LDTR", {{RIGHTS(LDTR), 0x02}}},
    {BASE_LONG, RIGHTS(LDTR), "11:8", {{RIGHTS(LDTR), 0x482}}},
    {BASE_LONG, RIGHTS(LDTR), "G must be 0", {{RIGHTS(LDTR), 0x8082}}},
    {BASE_LONG, RIGHTS(LDTR), "G must be 1", {{RIGHTS(LDTR), 0x82}, {F(GUEST_LDTR_LIMIT), 0xFFFFFFFF}}},
    {BASE_LONG, RIGHTS(LDTR), "31:17", {{RIGHTS(LDTR), 0x20082}}},
    /* tables, RIP, RFLAGS */
    {BASE_LONG, F(GUEST_GDTR_BASE), "canonical", {{F(GUEST_GDTR_BASE), NOT_CANONICAL}}},
    {BASE_LONG, F(GUEST_IDTR_BASE), "canonical", {{F(GUEST_IDTR_BASE), NOT_CANONICAL}}},
    {BASE_LONG, F(GUEST_GDTR_LIMIT), "31:16", {{F(GUEST_GDTR_LIMIT), 0x10000}}},
    {BASE_LONG, F(GUEST_IDTR_LIMIT), "31:16", {{F(GUEST_IDTR_LIMIT), 0x10000}}},
    {BASE_PAE, F(GUEST_RIP), "63:32", {{F(GUEST_RIP), 0x100000000}}},
    {BASE_LONG, F(GUEST_RIP), "63:32", {{RIGHTS(CS), 0xC09B}}},
    {BASE_LONG, F(GUEST_RIP), "linear-address width", {{F(GUEST_RIP), 1ull << 48}}},
    {BASE_LONG, F(GUEST_RFLAGS), "reserved bits 63:22", {{F(GUEST_RFLAGS), 2 | 1 << 3}}},
    {BASE_LONG, F(GUEST_RFLAGS), "reserved bits 63:22", {{F(GUEST_RFLAGS), 2 | 1 << 5}}},
    {BASE_LONG, F(GUEST_RFLAGS), "reserved bits 63:22", {{F(GUEST_RFLAGS), 2 | 1 << 15}}},
    {BASE_LONG, F(GUEST_RFLAGS), "reserved bits 63:22", {{F(GUEST_RFLAGS), 2 | 1ull << 22}}},
    {BASE_LONG, F(GUEST_RFLAGS), "reserved bits 63:22", {{F(GUEST_RFLAGS), 2 | 1ull << 63}}},
    {BASE_LONG, F(GUEST_RFLAGS), "reserved bit 1", {{F(GUEST_RFLAGS), 0}}},
    {BASE_VIRTUAL_8086, F(GUEST_RFLAGS), "VM must be 0", {{F(GUEST_CR0), 0x20}, {F(GUEST_CR4), 0x2000}}},
    {BASE_VIRTUAL_8086, F(GUEST_RFLAGS), "VM must be 0", {{F(ENTRY_CONTROLS), 0x13FB}}},
    {BASE_LONG, F(GUEST_RFLAGS), "IF must be 1", {INJECT(0u, 32, 0)}},
    /* non-register state */
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "supports", {{F(GUEST_ACTIVITY_STATE), 4}}},
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "supports", {{F(GUEST_ACTIVITY_STATE), 0x80000001}}},
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "supports", {{F(GUEST_ACTIVITY_STATE), 2}, {SET_MISC, 1 << 6}}},
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "DPL of SS", {{F(GUEST_ACTIVITY_STATE), 1}, {RIGHTS(CS), 0xA0FB}, {RIGHTS(SS), 0xC0F3}}},
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "active if", {{F(GUEST_ACTIVITY_STATE), 1}, {F(GUEST_INTERRUPTIBILITY), 2}}},
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "may occur", {{F(GUEST_ACTIVITY_STATE), 1}, INJECT(3u, 6, 0)}},
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "may occur", {{F(GUEST_ACTIVITY_STATE), 2}, INJECT(3u, 1, 0)}},
    {BASE_LONG, F(GUEST_ACTIVITY_STATE), "may occur", {{F(GUEST_ACTIVITY_STATE), 3}, INJECT(2u, 2, 0)}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "31:4", {{F(GUEST_INTERRUPTIBILITY), 0x10}}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "both", {{F(GUEST_INTERRUPTIBILITY), 3}, {F(GUEST_RFLAGS), 0x202}}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "RFLAGS.IF is 0", {{F(GUEST_INTERRUPTIBILITY), 1}}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "external interrupt",
     {{F(GUEST_INTERRUPTIBILITY), 1}, {F(GUEST_RFLAGS), 0x202}, INJECT(0u, 32, 0)}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "external interrupt",
     {{F(GUEST_INTERRUPTIBILITY), 2}, {F(GUEST_RFLAGS), 0x202}, INJECT(0u, 32, 0)}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "MOV SS must be 0 if an NMI", {{F(GUEST_INTERRUPTIBILITY), 2}, INJECT(2u, 2, 0)}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "SMI", {{F(GUEST_INTERRUPTIBILITY), 4}}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "virtual NMIs",
     {{F(GUEST_INTERRUPTIBILITY), 8}, PIN_ON(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS), INJECT(2u, 2, 0)}},
    {BASE_LONG, F(GUEST_PENDING_DEBUG_EXCEPTIONS), "reserved", {{F(GUEST_PENDING_DEBUG_EXCEPTIONS), 0x10}}},
    {BASE_LONG, F(GUEST_PENDING_DEBUG_EXCEPTIONS), "reserved", {{F(GUEST_PENDING_DEBUG_EXCEPTIONS), 1ull << 63}}},
    {BASE_LONG, F(GUEST_PENDING_DEBUG_EXCEPTIONS), "BS must be 1", {{F(GUEST_INTERRUPTIBILITY), 2}, {F(GUEST_RFLAGS), 0x102}}},
    {BASE_LONG, F(GUEST_PENDING_DEBUG_EXCEPTIONS), "BS must be 1", {{F(GUEST_ACTIVITY_STATE), 1}, {F(GUEST_RFLAGS), 0x102}}},
    {BASE_LONG, F(GUEST_PENDING_DEBUG_EXCEPTIONS), "BS must be 0",
     {{F(GUEST_INTERRUPTIBILITY), 2}, {F(GUEST_PENDING_DEBUG_EXCEPTIONS), 0x4000}}},
    {BASE_LONG, F(GUEST_PENDING_DEBUG_EXCEPTIONS), "BS must be 0",
     {{F(GUEST_INTERRUPTIBILITY), 2}, {F(GUEST_PENDING_DEBUG_EXCEPTIONS), 0x4000}, {F(GUEST_RFLAGS), 0x102}, {F(GUEST_DEBUGCTL), 2}}},
    {BASE_LONG, F(GUEST_INTERRUPTIBILITY), "STI must be 0 if an NMI",
     {{F(GUEST_INTERRUPTIBILITY), 1}, {F(GUEST_RFLAGS), 0x202}, INJECT(2u, 2, 0)}},
    /* link pointer */
    {BASE_LONG, F(VMCS_LINK_POINTER), "11:0", {{F(VMCS_LINK_POINTER), 0x8001}}},
    {BASE_LONG, F(VMCS_LINK_POINTER), "beyond", {{F(VMCS_LINK_POINTER), FAR}}},
    {BASE_LONG, F(VMCS_LINK_POINTER), "revision", {{F(VMCS_LINK_POINTER), 0x8000}, {SET_LINK_REVISION, BASE_REVISION + 1}}},
    {BASE_LONG, F(VMCS_LINK_POINTER), "revision", {{F(VMCS_LINK_POINTER), 0x8000}, {SET_LINK_READABLE, 0}}},
    {BASE_LONG, F(VMCS_LINK_POINTER), "bit 31", {{F(VMCS_LINK_POINTER), 0x8000}, {SET_LINK_REVISION, 0x80000000u | BASE_REVISION}}},
    {BASE_LONG, F(VMCS_LINK_POINTER), "bit 31", {{F(VMCS_LINK_POINTER), 0x8000}, CPU2_ON(CPU2_VMCS_SHADOWING)}},
    {BASE_LONG, F(VMCS_LINK_POINTER), "current-VMCS", {{F(VMCS_LINK_POINTER), 0x7000}}},
    /* PDPTEs */
    {BASE_PAE_EPT, F(GUEST_PDPTE0), "reserved", {{F(GUEST_PDPTE0), 3}}},
    {BASE_PAE_EPT, F(GUEST_PDPTE1), "reserved", {{F(GUEST_PDPTE1), 0x21}}},
    {BASE_PAE_EPT, F(GUEST_PDPTE2), "reserved", {{F(GUEST_PDPTE2), FAR | 1}}},
    {BASE_PAE_EPT, F(GUEST_PDPTE3), "reserved", {{F(GUEST_PDPTE3), 1ull << 63 | 1}}},
    {BASE_PAE, F(GUEST_PDPTE0), "reserved", {{SET_PDPTE0, 5}}},
    {BASE_PAE, F(GUEST_PDPTE0), "reserved", {{SET_PDPTES_READABLE, 0}}},
};

/* These need "acknowledge interrupt on exit" as well. */
static const struct broken posted[] = {
    {BASE_LONG, F(POSTED_INTERRUPT_VECTOR), "notification vector", {POSTING, POSTED, {F(POSTED_INTERRUPT_VECTOR), 256}}},
    {BASE_LONG, F(POSTED_INTERRUPT_DESCRIPTOR), "5:0", {POSTING, POSTED, {F(POSTED_INTERRUPT_DESCRIPTOR), 0x20}}},
    {BASE_LONG, F(POSTED_INTERRUPT_DESCRIPTOR), "beyond", {POSTING, POSTED, {F(POSTED_INTERRUPT_DESCRIPTOR), FAR}}},
};

/* The other side of the boundary. */
static const struct passing passing[] = {
    {BASE_LONG, {{F(CR3_TARGET_COUNT), 4}}},
    {BASE_LONG, {CPU_ON(CPU_IO_BITMAPS | CPU_MSR_BITMAPS), {F(IO_BITMAP_A), FAR - 0x1000}, {F(MSR_BITMAP), FAR - 0x1000}}},
    {BASE_LONG, {{F(IO_BITMAP_A), 1}, {F(MSR_BITMAP), FAR}, {F(VMREAD_BITMAP), 1}, {F(VIRTUAL_APIC_ADDRESS), 1}}},
    {BASE_LONG, {CPU_ON(CPU_TPR_SHADOW), {F(TPR_THRESHOLD), 4}}},
    {BASE_LONG, {CPU_ON(CPU_NMI_WINDOW_EXITING), PIN_ON(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS)}},
    {BASE_LONG, {CPU2_ON(CPU2_VPID), {F(VPID), 0xFFFF}}},
    {BASE_LONG, {{F(EPT_POINTER), 3 << 3}}},
    {BASE_LONG, {{F(EPT_POINTER), 1 << 6 | 3 << 3 | 6}, {SET_EPT_CAP, EPT_CAP_WRITE_BACK | EPT_CAP_ACCESSED_DIRTY}}},
    {BASE_PAE, {{F(SECONDARY_CONTROLS), 0xFFFFFFFF}}},
    {BASE_PAE, {{F(EPT_POINTER), 0xFFFF}}},
    {BASE_LONG, {EXIT_ON(EXIT_SAVE_PREEMPTION_TIMER), PIN_ON(PIN_PREEMPTION_TIMER)}},
    {BASE_LONG, {{F(ENTRY_MSR_LOAD_ADDRESS), FAR - 32}, {F(ENTRY_MSR_LOAD_COUNT), 2}}},
    {BASE_LONG, {{F(ENTRY_MSR_LOAD_ADDRESS), FAR + 1}}},
    {BASE_LONG, {INJECT(3u, 14, 0x800), {F(ENTRY_EXCEPTION_ERROR_CODE), 0xFFFF}}},
    {BASE_LONG, {INJECT(3u, 31, 0)}},
    {BASE_LONG, {INJECT(7u, 0, 0)}},
    {BASE_REAL, {INJECT(3u, 13, 0)}},
    {BASE_LONG, {INJECT(4u, 0x80, 0), {F(ENTRY_INSTRUCTION_LENGTH), 15}}},
    {BASE_LONG, {INJECT(4u, 0x80, 0), {SET_MISC, VMX_MISC_ZERO_LENGTH_INJECTION}}},
    {BASE_LONG, {{F(ENTRY_INTERRUPTION_INFO), 0x7FFFFFFF}}},
    {BASE_LONG, {{F(HOST_CR0), 0xE0000031}}},
    {BASE_LONG, {{F(HOST_CR3), FAR - 1}}},
    {BASE_LONG, {{F(HOST_PAT), 0x0706050401000706}}},
    {BASE_LONG, {EXIT_ON(0), {F(HOST_PAT), ~0ull}, {F(HOST_EFER), ~0ull}}},
    {BASE_LONG, {{F(HOST_SS_SELECTOR), 0}}},
    {BASE_LONG, {{F(HOST_FS_BASE), 0x00007FFFFFFFFFFF}, {F(HOST_GS_BASE), 0xFFFF800000000000}}},
    {BASE_PAE, {HOST_32, {SET_LONG_MODE, 0}, {F(HOST_RIP), 0xFFFFFFFF}, {F(HOST_CR4), 0x2000}}},
    {BASE_REAL, {{F(GUEST_CR0), 0x60000020}}},
    {BASE_REAL, {{F(GUEST_EFER), 0x100}}},
    {BASE_LONG, {{F(GUEST_CR4), 0x22020}, {F(GUEST_CR3), 0xFFF}}},
    {BASE_LONG, {{F(GUEST_SS_SELECTOR), 3}, {RIGHTS(SS), 0x10000}}},
    {BASE_LONG, {{RIGHTS(DS), 0x1FFFF}, {F(GUEST_DS_BASE), ~0ull}, {F(GUEST_DS_LIMIT), 1}}},
    {BASE_LONG, {{RIGHTS(CS), 0xA0BF}, {RIGHTS(SS), 0xC0F3}}},
    {BASE_RESTRICTED, {{RIGHTS(DS), 0xC09F}, {F(GUEST_DS_SELECTOR), 3}}},
    {BASE_LONG, {{RIGHTS(CS), 0x209B}, {F(GUEST_CS_LIMIT), 0xFFFFF}}},
    {BASE_PAE, {{RIGHTS(TR), 0x83}}},
    {BASE_LONG, {{RIGHTS(LDTR), 0x82}, {F(GUEST_LDTR_LIMIT), 0xFFFFF}}},
    {BASE_LONG, {{F(GUEST_RIP), 0x0000FFFFFFFFFFFF}}},
    {BASE_LONG, {{F(GUEST_RIP), NOT_CANONICAL}}},
    {BASE_LONG, {{F(GUEST_RFLAGS), 0x3D7FD7}}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 1}, INJECT(3u, 18, 0)}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 1}, INJECT(3u, 1, 0)}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 2}, INJECT(2u, 2, 0)}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 3}}},
    {BASE_LONG, {{F(GUEST_INTERRUPTIBILITY), 8}, INJECT(2u, 2, 0)}},
    {BASE_LONG, {{F(GUEST_PENDING_DEBUG_EXCEPTIONS), 0x500F}}},
    {BASE_LONG, {{F(GUEST_INTERRUPTIBILITY), 2}, {F(GUEST_PENDING_DEBUG_EXCEPTIONS), 0x4000}, {F(GUEST_RFLAGS), 0x102}}},
    {BASE_LONG, {{F(VMCS_LINK_POINTER), 0x8000}}},
    {BASE_LONG, {{F(VMCS_LINK_POINTER), 0x8000}, CPU2_ON(CPU2_VMCS_SHADOWING), {SET_LINK_REVISION, 0x80000000u | BASE_REVISION}}},
    {BASE_PAE_EPT, {{F(GUEST_PDPTE1), 0x1E6}, {F(GUEST_PDPTE2), 0xFF001 | 0xE18}}},
    {BASE_LONG, {{F(GUEST_PDPTE0), ~0ull}}},
};

struct subject {
    struct vmcs vmcs;
    struct vmx_capability capability;
    struct nest_check check;
};

static void set_beside(struct subject *s, const struct set *set)
{
    switch (set->what) {
    case SET_LONG_MODE:
        s->check.long_mode = set->value;
        break;
    case SET_LINK_READABLE:
        s->check.link_readable = set->value;
        break;
    case SET_LINK_REVISION:
        s->check.link_revision = (uint32_t)set->value;
        break;
    case SET_PDPTE0:
        s->check.pdptes[0] = set->value;
        break;
    case SET_PDPTES_READABLE:
        s->check.pdptes_readable = set->value;
        break;
    case SET_VTPR:
        s->check.vtpr = (uint8_t)set->value;
        break;
    case SET_MISC:
        s->capability.msr[VMX_MISC] = set->value | VMX_MISC_CR3_TARGETS(4);
        break;
    case SET_EPT_CAP:
        s->capability.msr[VMX_EPT_VPID_CAP] = set->value;
        break;
    }
}

/* VPID has encoding 0, so a set counts if it has a value or is no VPID. */
static void prepare(struct subject *s, enum nest_check_base base, const struct set set[4])
{
    base_vmcs(&s->vmcs, base);
    base_capability(&s->capability);
    for (unsigned i = 0; i < 4; i++)
        if (set[i].what < SET_LONG_MODE && (set[i].what || set[i].value))
            vmcs_set(&s->vmcs, vmcs_field_find(set[i].what), set[i].value);
    base_check(&s->check, &s->vmcs, &s->capability);
    for (unsigned i = 0; i < 4; i++)
        set_beside(s, &set[i]);
}

static bool enter(const struct subject *s, struct nest_failure *failure)
{
    struct nest_check_memory memory = {0};
    nest_check_forget(&memory);
    return nest_check_entry(&memory, &s->check, failure);
}

static void assert_broken(const struct broken *b, const struct subject *s, struct nest_failure *failure)
{
    if (enter(s, failure))
        fail_msg("%s \"%s\": nothing refused it", vmcs_field_name(b->field), b->rule);
    if (failure->field != b->field || !strstr(failure->rule, b->rule))
        fail_msg("%s \"%s\": refused as %s \"%s\"", vmcs_field_name(b->field), b->rule, vmcs_field_name(failure->field),
                 failure->rule);
}

static void prepare_posted(struct subject *s, const struct broken *b)
{
    prepare(s, b->base, b->set);
    s->vmcs.exit_controls |= EXIT_ACKNOWLEDGE_INTERRUPT;
}

static void prepare_broken(struct subject *s, const struct broken *b)
{
    prepare(s, b->base, b->set);
}

static void the_bases_pass(void **state)
{
    (void)state;
    for (enum nest_check_base base = 0; base < BASES; base++) {
        struct subject s;
        struct nest_failure failure;
        prepare(&s, base, (const struct set[4]){{0}});
        if (!enter(&s, &failure))
            fail_msg("base %d: %s \"%s\"", base, vmcs_field_name(failure.field), failure.rule);
    }
}

static void each_broken_rule_is_named(void **state)
{
    (void)state;
    struct subject s;
    struct nest_failure failure;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        prepare_broken(&s, &broken[i]);
        assert_broken(&broken[i], &s, &failure);
    }
    for (size_t i = 0; i < sizeof(posted) / sizeof(*posted); i++) {
        prepare_posted(&s, &posted[i]);
        assert_broken(&posted[i], &s, &failure);
    }
}

static void the_other_side_of_a_boundary_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++) {
        struct subject s;
        struct nest_failure failure;
        prepare(&s, passing[i].base, passing[i].set);
        if (!enter(&s, &failure))
            fail_msg("case %zu: %s \"%s\"", i, vmcs_field_name(failure.field), failure.rule);
    }
}

static bool breaks(const struct nest_check_rule *rule, const struct broken *b, void (*make)(struct subject *, const struct broken *))
{
    struct subject s;
    struct nest_failure failure;
    if (b->field != rule->field || !strstr(rule->text, b->rule))
        return false;
    make(&s, b);
    return !enter(&s, &failure) && failure.field == rule->field && failure.rule == rule->text;
}

static bool has_case(const struct nest_check_rule *rule)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        if (breaks(rule, &broken[i], prepare_broken))
            return true;
    for (size_t i = 0; i < sizeof(posted) / sizeof(*posted); i++)
        if (breaks(rule, &posted[i], prepare_posted))
            return true;
    return false;
}

static void every_rule_has_a_case_that_breaks_it(void **state)
{
    (void)state;
    for (enum nest_check_section section = 0; section < NEST_CHECK_SECTIONS; section++) {
        size_t count;
        const struct nest_check_rule *rules = nest_check_rules(section, &count);
        for (size_t i = 0; i < count; i++)
            if (!has_case(&rules[i]))
                fail_msg("no case breaks %s \"%s\"", vmcs_field_name(rules[i].field), rules[i].text);
    }
}

static void failures_carry_the_manuals_number(void **state)
{
    (void)state;
    static const struct {
        struct set set[4];
        enum nest_failure_kind kind;
        uint64_t qualification;
    } cases[] = {
        {{PIN_ON(0x100)}, NEST_FAILURE_CONTROL, 0},
        {{{F(HOST_CR3), FAR}}, NEST_FAILURE_HOST, 0},
        {{{F(HOST_CR4), 0x2000}}, NEST_FAILURE_HOST, 0},
        {{{F(GUEST_RFLAGS), 0}}, NEST_FAILURE_GUEST, 0},
        {{{F(GUEST_INTERRUPTIBILITY), 1}, {F(GUEST_RFLAGS), 0x202}, INJECT(2u, 2, 0)}, NEST_FAILURE_GUEST, 3},
        {{{F(VMCS_LINK_POINTER), 1}}, NEST_FAILURE_GUEST, 4},
        /* controls are judged before the host's state, and that before the guest's */
        {{{F(GUEST_RFLAGS), 0}, {F(HOST_CR3), FAR}, PIN_ON(0x100)}, NEST_FAILURE_CONTROL, 0},
        {{{F(GUEST_RFLAGS), 0}, {F(HOST_CR3), FAR}}, NEST_FAILURE_HOST, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct subject s;
        struct nest_failure failure;
        prepare(&s, BASE_LONG, cases[i].set);
        assert_false(enter(&s, &failure));
        assert_int_equal(failure.kind, cases[i].kind);
        assert_int_equal(failure.qualification, cases[i].qualification);
    }
    struct subject s;
    struct nest_failure failure;
    prepare(&s, BASE_PAE_EPT, (const struct set[4]){{F(GUEST_PDPTE0), 3}});
    assert_false(enter(&s, &failure));
    assert_int_equal(failure.qualification, 2);
}

static void lists_refuse_what_the_manual_refuses(void **state)
{
    (void)state;
    assert_true(nest_check_msr_load(0x174, 0, false));
    assert_false(nest_check_msr_load(0x174, 1, false));
    assert_false(nest_check_msr_load(0xC0000100, 0, false));
    assert_false(nest_check_msr_load(0xC0000101, 0, false));
    assert_true(nest_check_msr_load(0xC0000102, 0, false));
    assert_false(nest_check_msr_load(0x9B, 0, false));
    assert_false(nest_check_msr_load(0x79, 0, false));
    assert_false(nest_check_msr_load(0x8B, 0, false));
    assert_true(nest_check_msr_load(0x800, 0, false));
    assert_false(nest_check_msr_load(0x800, 0, true));
    assert_false(nest_check_msr_load(0x8FF, 0, true));
    assert_true(nest_check_msr_load(0x900, 0, true));
    assert_true(nest_check_msr_store(0xC0000100, 0, false));
    assert_false(nest_check_msr_store(0x10, 0x80000000, false));
    assert_false(nest_check_msr_store(0x808, 0, true));
    assert_false(nest_check_msr_store(0x9E, 0, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bases_pass),
        cmocka_unit_test(each_broken_rule_is_named),
        cmocka_unit_test(the_other_side_of_a_boundary_passes),
        cmocka_unit_test(every_rule_has_a_case_that_breaks_it),
        cmocka_unit_test(failures_carry_the_manuals_number),
        cmocka_unit_test(lists_refuse_what_the_manual_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
