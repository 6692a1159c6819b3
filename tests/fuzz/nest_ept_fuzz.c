/* The walk of a guest's extended page table over storage of any contents: it ends, reads and writes nothing outside,
 * and what it maps is allowed by the entries it used. */
#include <stdlib.h>
#include <string.h>

#include "nest/ept_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STORAGE = 1 << 16 };
static uint8_t storage[STORAGE];
static unsigned accesses;

static bool read_storage(void *context, uint64_t gpa, void *to, size_t bytes)
{
    (void)context;
    accesses++;
    if (gpa >= STORAGE || bytes > STORAGE - gpa)
        return false;
    memcpy(to, storage + gpa, bytes);
    return true;
}

static bool write_storage(void *context, uint64_t gpa, const void *from, size_t bytes)
{
    (void)context;
    accesses++;
    if (gpa >= STORAGE || bytes > STORAGE - gpa)
        return false;
    memcpy(storage + gpa, from, bytes);
    return true;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t head[3] = {0};
    struct ept_memory memory = {.read = read_storage, .write = write_storage};
    struct ept_mapping mapping;
    if (size < sizeof(head))
        return 0;
    memcpy(head, data, sizeof(head));
    data += sizeof(head), size -= sizeof(head);
    memset(storage, 0, sizeof(storage));
    /* entries, each with its place, so that a table needs few bytes of input */
    for (; size >= 10; data += 10, size -= 10) {
        uint64_t entry;
        memcpy(&entry, data + 2, sizeof(entry));
        memcpy(storage + ((data[0] | data[1] << 8) & ~7), &entry, sizeof(entry));
    }
    unsigned access = head[2] & 7;
    memory.physical_bits = (uint8_t)(32 + (head[2] >> 8) % 21);
    memory.execute_only = head[2] >> 16 & 1;
    accesses = 0;
    enum ept_status status = ept_walk(&memory, head[0], head[1], access, &mapping);
    require(accesses <= 8);
    if (status == EPT_MAPPED) {
        require((access & ~(unsigned)mapping.rights) == 0);
        require(mapping.gpa >> memory.physical_bits == 0);
        require((mapping.gpa ^ head[1]) % mapping.bytes == 0);
        require(!(head[0] & EPTP_ACCESSED_DIRTY) || !(access & EPT_WRITE) || mapping.dirty);
        struct ept_mapping again;
        require(ept_walk(&memory, head[0], head[1], access, &again) == EPT_MAPPED || (head[0] & EPTP_ACCESSED_DIRTY));
    }
    if (status == EPT_VIOLATION)
        require(mapping.rights == 0 || (access & ~(unsigned)mapping.rights));
    return 0;
}
