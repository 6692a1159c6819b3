/* Composes EPT02 = EPT12 o EPT01.  In: EPT violations of L2.  Out: leaves in EPT02, or the verdict that it is L1's
 * affair. */
#include "nest/ept.h"
#include "nest/chain.h"

#include <string.h>

enum { LEAF_WRITE_BACK = 6 << 3, POINTER_WRITE_BACK = 6, POINTER_FOUR_LEVELS = 3 << 3 };
enum { LARGE_BYTES = 2 << 20, PAGE_BYTES = 4096, ENTRIES = 512, TABLES_AT_ONCE = 8 };
#define KEY_MASK (EPT_ADDRESS | EPTP_ACCESSED_DIRTY)

/* exit qualification of an EPT violation */
enum { QUALIFICATION_ACCESS = 7, QUALIFICATION_RIGHTS = 7 << 3, QUALIFICATION_RIGHTS_SHIFT = 3 };

struct ept_memory nest_ept_memory(const struct nest *nest)
{
    return (struct ept_memory){
        .context = nest->host->context,
        .read = nest->host->read,
        .write = nest->host->write,
        .physical_bits = nest->policy.physical_bits,
        .execute_only = nest->offered->msr[VMX_EPT_VPID_CAP] & EPT_CAP_EXECUTE_ONLY,
    };
}

bool nest_ept_pointer_valid(const struct nest *nest, uint64_t eptp)
{
    uint64_t capability = nest->offered->msr[VMX_EPT_VPID_CAP];
    unsigned type = eptp & 7;
    if (type == 0 ? !(capability & EPT_CAP_UNCACHEABLE) : type != 6 || !(capability & EPT_CAP_WRITE_BACK))
        return false;
    if ((eptp >> 3 & 7) != 3 || (eptp & 0xF80))
        return false;
    if ((eptp & EPTP_ACCESSED_DIRTY) && !(capability & EPT_CAP_ACCESSED_DIRTY))
        return false;
    return eptp >> nest->policy.physical_bits == 0;
}

uint64_t nest_ept_pointer(const struct nest_ept *ept)
{
    return (uint64_t)(uintptr_t)ept->root | POINTER_WRITE_BACK | POINTER_FOUR_LEVELS |
           (ept->eptp12 & EPTP_ACCESSED_DIRTY);
}

static uint64_t *table_of(uint64_t entry)
{
    return (uint64_t *)(uintptr_t)(entry & EPT_ADDRESS);
}

/* The tables below one at `level`, which keeps its entries. */
static void free_below(struct nest *nest, const uint64_t *table, unsigned level)
{
    for (unsigned i = 0; level > 1 && i < ENTRIES; i++) {
        if (!table[i] || (table[i] & EPT_LARGE))
            continue;
        free_below(nest, table_of(table[i]), level - 1);
        nest->host->frame_free(nest->host->context, table_of(table[i]));
    }
}

/* More than are freed at once. */
static bool is_large(const struct nest *nest, const struct nest_ept *ept)
{
    return ept->tables > TABLES_AT_ONCE && nest->host->tables_free;
}

/* Hardware forgets first: until then it may still walk the tables. */
static void drop(struct nest *nest, unsigned slot)
{
    const struct nest_host *host = nest->host;
    struct nest_ept *ept = nest->ept[slot];
    nest->hardware->flush_ept(nest->cpu, nest_ept_pointer(ept));
    for (unsigned i = 0; i < NEST_ACTIVE; i++)
        if (nest->active[i] && nest->active[i]->ept == ept)
            nest->active[i]->ept = NULL, nest->active[i]->stale.parts |= NEST_STALE_EPT;
    nest->ept[slot] = NULL;
    if (is_large(nest, ept)) {
        host->tables_free(host->context, ept, ept->root, ept->tables + 2);
        return;
    }
    free_below(nest, ept->root, ept->tables ? 4 : 0);
    host->frame_free(host->context, ept->root);
    host->frame_free(host->context, ept);
}

