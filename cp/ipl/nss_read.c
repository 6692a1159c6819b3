/* Reads a saved system from the volume, judging every block of it. */
#include "cp/ipl/nss_store.h"
#include "cp/ipl/nss_store_step.h"
#include "cp/time/work.h"
#include "lib/crc32.h"

void nss_end_reading(const char *why)
{
    struct nss *n = nss_store.nss;
    n->class = why ? NSS_DAMAGED : NSS_ACTIVE;
    n->why = why;
    if (why) {
        nss_dispose(n);
        nss_store.lost(n->definition.name, why);
    }
    nss_store_then(nss_store_look_for_more);
}

static const char bad[] = "a block of it is damaged", unreadable[] = "it cannot be read";
static void read_batch(void);

static void take_batch(void)
{
    struct nss *n = nss_store.nss;
    if (nss_store.status) {
        nss_end_reading(unreadable);
        return;
    }
    while (nss_store.at < nss_store.in_batch) {
        const struct nss_entry *e = &nss_index_block.entry[nss_store.page % NSS_INDEX];
        if (crc32_of(nss_segment[nss_store.at].data, NSS_BLOCK) != e->crc) {
            nss_end_reading(bad);
            return;
        }
        nss_store.at++, nss_store.page++;
        if (work_over())
            break;
    }
    if (nss_store.at < nss_store.in_batch)
        nss_store_then(take_batch);
    else if (nss_store.page == n->pages)
        nss_end_reading(NULL);
    else
        nss_store_then(read_batch);
}

static void take_index(void)
{
    uint32_t left = nss_store.nss->pages - nss_store.page, here = left < NSS_INDEX ? left : NSS_INDEX;
    if (nss_store.status)
        nss_end_reading(unreadable);
    else if (!nss_index_good(&nss_index_block, &nss_slots[nss_store.nss->slot].sector, &nss_store.last_page) ||
             nss_index_block.count != here)
        nss_end_reading(bad);
    else
        nss_store_then(read_batch);
}

static void read_index(void)
{
    uint32_t block = 1 + nss_store.page / NSS_INDEX;
    nss_store_move(DISK_READ, nss_store_sector_of(nss_store.nss, block), &nss_index_block, NSS_BLOCK, take_index);
}

/* Those that the index block at hand tells of. */
static void read_batch(void)
{
    struct nss *n = nss_store.nss;
    if (nss_store.page % NSS_INDEX == 0 && nss_store.at) {
        nss_store.at = 0;
        read_index();
        return;
    }
    nss_store.at = nss_store.in_batch = 0;
    for (uint32_t i = nss_store.page % NSS_INDEX; i < nss_index_block.count && nss_store.in_batch < NSS_BATCH; i++) {
        void *to = guest_private(&n->storage, gpa((uint64_t)nss_index_block.entry[i].page << PAGE_SHIFT), NULL);
        if (!to) {
            nss_end_reading("CP has no page frames for it");
            return;
        }
        nss_store_add_to_batch(to);
    }
    nss_store_submit_batch(DISK_READ, take_batch);
}

static void take_head(void)
{
    struct nss *n = nss_store.nss;
    if (nss_store.status)
        nss_end_reading(unreadable);
    else if (!nss_head_good(n->head, n->serial))
        nss_end_reading(bad);
    else if (!n->pages)
        nss_end_reading(NULL);
    else
        read_index();
}

void nss_read_system(void)
{
    struct nss *n = nss_store.nss;
    nss_store.page = nss_store.at = nss_store.in_batch = 0;
    nss_store.last_page = -1;
    n->storage.account.limit = nss_room() ? nss_room() : 1;
    n->head = frame_alloc(&n->storage.account);
    if (n->head)
        nss_store_move(DISK_READ, nss_store_sector_of(n, 0), n->head, NSS_BLOCK, take_head);
    else
        nss_end_reading("CP has no page frames for it");
}
