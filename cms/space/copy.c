/* A program's storage, reached by its tables. */
#include <errno.h>
#include <string.h>

#include "cms/space/internal.h"

/* Where the address is, for reading, or for writing (and then the page is dirty); NULL: it cannot be. */
static char *reach(struct space *s, uint64_t address, bool write)
{
    uint64_t need = ENTRY_USER | (write ? ENTRY_WRITE : 0);
    do {
        uint64_t *entry = address < SPACE_TOP ? table_find(s, address) : NULL;
        if (entry && (*entry & need) == need) {
            if (write)
                *entry |= ENTRY_DIRTY;
            return (char *)entry_frame(*entry) + address % SPACE_PAGE;
        }
    } while (space_fault(s, address, write ? SPACE_WRITE : SPACE_READ) == SPACE_MENDED);
    return NULL;
}

static size_t in_page(uint64_t address, size_t bytes)
{
    size_t left = SPACE_PAGE - address % SPACE_PAGE;
    return bytes < left ? bytes : left;
}

int space_copy_in(struct space *s, void *to, uint64_t from, size_t bytes)
{
    for (size_t part; bytes; bytes -= part, from += part, to = (char *)to + part) {
        const char *at = reach(s, from, false);
        if (!at)
            return -EFAULT;
        part = in_page(from, bytes);
        memcpy(to, at, part);
    }
    return 0;
}

int space_copy_out(struct space *s, uint64_t to, const void *from, size_t bytes)
{
    for (size_t part; bytes; bytes -= part, to += part, from = (const char *)from + part) {
        char *at = reach(s, to, true);
        if (!at)
            return -EFAULT;
        part = in_page(to, bytes);
        memcpy(at, from, part);
    }
    return 0;
}

int space_clear(struct space *s, uint64_t to, size_t bytes)
{
    for (size_t part; bytes; bytes -= part, to += part) {
        char *at = reach(s, to, true);
        if (!at)
            return -EFAULT;
        part = in_page(to, bytes);
        memset(at, 0, part);
    }
    return 0;
}

int64_t space_copy_string(struct space *s, char *to, uint64_t from, size_t size)
{
    size_t done = 0;
    for (size_t part; done < size; done += part) {
        const char *at = reach(s, from + done, false);
        if (!at)
            return -EFAULT;
        part = in_page(from + done, size - done);
        size_t length = strnlen(at, part);
        memcpy(to + done, at, length < part ? length + 1 : part);
        if (length < part)
            return (int64_t)(done + length);
    }
    return -ENAMETOOLONG;
}

/* Shared storage is known by its frame, private storage by whose it is and where. */
uint32_t *space_word(struct space *s, uint64_t address, bool write, uint64_t *key)
{
    enum { ID_SHIFT = SPACE_TOP_BITS };
    static const uint64_t PRIVATE = 1ull << 63;
    uint32_t *word = address % sizeof *word ? NULL : (uint32_t *)reach(s, address, write);
    if (!word)
        return NULL;
    const struct region *r = region_at(s, address);
    *key = r && r->shared ? cms_physical(word) : PRIVATE | (uint64_t)s->id << ID_SHIFT | address;
    return word;
}