/* A large one is dropped whole: its users get another at their next entry. */
static void empty(struct nest *nest, unsigned slot)
{
    struct nest_ept *ept = nest->ept[slot];
    if (is_large(nest, ept)) {
        drop(nest, slot);
        return;
    }
    nest->hardware->flush_ept(nest->cpu, nest_ept_pointer(ept));
    if (ept->tables) {
        free_below(nest, ept->root, 4);
        memset(ept->root, 0, PAGE_BYTES);
    }
    ept->tables = 0;
}

struct nest_ept *nest_ept_find(const struct nest *nest, uint64_t eptp12)
{
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++)
        if (nest->ept[i] && nest->ept[i]->eptp12 == (eptp12 & KEY_MASK))
            return nest->ept[i];
    return NULL;
}

static unsigned slot_find(struct nest *nest)
{
    unsigned victim = 0;
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++) {
        if (!nest->ept[i])
            return i;
        if (nest->ept[i]->used < nest->ept[victim]->used)
            victim = i;
    }
    drop(nest, victim);
    return victim;
}

struct nest_ept *nest_ept_get(struct nest *nest, uint64_t eptp12)
{
    const struct nest_host *host = nest->host;
    struct nest_ept *ept = nest_ept_find(nest, eptp12);
    if (!ept) {
        unsigned slot = slot_find(nest);
        void *root = nest_frame(nest);
        ept = root ? nest_frame(nest) : NULL;
        if (!ept) {
            if (root)
                host->frame_free(host->context, root);
            return NULL;
        }
        *ept = (struct nest_ept){.eptp12 = eptp12 & KEY_MASK, .root = root};
        nest->ept[slot] = ept;
        /* the root's frame may have been another EPT's, with translations tagged by its address */
        nest->hardware->flush_ept(nest->cpu, nest_ept_pointer(ept));
    }
    ept->used = ++nest->use_clock;
    return ept;
}

/* The entry for gpa2 at `level`, with the tables above it; NULL: no frames.  A large page in the way is taken apart by
 * dropping it: its parts come back as they are touched. */
static uint64_t *entry_at(struct nest *nest, struct nest_ept *ept, uint64_t gpa2, unsigned level)
{
    const struct nest_host *host = nest->host;
    uint64_t *table = ept->root;
    for (unsigned at = 4; at > level; at--) {
        uint64_t *entry = &table[gpa2 >> (12 + 9 * (at - 1)) & 511];
        if (!*entry || (*entry & EPT_LARGE)) {
            void *below = host->frame_alloc(host->context);
            if (!below)
                return NULL;
            bool was_large = *entry;
            *entry = (uint64_t)(uintptr_t)below | EPT_READ | EPT_WRITE | EPT_EXECUTE;
            ept->tables++;
            if (was_large)
                nest->hardware->flush_ept(nest->cpu, nest_ept_pointer(ept));
        }
        table = table_of(*entry);
    }
    return &table[gpa2 >> (12 + 9 * (level - 1)) & 511];
}

static bool set_leaf(struct nest *nest, struct nest_ept *ept, uint64_t gpa2, unsigned level, uint64_t leaf)
{
    uint64_t *entry = entry_at(nest, ept, gpa2, level);
    if (!entry)
        return false;
    uint64_t before = *entry;
    *entry = leaf;
    if (before && !(before & EPT_LARGE) && level > 1) {
        nest->hardware->flush_ept(nest->cpu, nest_ept_pointer(ept));
        free_below(nest, table_of(before), level - 1);
        nest->host->frame_free(nest->host->context, table_of(before));
        ept->tables--;
    }
    return true;
}

/* Present and user for what may be read, no-execute for what may not be executed; write-back. Tables above the leaf
 * have all rights in either form. */
static uint64_t paging_rights(uint64_t rights)
{
    const uint64_t present = 1, user = 4, no_execute = 1ull << 63;

    if (!(rights & EPT_READ))
        return 0;
    return present | user | (rights & EPT_WRITE) | (rights & EPT_EXECUTE ? 0 : no_execute);
}

