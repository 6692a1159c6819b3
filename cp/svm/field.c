/* Owns the table of where each VMCS field is in a VMCB. Fields of the guest's state go both
 * ways; the rest stays in the image. */
#include <string.h>

#include "cp/svm/state.h"
#include "vmcs-shadow/control.h"

enum home {
    HOME_IMAGE,
    HOME_PLAIN,     /* the same bits at `offset`, `bytes` long */
    HOME_RIGHTS,    /* of a segment */
    HOME_SS_RIGHTS, /* whose DPL is the CPL, a field of its own */
    /* VMX knows it as busy only; QEMU leaves it as it was before LTR, and looks into the I/O map of no other */
    HOME_TR_RIGHTS,
    HOME_CR4,       /* VMXE cannot be set in it */
    /* SVME must be set in it; LME without LMA means nothing, and kills QEMU's host when CR4.PAE is clear */
    HOME_EFER,
    HOME_INTERRUPTIBILITY,
    HOME_PENDING_DEBUG,
};

struct row {
    uint8_t home, bytes;
    uint16_t offset;
};

#define FLAG_TF (1u << 8)
#define FLAG_IF (1u << 9)
#define DEBUGCTL_BTF 2u
#define PENDING_BS (1ull << 14)
enum { BLOCKED_STI = 1, BLOCKED_MOV_SS = 2, BLOCKED_BY_SHADOW = 3, RIGHTS_PRESENT = 1 << 7, RIGHTS_UNUSABLE = 1 << 16,
       RIGHTS_BUSY = 2, RIGHTS_ACCESSED = 1, RIGHTS_CODE_OR_DATA = 0x10 };
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define CR4_VMXE (1ull << 13)

