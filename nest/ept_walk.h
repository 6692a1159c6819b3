/* Walking L1's extended page table: pure, over a function that reads L1's storage.  SDM "The Extended Page Table
 * Mechanism". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ept_right { EPT_READ = 1, EPT_WRITE = 2, EPT_EXECUTE = 4 };
enum { EPT_LARGE = 1 << 7, EPT_ACCESSED = 1 << 8, EPT_DIRTY = 1 << 9 };
#define EPT_ADDRESS 0x000FFFFFFFFFF000ull
#define EPTP_ACCESSED_DIRTY (1ull << 6)

enum ept_status { EPT_MAPPED, EPT_VIOLATION, EPT_MISCONFIGURATION, EPT_UNREADABLE, EPT_LOG_FULL };

/* SDM "Page-Modification Logging": the pages whose dirty flag becomes 1, from the last entry of a page to its first. */
enum { EPT_LOG_ENTRIES = 512 };
struct ept_log {
    uint64_t address; /* of the page, L1's */
    uint16_t index;   /* of the entry written next; EPT_LOG_ENTRIES or more: the log is full */
};

struct ept_memory {
    void *context;
    bool (*read)(void *context, uint64_t gpa, void *to, size_t bytes);
    bool (*write)(void *context, uint64_t gpa, const void *from, size_t bytes);
    uint8_t physical_bits;
    bool execute_only; /* the capability is offered */
    struct ept_log *log; /* NULL: none is kept */
};

struct ept_mapping {
    uint64_t gpa;          /* L1's, of the very byte asked for (EPT_MAPPED) */
    uint64_t bytes;        /* size of the page: 4 KiB, 2 MiB or 1 GiB */
    uint8_t rights;        /* logical AND of all entries used, a missing one included: bits 3..5 of the qualification */
    bool dirty;            /* the leaf's dirty flag, after this access; true where there are no such flags */
    uint64_t leaf_gpa;     /* where the leaf entry is */
};

/* Translates gpa2 for an access of the kinds in `access` (enum ept_right).  EPT_MAPPED: allowed, and accessed and
 * dirty flags are set if eptp asks for them, and what they make dirty is logged.  EPT_VIOLATION: *mapping has the
 * rights.  EPT_UNREADABLE: a table is not in storage.  EPT_LOG_FULL: a flag would be set, and is not. */
enum ept_status ept_walk(const struct ept_memory *memory, uint64_t eptp, uint64_t gpa2, unsigned access,
                         struct ept_mapping *mapping);

/* Whether an entry that is present is one the manual allows at this level (1: page table .. 4: PML4). */
bool ept_entry_valid(const struct ept_memory *memory, uint64_t entry, unsigned level);
