/* Passing vmcs12s, one for each kind of guest, and capabilities under which every rule can be reached: what the entry
 * checks' unit tests and fuzzer start from. */
#pragma once
#include <string.h>

#include "nest/check.h"

enum nest_check_base { BASE_LONG, BASE_PAE, BASE_PAE_EPT, BASE_VIRTUAL_8086, BASE_REAL, BASE_RESTRICTED, BASES };

enum { BASE_REVISION = 0x1234, BASE_PHYSICAL_BITS = 40 };

/* Offers more than CP does, so that rules about controls CP never offers are reached too. */
static inline void base_capability(struct vmx_capability *capability)
{
    *capability = (struct vmx_capability){.msr = {
        [VMX_BASIC] = BASE_REVISION | VMX_BASIC_TRUE_CONTROLS,
        [VMX_TRUE_PIN] = 0x000000FFull << 32 | 0x16,
        [VMX_TRUE_CPU] = 0xFFF9FFFEull << 32 | 0x04006172,
        [VMX_TRUE_EXIT] = 0x01FFFFFFull << 32 | 0x00036DFB,
        [VMX_TRUE_ENTRY] = 0x0003FFFFull << 32 | 0x000011FB,
        [VMX_CPU2] = 0x027FFFFFull << 32,
        [VMX_MISC] = 7ull << 6 | VMX_MISC_CR3_TARGETS(4),
        [VMX_CR0_FIXED0] = 0x80000021, [VMX_CR0_FIXED1] = 0xFFFFFFFF,
        [VMX_CR4_FIXED0] = 0x2000, [VMX_CR4_FIXED1] = 0x3767FF,
        [VMX_EPT_VPID_CAP] = EPT_CAP_FOUR_LEVELS | EPT_CAP_UNCACHEABLE | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT,
        [VMX_VMFUNC] = VM_FUNCTION_EPTP_SWITCHING,
    }};
}

static inline void base_segments(struct vmcs *v, uint32_t code, uint32_t data)
{
    v->guest_cs_selector = 8;
    v->guest_ss_selector = v->guest_ds_selector = v->guest_es_selector = 16;
    v->guest_fs_selector = v->guest_gs_selector = 16;
    v->guest_cs_limit = v->guest_ss_limit = v->guest_ds_limit = data & 0x8000 ? 0xFFFFFFFF : 0xFFFF;
    v->guest_es_limit = v->guest_fs_limit = v->guest_gs_limit = v->guest_cs_limit;
    v->guest_cs_access_rights = code;
    v->guest_ss_access_rights = v->guest_ds_access_rights = v->guest_es_access_rights = v->guest_fs_access_rights =
        v->guest_gs_access_rights = data;
}

static inline void base_host(struct vmcs *v)
{
    v->host_cr0 = 0x80000031, v->host_cr4 = 0x2020, v->host_cr3 = 0x1000, v->host_rip = 0x100000;
    v->host_cs_selector = 8, v->host_tr_selector = 0x18, v->host_ss_selector = 0x10;
    v->host_efer = 0xD00, v->host_pat = 0x0007040600070406;
}

static inline void base_controls(struct vmcs *v)
{
    v->pin_controls = 0x16;
    v->processor_controls = 0x04006172 | CPU_SECONDARY_CONTROLS;
    v->secondary_controls = CPU2_EPT | CPU2_UNRESTRICTED_GUEST;
    v->ept_pointer = 0x5000 | 3 << 3 | 6;
    v->exit_controls = 0x00036DFB | EXIT_HOST_LONG_MODE | EXIT_LOAD_EFER | EXIT_LOAD_PAT;
    v->entry_controls = 0x000011FB | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT | ENTRY_LOAD_DEBUG_CONTROLS;
    v->entry_controls &= ~(uint32_t)ENTRY_LONG_MODE;
    v->vmcs_link_pointer = ~0ull;
}

static inline void base_vmcs(struct vmcs *v, enum nest_check_base base)
{
    memset(v, 0, sizeof(*v));
    base_controls(v);
    base_host(v);
    base_segments(v, 0xC09B, 0xC093);
    v->guest_ldtr_access_rights = 0x10000;
    v->guest_tr_selector = 0x18, v->guest_tr_limit = 0x67, v->guest_tr_access_rights = 0x8B;
    v->guest_gdtr_limit = v->guest_idtr_limit = 0xFFFF;
    v->guest_cr0 = 0x80000031, v->guest_cr4 = 0x2020, v->guest_cr3 = 0x2000;
    v->guest_rip = 0x100000, v->guest_rflags = 2, v->guest_dr7 = 0x400, v->guest_pat = 0x0007040600070406;
    switch (base) {
    case BASE_RESTRICTED:
        v->secondary_controls &= ~(uint32_t)CPU2_UNRESTRICTED_GUEST; /* fall through */
    case BASE_LONG:
        v->entry_controls |= ENTRY_LONG_MODE;
        v->guest_efer = 0xD00, v->guest_cs_access_rights = 0xA09B, v->guest_rip = 0xFFFF800000100000;
        break;
    case BASE_PAE:
        v->processor_controls &= ~(uint32_t)CPU_SECONDARY_CONTROLS; /* fall through */
    case BASE_PAE_EPT:
        v->guest_pdpte0 = 0x3001;
        break;
    case BASE_VIRTUAL_8086:
        base_segments(v, 0xF3, 0xF3);
        v->guest_cs_base = 0x80;
        v->guest_ss_base = v->guest_ds_base = v->guest_es_base = v->guest_fs_base = v->guest_gs_base = 0x100;
        v->guest_rflags |= 1 << 17;
        break;
    default:
        base_segments(v, 0x93, 0x93);
        v->guest_cr0 = 0x20, v->guest_cr4 = 0x2000;
    }
}

static inline void base_check(struct nest_check *check, const struct vmcs *v, const struct vmx_capability *capability)
{
    *check = (struct nest_check){.vmcs12 = v, .offered = capability, .physical_bits = BASE_PHYSICAL_BITS,
                                 .long_mode = true, .current_gpa = 0x7000, .link_readable = true,
                                 .link_revision = BASE_REVISION, .pdptes_readable = true, .pdptes = {0x3001},
                                 .vtpr_readable = true, .vtpr = 0x40};
    if (v->processor_controls & CPU_SECONDARY_CONTROLS && v->secondary_controls & CPU2_EPT)
        memcpy(check->pdptes, (const uint64_t[4]){v->guest_pdpte0, v->guest_pdpte1, v->guest_pdpte2, v->guest_pdpte3},
               sizeof(check->pdptes));
}
