/* A hostile area of saved systems: whatever is on it, reading it ends, each system can be IPLed or is told of as lost,
 * none holds more than its part, and new ones can be kept beside them. The bytes are laid over a good area, whose sums
 * are then made right. */
#include <stdlib.h>
#include <string.h>

#include "cp/dispatch/vm.h"
#include "cp/ipl/nss_store.h"
#include "cp/storage/grave.h"
#include "tests/unit/fake/disk_work.h"

enum { DATA = 24, BLOCKS = NSS_FIRST_DATA + DATA, SYSTEMS = 3, PAGES = 3, EACH = 2 + PAGES, ARENA = 16 << 20 };

static struct fake_disk area;
static struct vm vm;

void vm_bury(void) { while (grave_yield(NULL)) {} }
bool vm_is_at_reset(struct vm *v) { return (void)v, false; }
unsigned machine_in_flight(const struct machine *m) { return (void)m, 0; }
const char *cpu_state_get(struct vm *v, struct cpu_state *s) { return (void)v, (void)s, NULL; }

static void require(int promise)
{
    if (!promise)
        abort();
}

static void settle(void) { fake_disk_settle(&area); }

static void lay_over(void *at, size_t bytes, const uint8_t **data, size_t *size)
{
    for (unsigned changes = *size ? **data & 3 : 0; changes && *size >= 3; changes--, *data += 3, *size -= 3)
        ((uint8_t *)at)[((*data)[0] | (*data)[1] << 8) % bytes] = (*data)[2];
}

static void lay_system(unsigned i, const uint8_t **data, size_t *size)
{
    uint8_t *first = area.medium + (size_t)(NSS_FIRST_DATA + i * EACH) * NSS_BLOCK;
    struct nss_sector s = {.sequence = 1, .serial = i + 1, .kept = 1, .start = i * EACH, .pages = PAGES,
                           .definition = {.name = "A", .ranges = 1, .min_pages = 64, .range = {{0, 63, 1}}}};
    struct nss_index *index = (void *)(first + NSS_BLOCK);
    s.definition.name[0] = (char)('A' + i);
    lay_over(&s, sizeof s, data, size);
    nss_sector_seal(&s);
    memcpy(area.medium + (size_t)i * 2 * NSS_SECTOR, &s, sizeof s);
    lay_over(first, NSS_BLOCK, data, size);
    nss_head_seal((struct nss_head *)(void *)first, s.serial);
    index->count = PAGES;
    for (unsigned page = 0; page < PAGES; page++)
        index->entry[page] = (struct nss_entry){page * 5, 0xC71C0011}; /* a page of zeros */
    lay_over(index, 64, data, size);
    nss_index_seal(index, s.serial);
    lay_over(first + 2 * NSS_BLOCK, PAGES * NSS_BLOCK, data, size);
}

static unsigned told;
static void lost(const char *name, const char *why) { told += *name && *why; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *arena;
    const char *why = "";
    enum nss_outcome outcome;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, ARENA);
        frame_add(hpa((uint64_t)(uintptr_t)arena), ARENA);
        fake_disk_init(&area, (uint64_t)BLOCKS * (NSS_BLOCK / NSS_SECTOR), false);
    }
    memset(area.medium, 0, (size_t)BLOCKS * NSS_BLOCK);
    told = 0;
    for (unsigned i = 0; i < SYSTEMS; i++)
        lay_system(i, &data, &size);
    nss_start(&area.disk, lost);
    settle();
    require(!nss_reading() && nss_store_idle());
    unsigned damaged = 0;
    uint64_t held = 0;
    for (struct nss *n = NULL; (n = nss_next(n));) {
        require(n->class == NSS_ACTIVE || n->class == NSS_DAMAGED || n->class == NSS_PURGED);
        require(n->class != NSS_ACTIVE || (n->head && n->pages == n->storage.resident));
        damaged += n->class == NSS_DAMAGED;
        held += n->storage.account.frames;
    }
    require(told >= damaged && held <= frame_total() / NSS_PART);
    guest_storage_init(&vm.storage, 1 << 20, 0);
    require(guest_write(&vm.storage, gpa(0), "x", 2) == GUEST_OK);
    const struct nss_definition definition = {.name = "NEW", .ranges = 1, .min_pages = 1, .range = {{0, 0, 1}}};
    require(!nss_define(&definition, "X"));
    while ((outcome = nss_save(&vm, "NEW", "X", &why)) == NSS_MORE || outcome == NSS_BUSY)
        settle();
    require(outcome == NSS_SAVED || *why);
    for (struct nss *n = NULL; (n = nss_next(n));)
        while (n->class != NSS_PURGED && nss_purge(n->definition.name)) {}
    settle();
    guest_storage_free(&vm.storage);
    nss_forget();
    vm_bury();
    require(frame_available() == frame_total());
    return 0;
}
