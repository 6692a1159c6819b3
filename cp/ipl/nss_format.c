/* The form of saved systems on disk: sealing and judging it. */
#include "cp/ipl/nss_format.h"

#include <stddef.h>
#include <string.h>

#include "cp/directory/directory.h"
#include "lib/crc32.h"

static const char magic[8] = "VMNNSS1";
enum { HEAD_MAGIC = 0x4853534e };

void nss_sector_seal(struct nss_sector *s)
{
    memcpy(s->magic, magic, sizeof magic);
    s->crc = crc32_of(s, offsetof(struct nss_sector, crc));
}

static uint32_t crc_behind(const void *block)
{
    return crc32_of((const char *)block + sizeof(uint32_t), NSS_BLOCK - sizeof(uint32_t));
}

void nss_head_seal(struct nss_head *h, uint64_t serial)
{
    h->magic = HEAD_MAGIC;
    h->serial = serial;
    h->crc = crc_behind(h);
}

void nss_index_seal(struct nss_index *i, uint64_t serial)
{
    i->serial = serial;
    i->crc = crc_behind(i);
}

bool nss_head_good(const struct nss_head *h, uint64_t serial)
{
    return h->magic == HEAD_MAGIC && h->serial == serial && h->crc == crc_behind(h);
}

static bool overlap(const struct nss_range *a, const struct nss_range *b)
{
    return a->first <= b->last && b->first <= a->last;
}

const char *nss_definition_wrong(const struct nss_definition *d)
{
    if (!directory_name_valid(d->name, strnlen(d->name, sizeof d->name)))
        return "its name cannot be typed";
    if (!d->ranges || d->ranges > NSS_RANGES)
        return "it has no pages, or too many ranges";
    for (unsigned i = 0; i < d->ranges; i++) {
        if (d->range[i].first > d->range[i].last || d->range[i].last >= NSS_PAGE_MAX)
            return "a range is none, or reaches beyond page BFFFF";
        for (unsigned j = 0; j < i; j++)
            if (overlap(&d->range[i], &d->range[j]))
                return "ranges overlap";
    }
    return d->min_pages < nss_end(d) ? "MINSIZE is less than its pages take" : NULL;
}

uint32_t nss_end(const struct nss_definition *d)
{
    uint32_t end = 0;
    for (unsigned i = 0; i < d->ranges; i++)
        if (d->range[i].last >= end)
            end = d->range[i].last + 1;
    return end;
}

bool nss_saves(const struct nss_definition *d, uint32_t page)
{
    for (unsigned i = 0; i < d->ranges; i++)
        if (page >= d->range[i].first && page <= d->range[i].last)
            return d->range[i].saved;
    return false;
}

bool nss_sector_good(const struct nss_sector *s, uint32_t data_blocks)
{
    if (memcmp(s->magic, magic, sizeof magic) || s->crc != crc32_of(s, offsetof(struct nss_sector, crc)))
        return false;
    if (!s->kept)
        return true;
    return !nss_definition_wrong(&s->definition) && !s->by[sizeof s->by - 1] && s->pages < NSS_PAGE_MAX &&
           s->start < data_blocks && nss_blocks(s->pages) <= data_blocks - s->start;
}

bool nss_index_good(const struct nss_index *index, const struct nss_sector *s, int64_t *last)
{
    if (index->serial != s->serial || !index->count || index->count > NSS_INDEX || index->crc != crc_behind(index))
        return false;
    for (unsigned i = 0; i < index->count; i++) {
        uint32_t page = index->entry[i].page;
        if (page <= *last || !nss_saves(&s->definition, page))
            return false;
        *last = page;
    }
    return true;
}
