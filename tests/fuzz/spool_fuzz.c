/* A hostile spool area: whatever is on it, the table that is made of it keeps its promises, its files are read to an
 * end or an error, and new ones can be made beside them. The bytes are laid over sectors whose sums are made right. */
#include <stdlib.h>
#include <string.h>

#include "cp/spool/unit.h"
#include "lib/userid.h"
#include "tests/unit/fake/disk_work.h"

enum { DATA = 16, BLOCKS = SPOOL_FIRST_DATA + DATA, SLOTS = 6 };

static struct fake_disk area;
static struct spool_user alice;

static void nothing(void) {}
static void arrived(const struct spool_file *f, const struct spool_journey *j) { (void)f, (void)j; }

static void require(int promise)
{
    if (!promise)
        abort();
}

static void settle(void) { fake_disk_settle(&area); }

/* A file that is good until the bytes are laid over it. */
static void lay_slot(uint8_t *sector, unsigned slot, const uint8_t **data, size_t *size)
{
    struct spool_file f = {.sequence = slot, .id = slot + 1, .records = 1, .blocks = 2, .pieces = 1,
                           .spoolid = (uint16_t)(slot + 1), .state = SPOOL_KEPT, .class = 'A', .copies = 1,
                           .owner = "ALICE", .origin = "BOB", .piece = {{(uint16_t)(slot * 2), 2}}};
    for (unsigned changes = 4; changes && *size >= 3; changes--, *data += 3, *size -= 3)
        ((uint8_t *)&f)[((*data)[0] | (*data)[1] << 8) % sizeof f] = (*data)[2];
    spool_file_seal(&f);
    memcpy(sector, &f, sizeof f);
}

static void lay_block(uint8_t *block, uint64_t id, uint32_t index, const uint8_t **data, size_t *size)
{
    unsigned bytes = *size < 40 ? (unsigned)*size : 40;
    memcpy(block + sizeof(struct spool_block), *data, bytes);
    *data += bytes, *size -= bytes;
    spool_block_seal(block, id, index, bytes ? block[sizeof(struct spool_block) + bytes - 1] : 0, bytes);
}

static void read_all(unsigned spoolid)
{
    uint8_t bytes[SPOOL_BLOCK];
    struct spool_reading r = {.spoolid = spoolid};
    enum spool_io io;
    unsigned turns = 0;
    do {
        r.bytes = sizeof bytes;
        io = spool_read(&alice, &r, bytes);
        require(r.bytes <= sizeof bytes && turns++ < 10 * DATA);
        settle();
    } while (!r.end && (io == SPOOL_OK || io == SPOOL_BUSY));
}

static void check_table(void)
{
    for (enum spool_queue q = 0; q < SPOOL_QUEUES; q++)
        for (struct spool_file *f = spool_next(NULL, NULL, q, INT64_MIN); f; f = spool_next(NULL, NULL, q, f->order)) {
            require(f->queue == q && userid_is(f->owner, strlen(f->owner)) && f->blocks <= DATA);
            require(spool_find(f->owner, f->spoolid) == f);
            for (uint32_t i = 0; i < f->blocks; i++)
                require(spool_file_block(f, i) < DATA);
        }
}

static void write_beside(void)
{
    uint8_t record[] = {3, 0, 'a', 'b', 'c'};
    unsigned bytes = sizeof record;
    static struct spool_user bobs, *const bob = &bobs;
    spool_units_reset(bob, "BOB");
    if (spool_write(bob, SPOOL_PUN, record, &bytes) == SPOOL_OK) {
        spool_close(bob, SPOOL_PUN, &(struct spool_close){.name = "N", .type = "T", .to = "ALICE", .hold = 0});
        settle();
        require(spool_closed(bob, SPOOL_PUN) == SPOOL_DONE);
    }
    spool_units_close(bob); /* it may have had no room */
    settle();
    check_table();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *pool;
    if (!pool) {
        pool = aligned_alloc(PAGE_SIZE, 16 * PAGE_SIZE);
        frame_add(frame_address(pool), 16 * PAGE_SIZE);
    }
    fake_disk_init(&area, BLOCKS * 8, false);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        lay_slot(area.medium + (slot * 2 + (slot & 1)) * SPOOL_SECTOR, slot, &data, &size);
    for (unsigned i = 0; i < DATA; i++)
        lay_block(area.medium + (SPOOL_FIRST_DATA + i) * SPOOL_BLOCK, i / 2 + 1, i % 2, &data, &size);
    spool_units_reset(&alice, "ALICE");
    spool_start(&area.disk, nothing, arrived);
    settle();
    check_table();
    for (unsigned id = 0; id <= SLOTS; id++)
        read_all(id);
    spool_reader_close(&alice);
    write_beside();
    for (struct spool_file *f; (f = spool_next(NULL, NULL, SPOOL_RDR, INT64_MIN)); settle())
        spool_purge(f);
    require(spool_account.frames == 0);
    fake_disk_free(&area);
    return 0;
}
