/* Owns turning SVM on: what the processor has of it, the permission maps, the page it keeps CP's own state in.
 * APM volume 2, "Enabling SVM", "Host State-Save Area". */
#include <string.h>

#include "cp/cpu/ops.h"
#include "cp/cpu/svm.h"
#include "cp/cpu/vmx.h"
#include "cp/storage/frame.h"
#include "cp/storage/second_level.h"
#include "cp/svm/capability.h"
#include "cp/time/timer.h"
#include "cp/vcpu/registers.h"

enum { LEAF_STRUCTURED = 7, STRUCTURED_EBX_INVPCID = 1 << 10, LEAF_EXTENDED = 0x80000000u, LEAF_FEATURES = 0x80000001u,
       LEAF_SVM = 0x8000000Au, FEATURES_ECX_SVM = 1 << 2, FEATURES_EDX_RDTSCP = 1 << 27, SVM_EDX_NESTED_PAGING = 1,
       SVM_EDX_LBR_VIRTUALIZATION = 2, SVM_EDX_NEXT_RIP = 8,
       VM_CR_DISABLED = 1 << 4, IO_MAP_PAGES = 3, MSR_MAP_PAGES = 2 };
enum { MSR_EFER = 0xC0000080u, MSR_VM_CR = 0xC0010114u, MSR_HOST_SAVE = 0xC0010117u };
enum { ENTRY_NS = 2000, ENTRY_NS_IN_SOFTWARE = 50000 };
enum { NPT_LEAF = 7 }; /* present, writable, user: every guest access counts as one of the user's; write-back */
#define EFER_NO_EXECUTE (1ull << 11)
#define CR4_KNOWN 0x3727FFull

struct svm_maps svm_maps;
struct vmx_capability svm_capability;
uint64_t svm_host;
bool svm_has_next_rip, svm_has_debugctl;

struct svm_own svm_own;

/* QEMU in software drops all translations when one of these bits changes. On a real processor ASIDs keep them, and the
 * write to CR4 would be the expensive part. */
static void own_choose(void)
{
    enum { LEAF_HYPERVISOR = 0x40000000u, TCG = 0x54474354, /* "TCGT" */ EDX_PSE = 1 << 3, EDX_PGE = 1 << 13,
           EBX_SMEP = 1 << 7, EBX_SMAP = 1 << 20, ECX_HYPERVISOR = 1u << 31 };
    struct cpuid_result one = op_cpuid(1, 0), structured = op_cpuid(LEAF_STRUCTURED, 0);

    svm_own = (struct svm_own){.cr0 = op_read_cr0(), .cr4 = op_read_cr4(), .entry_ticks = clock_ticks(ENTRY_NS)};
    if (!(one.ecx & ECX_HYPERVISOR))
        return;
    svm_own.rewritten = op_cpuid(LEAF_HYPERVISOR, 0).ebx != TCG;
    if (svm_own.rewritten)
        return;
    svm_own.software = true;
    svm_own.entry_ticks = clock_ticks(ENTRY_NS_IN_SOFTWARE);
    svm_maps.debug_writes = 0xFF;
    svm_maps.rdtscp_as_rdtsc = true;
    svm_own.cr0_follows = CR0_WP;
    svm_own.cr4_follows = (one.edx & EDX_PSE ? CR4_PSE : 0) | (one.edx & EDX_PGE ? CR4_PGE : 0) |
                          (structured.ebx & EBX_SMEP ? CR4_SMEP : 0) | (structured.ebx & EBX_SMAP ? CR4_SMAP : 0);
}

static void *full_map(unsigned pages)
{
    void *map = frame_alloc_run(&frame_cp_account, pages);
    if (map)
        memset(map, 0xFF, pages * PAGE_SIZE);
    return map;
}

static bool maps_create(void)
{
    void *io = full_map(IO_MAP_PAGES), *some = full_map(MSR_MAP_PAGES), *all = full_map(MSR_MAP_PAGES);

    if (!io || !some || !all || vmx_msr_bitmap_create())
        return false;
    svm_msr_map_build(some, vmx_msr_bitmap);
    svm_maps = (struct svm_maps){.io = frame_address(io).a,
                                 .msr_some = frame_address(some).a,
                                 .msr_all = frame_address(all).a,
                                 .bitmap = frame_address(vmx_msr_bitmap).a};
    return true;
}

static bool host_areas_create(void)
{
    void *save = frame_alloc(&frame_cp_account), *host = frame_alloc(&frame_cp_account);

    if (!save || !host)
        return false;
    op_wrmsr(MSR_HOST_SAVE, frame_address(save).a);
    svm_host = frame_address(host).a;
    op_vmsave(svm_host);
    return true;
}

const char *svm_start(void)
{
    bool known = op_cpuid(LEAF_EXTENDED, 0).eax >= LEAF_SVM;

    if (!known || !(op_cpuid(LEAF_FEATURES, 0).ecx & FEATURES_ECX_SVM))
        return "SVM (CPUID leaf 80000001H ECX bit 2)";
    if (op_rdmsr(MSR_VM_CR) & VM_CR_DISABLED)
        return "SVM (switched off in VM_CR by the firmware)";
    if (!(op_cpuid(LEAF_SVM, 0).edx & SVM_EDX_NESTED_PAGING))
        return "SVM's nested paging";
    svm_has_next_rip = op_cpuid(LEAF_SVM, 0).edx & SVM_EDX_NEXT_RIP;
    svm_has_debugctl = op_cpuid(LEAF_SVM, 0).edx & SVM_EDX_LBR_VIRTUALIZATION;
    op_wrmsr(MSR_EFER, op_rdmsr(MSR_EFER) | SVM_EFER_SVME | EFER_NO_EXECUTE); /* of nested page tables too */
    svm_capability_make(&svm_capability, CR4_KNOWN, op_cpuid(LEAF_FEATURES, 0).edx & FEATURES_EDX_RDTSCP,
                        op_cpuid(LEAF_STRUCTURED, 0).ebx & STRUCTURED_EBX_INVPCID);
    const char *missing = vmx_controls_choose(&svm_capability);
    if (missing)
        return missing;
    if (!maps_create() || !host_areas_create())
        return "storage for SVM";
    own_choose();
    svm_asids_start(op_cpuid(LEAF_SVM, 0).ebx);
    second_level_leaf_bits = NPT_LEAF;
    return NULL;
}
