#include "cp/vcpu/linear.h"

#include <stddef.h>
#include <string.h>

#include "cp/storage/watch.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/vm.h"

enum { ENTRY_PRESENT = 1, ENTRY_WRITE = 2, ENTRY_USER = 4, ENTRY_ACCESSED = 0x20, ENTRY_DIRTY = 0x40,
       ENTRY_LARGE = 0x80 };
enum { FAULT_PRESENT = 1, FAULT_RESERVED = 8 };
#define ENTRY_ADDRESS 0x000FFFFFFFFFF000ull
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_IGNORED (0x7FFull << 52)
#define RFLAGS_AC (1ull << 18)

/* How a paging mode cuts a linear address. */
struct paging {
    unsigned levels, index_bits, entry_bytes;
    uint64_t root;
    uint64_t reserved; /* in every entry but PAE's four, which the processor checks when it loads them */
    bool no_execute, large_at_2; /* EFER.NXE; CR4.PSE or PAE: large pages at level 2 */
};

struct walk {
    struct vcpu *vcpu;
    struct paging paging;
    unsigned access;
    uint64_t allowed; /* WRITE and USER of every level so far, and NO_EXECUTE of any */
};

/* Address bits the processor does not have; bit 63 without NXE; 52 to 62 where paging has three levels. */
static uint64_t reserved_bits(bool no_execute, bool pae)
{
    return (ENTRY_ADDRESS & ~((1ull << cpuid_physical_bits()) - 1)) | (no_execute ? 0 : ENTRY_NO_EXECUTE) |
           (pae ? ENTRY_IGNORED : 0);
}

static struct paging paging_now(struct vcpu *vcpu)
{
    uint64_t efer = vcpu_read(vcpu, VMCS_GUEST_EFER), cr4 = vcpu_read(vcpu, VMCS_GUEST_CR4);
    uint64_t cr3 = vcpu_read(vcpu, VMCS_GUEST_CR3);
    bool nx = efer & EFER_NXE;

    if (efer & EFER_LMA)
        return (struct paging){4, 9, 8, cr3 & ENTRY_ADDRESS, reserved_bits(nx, false), nx, true};
    if (cr4 & CR4_PAE)
        return (struct paging){3, 9, 8, cr3 & 0xFFFFFFE0u, reserved_bits(nx, true), nx, true};
    return (struct paging){2, 10, 4, cr3 & 0xFFFFF000u, 0, false, cr4 & CR4_PSE};
}

/* L1's EPT forbids it: noted, as L1 may be told by an EPT violation. */
static int refuse(struct vcpu *vcpu, uint64_t linear, uint64_t gpa2, unsigned access, bool final)
{
    enum { READ = 1, WRITE = 2, FETCH = 4, LINEAR_VALID = 1 << 7, FINAL = 1 << 8 };
    unsigned kind = access & LINEAR_WRITE ? WRITE : access & LINEAR_FETCH ? FETCH : READ;

    vcpu->refused = (struct vcpu_refusal){
        .linear = linear, .guest_physical = gpa2, .qualification = kind | LINEAR_VALID | (final ? FINAL : 0)};
    return -2;
}

static int page_found(struct vcpu *vcpu, uint64_t linear, gpa_t *to, unsigned access)
{
    uint64_t gpa2 = vcpu->reached = to->a;
    return nested_translate(vcpu, &to->a, access & LINEAR_WRITE) ? 0 : refuse(vcpu, linear, gpa2, access, true);
}

static const void *entry_pointer(struct vcpu *vcpu, uint64_t *at)
{
    if (!nested_translate(vcpu, at, false))
        return NULL;
    return guest_pointer(&vcpu->vm->storage, gpa(*at), NULL);
}

/* `gpa2` is where the entry is for the guest. */
static bool entry_mark(struct vcpu *vcpu, uint64_t gpa2, uint64_t entry, uint8_t marks)
{
    uint64_t at = gpa2;

    if ((entry & marks) == marks)
        return true;
    if (!nested_translate(vcpu, &at, true))
        return false;
    uint8_t marked = (uint8_t)entry | marks;
    return guest_write(&vcpu->vm->storage, gpa(at), &marked, sizeof marked) == GUEST_OK;
}

