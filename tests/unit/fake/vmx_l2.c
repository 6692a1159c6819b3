/* L2 as the fake machine's processor would run it: entry, exit, and memory by cached translations or a walk of
 * EPT02. */
#include "tests/unit/fake/vmx_region.h"

bool fake_vmx_load(struct fake_vmx *m)
{
    struct nest_entry entry;
    enum nest_result result = nest_load(&m->nest, &entry);
    if (result == NEST_UNSOUND)
        fake_vmx_complain(m, m->traced);
    if (result != NEST_RESUME)
        return false;
    struct fake_region *region = entry.region;
    if (!region->used || region->shadow)
        fake_vmx_complain(m, "vmcs02 is no region that can be entered");
    fake_region_load(m, region);
    fake_region_push(m, entry.image, entry.write);
    vmcs_set_clear(entry.write);
    region->launched = true;
    const struct fake_region *link = (const struct fake_region *)(uintptr_t)region->held.vmcs_link_pointer;
    if ((region->held.secondary_controls & CPU2_VMCS_SHADOWING) && (!link->used || !link->shadow))
        fake_vmx_complain(m, "vmcs02 links to what is no shadow VMCS");
    return true;
}

enum nest_result fake_vmx_exit(struct fake_vmx *m, const struct exit *exit)
{
    m->loaded->held.entry_interruption_info &= 0x7FFFFFFF;
    return nest_exit(&m->nest, exit);
}

/* The processor's walk of EPT02: a table entry holds an address, which is a pointer here. */
static bool walk(const struct fake_vmx *m, uint64_t eptp, uint64_t gpa2, uint64_t *hpa, unsigned *rights)
{
    const uint64_t *table = (const uint64_t *)(uintptr_t)(eptp & EPT_TABLE_MASK);
    (void)m;
    *rights = 7;
    for (unsigned shift = 39;; shift -= 9) {
        uint64_t entry = table[gpa2 >> shift & 511];
        *rights &= entry & 7;
        if (!(entry & 7))
            return false;
        if (shift == 12 || (entry & 0x80)) {
            uint64_t within = (1ull << shift) - 1;
            *hpa = (entry & EPT_TABLE_MASK & ~within) | (gpa2 & within);
            return true;
        }
        table = (const uint64_t *)(uintptr_t)(entry & EPT_TABLE_MASK);
    }
}

bool fake_vmx_touch(struct fake_vmx *m, uint64_t gpa2, unsigned access, uint64_t *hpa)
{
    uint64_t eptp = m->loaded->held.ept_pointer;
    unsigned rights;
    for (unsigned i = 0; i < FAKE_CACHED; i++) {
        struct fake_cached *c = &m->cached[i];
        if (!c->valid || c->eptp != eptp || c->page != gpa2 >> 12)
            continue;
        if ((c->rights & access) == access) {
            *hpa = c->hpa | (gpa2 & 4095);
            return true;
        }
        c->valid = false; /* a violation drops what it was about */
    }
    if (!walk(m, eptp, gpa2, hpa, &rights) || (rights & access) != access)
        return false;
    m->cached[m->cached_next++ % FAKE_CACHED] =
        (struct fake_cached){.valid = true, .eptp = eptp, .page = gpa2 >> 12, .hpa = *hpa & ~4095ull, .rights = rights};
    return true;
}