#define PLAIN(member) {HOME_PLAIN, sizeof(((struct vmcb *)0)->member), offsetof(struct vmcb, member)}
#define SEGMENT(NAME, member, kind) \
    [VMCS_INDEX_GUEST_##NAME##_SELECTOR] = PLAIN(member.selector), \
    [VMCS_INDEX_GUEST_##NAME##_BASE] = PLAIN(member.base), [VMCS_INDEX_GUEST_##NAME##_LIMIT] = PLAIN(member.limit), \
    [VMCS_INDEX_GUEST_##NAME##_ACCESS_RIGHTS] = {kind, 2, offsetof(struct vmcb, member.rights)}

static const struct row rows[VMCS_FIELDS] = {
    SEGMENT(ES, es, HOME_RIGHTS), SEGMENT(CS, cs, HOME_RIGHTS), SEGMENT(SS, ss, HOME_SS_RIGHTS),
    SEGMENT(DS, ds, HOME_RIGHTS), SEGMENT(FS, fs, HOME_RIGHTS), SEGMENT(GS, gs, HOME_RIGHTS),
    SEGMENT(LDTR, ldtr, HOME_RIGHTS), SEGMENT(TR, tr, HOME_TR_RIGHTS),
    [VMCS_INDEX_GUEST_GDTR_BASE] = PLAIN(gdtr.base), [VMCS_INDEX_GUEST_GDTR_LIMIT] = PLAIN(gdtr.limit),
    [VMCS_INDEX_GUEST_IDTR_BASE] = PLAIN(idtr.base), [VMCS_INDEX_GUEST_IDTR_LIMIT] = PLAIN(idtr.limit),
    [VMCS_INDEX_GUEST_CR0] = PLAIN(cr0), [VMCS_INDEX_GUEST_CR3] = PLAIN(cr3),
    [VMCS_INDEX_GUEST_CR4] = {HOME_CR4, 8, offsetof(struct vmcb, cr4)},
    [VMCS_INDEX_GUEST_EFER] = {HOME_EFER, 8, offsetof(struct vmcb, efer)},
    [VMCS_INDEX_GUEST_DR7] = PLAIN(dr7), [VMCS_INDEX_GUEST_DEBUGCTL] = PLAIN(debugctl),
    [VMCS_INDEX_GUEST_PAT] = PLAIN(pat),
    [VMCS_INDEX_GUEST_RIP] = PLAIN(rip), [VMCS_INDEX_GUEST_RSP] = PLAIN(rsp), [VMCS_INDEX_GUEST_RFLAGS] = PLAIN(rflags),
    [VMCS_INDEX_GUEST_SYSENTER_CS] = PLAIN(sysenter_cs), [VMCS_INDEX_GUEST_SYSENTER_ESP] = PLAIN(sysenter_esp),
    [VMCS_INDEX_GUEST_SYSENTER_EIP] = PLAIN(sysenter_eip), [VMCS_INDEX_TSC_OFFSET] = PLAIN(tsc_offset),
    [VMCS_INDEX_GUEST_INTERRUPTIBILITY] = {HOME_INTERRUPTIBILITY, 4, 0},
    [VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS] = {HOME_PENDING_DEBUG, 8, 0},
};

/* VMX has the flags AVL, L, D/B and G four bits higher, and a bit for an unusable segment, which here is one that is
 * not present. A segment that has been loaded is marked as accessed, though QEMU drops the mark when an interrupt loads
 * CS. */
static uint64_t rights_read(uint16_t rights)
{
    if ((rights & RIGHTS_PRESENT) && (rights & RIGHTS_CODE_OR_DATA))
        rights |= RIGHTS_ACCESSED;
    return (rights & 0xFFu) | (rights & 0xF00u) << 4 | (rights & RIGHTS_PRESENT ? 0 : RIGHTS_UNUSABLE);
}

static uint16_t rights_write(uint64_t value)
{
    uint16_t rights = (uint16_t)((value & 0xFF) | (value >> 4 & 0xF00));
    return value & RIGHTS_UNUSABLE ? rights & (uint16_t)~RIGHTS_PRESENT : rights;
}

static uint64_t load(const struct vmcb *vmcb, const struct row *row)
{
    const char *at = (const char *)vmcb + row->offset;

    switch (row->bytes) {
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static void store(struct vmcb *vmcb, const struct row *row, uint64_t value)
{
    memcpy((char *)vmcb + row->offset, &value, row->bytes);
}

static bool is_stepped(const struct svm_state *s)
{
    return (s->vmcb->rflags & FLAG_TF) && !(s->vmcb->debugctl & DEBUGCTL_BTF);
}

/* The VMCB has one interrupt shadow. Which instruction cast it is in the image if CP wrote it. If not, it was STI if
 * interrupts are on and there is no single-step, since a stepped STI is trapped; else it was a load of SS. */
static uint64_t interruptibility_read(const struct svm_state *s)
{
    uint32_t kept = s->image.guest_interruptibility, by = kept & BLOCKED_BY_SHADOW;

    if (!by)
        by = (s->vmcb->rflags & FLAG_IF) && !is_stepped(s) ? BLOCKED_STI : BLOCKED_MOV_SS;
    kept &= ~(uint32_t)BLOCKED_BY_SHADOW;
    return s->vmcb->interrupt_shadow & 1 ? kept | by : kept;
}

/* The trap behind a stepped load of SS is held back. */
static uint64_t pending_debug_read(const struct svm_state *s)
{
    uint64_t kept = s->image.guest_pending_debug_exceptions;
    return (s->vmcb->interrupt_shadow & 1) && is_stepped(s) ? kept | PENDING_BS : kept;
}

uint64_t svm_field_read(const struct svm_state *s, enum vmcs_index index)
{
    const struct row *row = &rows[index];

    switch (row->home) {
    case HOME_PLAIN:
        return load(s->vmcb, row);
    case HOME_RIGHTS:
        return rights_read((uint16_t)load(s->vmcb, row));
    case HOME_TR_RIGHTS:
        return rights_read(s->vmcb->tr.rights) | RIGHTS_BUSY;
    case HOME_SS_RIGHTS:
        return (rights_read(s->vmcb->ss.rights) & ~0x60ull) | (uint64_t)(s->vmcb->cpl & 3) << 5;
    case HOME_CR4:
        return s->vmcb->cr4 | (s->image.guest_cr4 & CR4_VMXE);
    case HOME_EFER:
        return s->image.guest_efer;
    case HOME_INTERRUPTIBILITY:
        return interruptibility_read(s);
    case HOME_PENDING_DEBUG:
        return pending_debug_read(s);
    default:
        return vmcs_get(&s->image, index);
    }
}

void svm_field_write(struct svm_state *s, enum vmcs_index index, uint64_t value)
{
    const struct row *row = &rows[index];

    switch (row->home) {
    case HOME_PLAIN:
        store(s->vmcb, row, value);
        s->controls_stale |= index == VMCS_INDEX_GUEST_CR0 || index == VMCS_INDEX_GUEST_DR7;
        return;
    case HOME_SS_RIGHTS:
        s->vmcb->cpl = value >> 5 & 3;
        /* fall through */
    case HOME_RIGHTS:
        store(s->vmcb, row, rights_write(value));
        return;
    case HOME_TR_RIGHTS:
        store(s->vmcb, row, rights_write(value & ~(uint64_t)RIGHTS_BUSY));
        return;
    case HOME_CR4:
        s->image.guest_cr4 = value;
        s->vmcb->cr4 = value & ~CR4_VMXE;
        break;
    case HOME_EFER:
        s->image.guest_efer = value;
        s->vmcb->efer = (value & EFER_LMA ? value : value & ~EFER_LME) | SVM_EFER_SVME;
        return;
    case HOME_INTERRUPTIBILITY:
        s->image.guest_interruptibility = (uint32_t)value;
        s->vmcb->interrupt_shadow = (value & BLOCKED_BY_SHADOW) != 0;
        break;
    default:
        vmcs_set(&s->image, index, value);
    }
    /* what an entry consumes changes at every event and is no intercept */
    s->controls_stale |= index != VMCS_INDEX_ENTRY_INTERRUPTION_INFO &&
                         index != VMCS_INDEX_ENTRY_EXCEPTION_ERROR_CODE && index != VMCS_INDEX_ENTRY_INSTRUCTION_LENGTH;
}

uint64_t svm_cr0_seen(const struct svm_state *s)
{
    return (s->vmcb->cr0 & ~s->image.cr0_mask) | (s->image.cr0_shadow & s->image.cr0_mask);
}

uint64_t svm_cr4_seen(const struct svm_state *s)
{
    uint64_t real = svm_field_read(s, VMCS_INDEX_GUEST_CR4);
    return (real & ~s->image.cr4_mask) | (s->image.cr4_shadow & s->image.cr4_mask);
}