/* 2 MiB where both sides are contiguous that far, else 4 KiB.  Until L2 writes, a page whose dirty flag L1 wants to
 * see set is not writable.  A set of rights that hardware calls a misconfiguration is never made: write without read
 * is dropped. */
static bool install(struct nest *nest, struct nest_ept *ept, uint64_t gpa2, const struct ept_mapping *mapping,
                    const struct nest_translation *host_page)
{
    uint64_t rights = mapping->rights & host_page->rights;
    if (!mapping->dirty || !(rights & EPT_READ))
        rights &= ~(uint64_t)EPT_WRITE;
    bool large = mapping->bytes >= LARGE_BYTES && host_page->bytes >= LARGE_BYTES &&
                 (gpa2 & (LARGE_BYTES - 1)) == (mapping->gpa & (LARGE_BYTES - 1));
    uint64_t accessed = ept->eptp12 & EPTP_ACCESSED_DIRTY ? EPT_ACCESSED : 0;
    uint64_t leaf = nest->policy.nested_page_tables ? paging_rights(rights) : rights | LEAF_WRITE_BACK | accessed;
    if (large)
        return set_leaf(nest, ept, gpa2, 2, leaf | EPT_LARGE | (host_page->hpa & ~(uint64_t)(LARGE_BYTES - 1)));
    uint64_t within = mapping->gpa & (host_page->bytes - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    return set_leaf(nest, ept, gpa2, 1, leaf | (host_page->hpa + within));
}

bool nest_shrink(struct nest *nest)
{
    uint64_t tables = 0;
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++)
        if (nest->ept[i])
            tables += nest->ept[i]->tables;
    bool above = nest_chain_shrink(nest);
    if (tables < NEST_SHRINK_LEAST)
        return above;
    nest_ept_flush_all(nest);
    return true;
}

/* Frames ran out: what EPT02 holds can always be made again. */
static bool install_or_shrink(struct nest *nest, uint64_t gpa2, const struct ept_mapping *mapping,
                              const struct nest_translation *host_page)
{
    const uint64_t eptp12 = nest->current->vmcs12.ept_pointer;
    struct nest_ept *ept = nest_ept_get(nest, eptp12);
    if (ept && install(nest, ept, gpa2, mapping, host_page))
        return true;
    if (!nest_shrink(nest)) /* maybe of this one altogether */
        return false;
    ept = nest_ept_get(nest, eptp12);
    return ept && install(nest, ept, gpa2, mapping, host_page);
}

/* Nested page tables see each walk of the guest's own tables as a read and a write. So does EPT with accessed and dirty
 * flags; without them an entry is read first. */
static uint64_t access_reported(const struct nest *nest, uint64_t qualification, unsigned rights)
{
    const unsigned both = EPT_READ | EPT_WRITE;

    qualification &= ~(uint64_t)QUALIFICATION_RIGHTS;
    if (!nest->policy.nested_page_tables || (qualification & QUALIFICATION_ACCESS) != both ||
        (nest->current->vmcs12.ept_pointer & EPTP_ACCESSED_DIRTY))
        return qualification;
    return qualification & ~(uint64_t)(rights & EPT_READ ? EPT_READ : EPT_WRITE);
}

/* With the log that L1 asked for. */
static enum ept_status walk_logged(struct nest *nest, uint64_t gpa2, unsigned access, struct ept_mapping *mapping)
{
    struct vmcs *vmcs12 = &nest->current->vmcs12;
    struct ept_memory memory = nest_ept_memory(nest);
    struct ept_log log = {.address = vmcs12->pml_address, .index = vmcs12->pml_index};
    if (nest_secondary(vmcs12) & CPU2_PML)
        memory.log = &log;
    enum ept_status status = ept_walk(&memory, vmcs12->ept_pointer, gpa2, access, mapping);
    if (log.index != vmcs12->pml_index) {
        vmcs12->pml_index = log.index;
        nest_written_one(nest->current, VMCS_INDEX_PML_INDEX, NEST_BY_CP); /* L1 is shown it after its exit */
    }
    return status;
}

