/* A hostile area for snapshots: whatever is on it, the minidisk is read and written, and what is said of snapshots is
 * true or refused. The bytes are laid over a head and a map whose sums are made right, and then are orders. */
#include <stdlib.h>
#include <string.h>

#include "cp/snapshot/snapshot.h"
#include "cp/storage/frame.h"
#include "tests/unit/fake/disk_work.h"

enum { START = 2, BLOCKS = 12, AREA = 20, AREA_BLOCKS = 40, VOLUME = 64, FRAMES = 256, BLOCK = SNAPSHOT_BLOCK };

static struct fake_disk volume;
static const struct directory_disk disk = {.vdev = 0x191, .start = START, .blocks = BLOCKS,
                                           .snapshots = {AREA, AREA_BLOCKS}};

static void require(int promise)
{
    if (!promise)
        abort();
}

static int ended;
static void done(struct disk_request *r, int status) { (void)r, ended = status; }

static int transfer(uint32_t view, enum disk_op op, uint64_t sector, uint8_t *data, uint32_t sectors)
{
    struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", view);
    struct disk_segment segment = {data, sectors * 512};
    struct disk_request r = {.op = op, .sector = sector, .sectors = sectors, .segment = &segment, .segments = 1,
                             .done = done};
    ended = 1;
    require(set != NULL);
    int refused = snapshot_submit(set, view, &r);
    fake_disk_settle(&volume);
    snapshot_close(set, view);
    require(refused || ended <= 0);
    return refused ? refused : ended;
}

/* Fields that are good until the bytes are laid over them. */
static void lay(void *at, size_t bytes, const uint8_t **data, size_t *size)
{
    for (unsigned changes = (*size ? (*data)[0] & 7 : 0); changes && *size >= 4; changes--, *data += 3, *size -= 3)
        ((uint8_t *)at)[((*data)[1] | (*data)[2] << 8) % bytes] = (*data)[3];
    if (*size)
        ++*data, --*size;
}

/* Whether the minidisk is to become something else at once. */
static bool lay_area(const uint8_t **data, size_t *size)
{
    struct snapshot_head head = {.stamp = 7, .disk_start = START, .disk_blocks = BLOCKS, .area_blocks = AREA_BLOCKS,
                                 .next = 9, .count = 3, .snapshot = {{.number = 2}, {.number = 4}, {.number = 7}}};
    uint8_t *area = volume.medium + (size_t)AREA * BLOCK;
    lay(&head, sizeof head, data, size);
    snapshot_head_seal(&head);
    memcpy(area, &head, sizeof head);
    for (uint32_t i = 0; i < SNAPSHOT_SECTORS; i++) {
        struct snapshot_map_sector m = {.index = i, .stamp = 7};
        for (unsigned c = 0; c < 16 && !i; c++)
            m.copy[c] = (struct snapshot_copy){c % BLOCKS, c & 8 ? (SNAPSHOT_DRAFT | 5) : 1 + c % 8};
        lay(&m, sizeof m, data, size);
        snapshot_map_seal(&m);
        memcpy(area + BLOCK + (size_t)i * 512, &m, sizeof m);
    }
    return head.restore != 0;
}

static void order(const uint8_t *bytes)
{
    struct snapshot_order o = {.deed = bytes[0] % (SNAPSHOT_ADOPT + 1), .number = bytes[1] % 12, .now = bytes[1]};
    struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", SNAPSHOT_ASKED);
    require(set != NULL);
    uint64_t id = snapshot_ask(set, &o);
    fake_disk_settle(&volume);
    snapshot_close(set, SNAPSHOT_ASKED);
    fake_disk_settle(&volume);
    const struct snapshot_answer *a = id ? snapshot_answered(id) : NULL;
    require(a && a->unused <= a->slots && a->head.count <= SNAPSHOTS);
    for (unsigned i = 0; a->result != SNAPSHOT_DAMAGED && i < a->head.count; i++)
        require(a->cost[i] <= a->slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *pool;
    static uint8_t buffer[BLOCKS * BLOCK], model[BLOCKS * BLOCK];
    if (!pool) {
        pool = aligned_alloc(BLOCK, (size_t)FRAMES * BLOCK);
        frame_add(frame_address(pool), (uint64_t)FRAMES * BLOCK);
    }
    fake_disk_init(&volume, VOLUME * 8, false);
    memset(model, 0, sizeof model);
    bool moved = lay_area(&data, &size); /* the minidisk became something that the area said */
    for (; size >= 3; data += 3, size -= 3) {
        uint32_t sector = data[1] % (BLOCKS * 8), sectors = 1 + data[2] % (BLOCKS * 8 - sector);
        if (data[0] & 0x80) {
            memset(buffer, data[0], sizeof buffer);
            if (!transfer(SNAPSHOT_LIVE, DISK_WRITE, sector, buffer, sectors))
                memcpy(model + (size_t)sector * 512, buffer, (size_t)sectors * 512);
        } else if (data[0] & 0x40) {
            transfer(data[1] & 1 ? 1 + data[2] % 10u : SNAPSHOT_DRAFT | data[2] % 12, data[0] & 1, sector, buffer,
                     sectors);
        } else {
            moved |= data[0] % (SNAPSHOT_ADOPT + 1) >= SNAPSHOT_RESTORE;
            order(data);
        }
    }
    int status = transfer(SNAPSHOT_LIVE, DISK_READ, 0, buffer, BLOCKS * 8);
    require(status == -EIO || (!status && (moved || !memcmp(buffer, model, sizeof model))));
    fake_disk_settle(&volume);
    require(snapshot_idle() && frame_cp_account.frames == 0);
    fake_disk_free(&volume);
    return 0;
}