static uint64_t entry_load(const void *at, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

static bool permitted(const struct walk *w)
{
    struct vcpu *vcpu = w->vcpu;
    bool user_page = w->allowed & ENTRY_USER;

    if (w->access & LINEAR_USER) {
        if (!user_page || ((w->access & LINEAR_WRITE) && !(w->allowed & ENTRY_WRITE)))
            return false;
    } else {
        uint64_t cr4 = vcpu_read(vcpu, VMCS_GUEST_CR4);
        if (user_page && (w->access & LINEAR_FETCH) && (cr4 & CR4_SMEP))
            return false;
        if (user_page && !(w->access & LINEAR_FETCH) && (cr4 & CR4_SMAP) &&
            ((w->access & LINEAR_IMPLICIT) || !(vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_AC)))
            return false;
        if ((w->access & LINEAR_WRITE) && !(w->allowed & ENTRY_WRITE) && (vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_WP))
            return false;
    }
    return !((w->access & LINEAR_FETCH) && (w->allowed & ENTRY_NO_EXECUTE));
}

static int fault(const struct walk *w, uint32_t present, uint32_t *error)
{
    uint32_t code = present | (w->access & (LINEAR_WRITE | LINEAR_USER));
    bool fetch_reported = w->paging.no_execute || (vcpu_read(w->vcpu, VMCS_GUEST_CR4) & CR4_SMEP);

    *error = code | (fetch_reported ? w->access & LINEAR_FETCH : 0);
    return -1;
}

static uint64_t large_page(const struct paging *p, uint64_t entry, uint64_t size)
{
    if (p->entry_bytes == 4) /* PSE-36 */
        return (entry & 0xFFC00000u) | (entry >> 13 & 0xFF) << 32;
    return entry & ENTRY_ADDRESS & ~(size - 1);
}

/* In the entry of a large page no bit may be set between the page's address and the PAT bit, which is bit 12. With
 * PSE-36, bits 13 and up are address bits 32 and up, as far as the processor has them. The topmost level has no large
 * pages. */
static uint64_t large_reserved(const struct paging *p, unsigned level, uint64_t size)
{
    if (p->entry_bytes == 4)
        return 1 << 21 | (0x1FE000u & ~((1ull << (cpuid_physical_bits() - 32 + 13)) - 1));
    return level == 4 ? ENTRY_LARGE : (size - 1) & ~0x1FFFull;
}

static bool reserved_set(const struct paging *p, unsigned level, uint64_t entry, uint64_t size)
{
    bool large = (entry & ENTRY_LARGE) && level > 1 && (level > 2 || p->large_at_2);

    return entry & (p->reserved | (large ? large_reserved(p, level, size) : 0));
}

static int walk_tables(struct walk *w, uint64_t linear, gpa_t *to, uint32_t *error)
{
    const struct paging *p = &w->paging;
    uint64_t table = p->root;

    w->allowed = ENTRY_WRITE | ENTRY_USER;
    for (unsigned level = p->levels;; level--) {
        unsigned shift = PAGE_SHIFT + p->index_bits * (level - 1);
        uint64_t mask = (1ull << p->index_bits) - 1;
        bool pdpte = p->levels == 3 && level == 3; /* PAE's four: no rights, no accessed bit */
        uint64_t gpa2 = table + (linear >> shift & (pdpte ? 3 : mask)) * p->entry_bytes, at = gpa2;
        const void *pointer = entry_pointer(w->vcpu, &at);
        if (!pointer)
            return refuse(w->vcpu, linear, gpa2, LINEAR_READ, false);
        uint64_t entry = entry_load(pointer, p->entry_bytes);
        if (!(entry & ENTRY_PRESENT))
            return fault(w, 0, error);
        if (!pdpte && reserved_set(p, level, entry, 1ull << shift))
            return fault(w, FAULT_PRESENT | FAULT_RESERVED, error);
        if (!pdpte)
            w->allowed = (w->allowed & (entry | ENTRY_NO_EXECUTE)) | (entry & ENTRY_NO_EXECUTE);
        bool large = (entry & ENTRY_LARGE) && !pdpte &&
                     ((level == 2 && p->large_at_2) || (level == 3 && p->levels == 4));
        if (level > 1 && !large) {
            if (!pdpte && !entry_mark(w->vcpu, gpa2, entry, ENTRY_ACCESSED))
                return refuse(w->vcpu, linear, gpa2, LINEAR_WRITE, false);
            table = entry & (p->entry_bytes == 4 ? 0xFFFFF000u : ENTRY_ADDRESS);
            continue;
        }
        if (!permitted(w))
            return fault(w, FAULT_PRESENT, error);
        if (!entry_mark(w->vcpu, gpa2, entry, ENTRY_ACCESSED | (w->access & LINEAR_WRITE ? ENTRY_DIRTY : 0)))
            return refuse(w->vcpu, linear, gpa2, LINEAR_WRITE, false);
        uint64_t size = 1ull << shift;
        uint64_t base = large ? large_page(p, entry, size)
                              : entry & (p->entry_bytes == 4 ? 0xFFFFF000u : ENTRY_ADDRESS);
        *to = gpa(base | (linear & (size - 1)));
        return page_found(w->vcpu, linear, to, w->access);
    }
}

int linear_translate(struct vcpu *vcpu, uint64_t linear, unsigned access, gpa_t *to, uint32_t *error)
{
    if (!(vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_PG)) {
        *to = gpa(linear & 0xFFFFFFFFu);
        return page_found(vcpu, linear, to, access);
    }
    struct walk w = {vcpu, paging_now(vcpu), access, 0};
    return walk_tables(&w, w.paging.levels == 4 ? linear : linear & 0xFFFFFFFFu, to, error);
}

/* To the page, at *end, unless `at` is in an entry on the way. Without paging nothing is read there. `path` may be
 * NULL. */
static enum linear_part follow(struct vcpu *vcpu, uint64_t linear, uint64_t at, uint64_t *end, struct linear_path *path)
{
    struct paging p = paging_now(vcpu);
    uint64_t table = p.root, entry = 0, size = ~0ull;

    if (p.levels < 4)
        linear &= 0xFFFFFFFFu;
    *end = linear;
    if (!(vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_PG))
        return LINEAR_PAGE;
    for (unsigned level = p.levels; level; level--) {
        unsigned shift = PAGE_SHIFT + p.index_bits * (level - 1);
        bool pdpte = p.levels == 3 && level == 3;
        uint64_t mask = pdpte ? 3 : (1ull << p.index_bits) - 1,
                 where = table + (linear >> shift & mask) * p.entry_bytes;
        if (at >= where && at < where + p.entry_bytes)
            return LINEAR_TABLE;
        const void *pointer = entry_pointer(vcpu, &where);
        entry = pointer ? entry_load(pointer, p.entry_bytes) : 0;
        if (!(entry & ENTRY_PRESENT))
            return LINEAR_NO_PART;
        if (path)
            path->entries[path->count] = pointer, path->values[path->count++] = entry;
        size = 1ull << shift;
        if ((entry & ENTRY_LARGE) && !pdpte && ((level == 2 && p.large_at_2) || (level == 3 && p.levels == 4))) {
            table = large_page(&p, entry, size);
            break;
        }
        table = entry & (p.entry_bytes == 4 ? 0xFFFFF000u : ENTRY_ADDRESS);
    }
    *end = table | (linear & (size - 1));
    return LINEAR_PAGE;
}

enum linear_part linear_part(struct vcpu *vcpu, uint64_t linear, uint64_t at)
{
    uint64_t end;
    enum linear_part part = follow(vcpu, linear, at, &end, NULL);

    return part == LINEAR_PAGE && end >> PAGE_SHIFT != at >> PAGE_SHIFT ? LINEAR_NO_PART : part;
}

uint64_t linear_end(struct vcpu *vcpu, uint64_t linear)
{
    uint64_t end;

    return follow(vcpu, linear, ~0ull, &end, NULL) == LINEAR_PAGE ? end : 0;
}

bool linear_path_keep(struct vcpu *vcpu, uint64_t linear, struct linear_path *path)
{
    uint64_t end;

    *path = (struct linear_path){.bytes = (uint8_t)paging_now(vcpu).entry_bytes};
    return follow(vcpu, linear, ~0ull, &end, path) == LINEAR_PAGE;
}

static size_t piece(uint64_t linear, size_t bytes)
{
    size_t left = PAGE_SIZE - (linear & PAGE_MASK);
    return left < bytes ? left : bytes;
}

static unsigned mode(struct vcpu *vcpu)
{
    return registers_cpl(vcpu) == 3 ? LINEAR_USER : 0;
}

int linear_read(struct vcpu *vcpu, uint64_t linear, void *to, size_t bytes, unsigned access, uint64_t *at,
                uint32_t *error)
{
    while (bytes) {
        size_t n = piece(linear, bytes);
        gpa_t from;
        *at = linear;
        int result = linear_translate(vcpu, linear, access | mode(vcpu), &from, error);
        if (result)
            return result;
        if (guest_read(&vcpu->vm->storage, from, to, n) != GUEST_OK)
            return -2;
        to = (char *)to + n, linear += n, bytes -= n;
    }
    return 0;
}

/* What cannot be written whole is not written in part. */
int linear_write(struct vcpu *vcpu, uint64_t linear, const void *from, size_t bytes, uint64_t *at, uint32_t *error)
{
    for (size_t done = piece(linear, bytes); done < bytes; done += piece(linear + done, bytes - done)) {
        gpa_t later;
        if (linear_translate(vcpu, linear, LINEAR_WRITE | mode(vcpu), &later, error))
            break; /* the first page's fault, which is met below, comes before any of a later one */
        *at = linear + done;
        int result = linear_translate(vcpu, *at, LINEAR_WRITE | mode(vcpu), &later, error);
        if (result)
            return result;
    }
    while (bytes) {
        size_t n = piece(linear, bytes);
        gpa_t to;
        *at = linear;
        int result = linear_translate(vcpu, linear, LINEAR_WRITE | mode(vcpu), &to, error);
        if (result)
            return result;
        if (guest_write(&vcpu->vm->storage, to, from, n) != GUEST_OK)
            return -2;
        from = (const char *)from + n, linear += n, bytes -= n;
    }
    return 0;
}