enum nest_ept_verdict nest_ept_violation(struct nest *nest, const struct exit *exit, uint64_t *qualification,
                                         uint64_t *l1_gpa)
{
    const struct nest_host *host = nest->host;
    struct ept_mapping mapping;
    struct nest_translation page;
    unsigned access = exit->qualification & QUALIFICATION_ACCESS;
    uint64_t gpa2 = exit->guest_physical;

    switch (walk_logged(nest, gpa2, access, &mapping)) {
    case EPT_UNREADABLE:
        if (nest->chain) /* it may be there, and its owner's EPT without it */
            return NEST_EPT_DEVICE;
    /* fall through */
    case EPT_MISCONFIGURATION: /* memory that is not there reads as ones, which no entry may be */
        return NEST_EPT_MISCONFIGURED;
    case EPT_VIOLATION:
        *qualification = access_reported(nest, exit->qualification, (unsigned)mapping.rights) |
                         (uint64_t)mapping.rights << QUALIFICATION_RIGHTS_SHIFT;
        return NEST_EPT_VIOLATES;
    case EPT_LOG_FULL:
        return NEST_EPT_LOG_FULL;
    default:
        break;
    }
    *l1_gpa = mapping.gpa;
    enum nest_access kind = access & EPT_WRITE ? NEST_WRITE : NEST_READ;
    if (!host->translate(host->context, mapping.gpa, kind, &page) || (access & ~(unsigned)page.rights))
        return NEST_EPT_DEVICE;
    if (!install_or_shrink(nest, gpa2, &mapping, &page))
        return NEST_EPT_NO_FRAMES;
    return NEST_EPT_FILLED;
}

void nest_ept_flush(struct nest *nest, uint64_t eptp12)
{
    /* both, with A/D flags and without: hardware tags by address only */
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++)
        if (nest->ept[i] && !((nest->ept[i]->eptp12 ^ eptp12) & EPT_ADDRESS))
            empty(nest, i);
}

void nest_ept_flush_all(struct nest *nest)
{
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++)
        if (nest->ept[i])
            empty(nest, i);
}

void *nest_frame(struct nest *nest)
{
    void *frame = nest->host->frame_alloc(nest->host->context);
    return frame || !nest_shrink(nest) ? frame : nest->host->frame_alloc(nest->host->context);
}

void nest_ept_free_all(struct nest *nest)
{
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++)
        if (nest->ept[i])
            drop(nest, i);
}

void nest_ept01_changed(struct nest *nest, uint64_t l1_gpa, uint64_t bytes)
{
    (void)l1_gpa, (void)bytes; /* EPT02 has no way back from a page to its places */
    nest_ept_flush_all(nest);
    nest_chain_ept_flush(nest);
}

static bool translate_of(struct nest *nest, uint64_t l2_gpa, enum nest_access access, uint64_t *l1_gpa)
{
    const struct ept_memory memory = nest_ept_memory(nest);
    const uint64_t eptp12 = nest->current->vmcs12.ept_pointer;
    struct ept_mapping mapping;
    if (!(nest->current->vmcs12.processor_controls & CPU_SECONDARY_CONTROLS) ||
        !(nest->current->vmcs12.secondary_controls & CPU2_EPT)) {
        *l1_gpa = l2_gpa;
        return true;
    }
    /* what CP only looks at needs no room in a log */
    enum ept_status status = access == NEST_WRITE ? walk_logged(nest, l2_gpa, EPT_WRITE, &mapping)
                                                  : ept_walk(&memory, eptp12, l2_gpa, EPT_READ, &mapping);
    if (status != EPT_MAPPED)
        return false;
    *l1_gpa = mapping.gpa;
    return true;
}

bool nest_translate(struct nest *root, uint64_t l2_gpa, enum nest_access access, uint64_t *l1_gpa)
{
    struct nest *nest = root->innermost;
    for (; nest != root; nest = nest->outer)
        if (!translate_of(nest, l2_gpa, access, &l2_gpa))
            return false;
    return translate_of(root, l2_gpa, access, l1_gpa);
}
