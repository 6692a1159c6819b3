/* Power cuts. For every sequence of up to three operations, the last one is cut at every point a device could be cut:
 * after its flushed writes have reached the disk, any subset of the sectors written since the last flush may have, too
 * (a sector is whole or not; no sector is written twice between flushes, so subsets cover all orders). Afterwards the
 * check must find nothing, and the disk must hold exactly the files of before or of after.
 *
 * Bounds: all subsets of sectors up to 8 of them; more than that, all subsets of whole blocks up to 6 blocks. Beyond:
 * every prefix, every suffix, each block alone, each block missing, each block torn in the middle either way with all
 * the others or none, and 24 random subsets of sectors. */
#include "tests/unit/fake/edf_state.h"
#include "tests/unit/fake/foreign.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SECTORS_MAX = 512 };

struct operation {
    const char *name;
    enum edf_status (*run)(struct edf_disk *disk);
};

static enum edf_status create_v(struct edf_disk *d) { return edf_put(d, "NEW", "FILE", 'V', 70, 30, 1); }
static enum edf_status create_f(struct edf_disk *d) { return edf_put(d, "FIXED", "FILE", 'F', 80, 9, 2); }
static enum edf_status replace(struct edf_disk *d) { return edf_put(d, "OLD", "FILE", 'V', 200, 12, 3); }
static enum edf_status append_v(struct edf_disk *d) { return edf_add(d, "OLD", "FILE", 'V', 90, 10, 4); }
static enum edf_status append_f(struct edf_disk *d) { return edf_add(d, "SQUARE", "FILE", 'F', 64, 11, 5); }
static enum edf_status erase(struct edf_disk *d) { return edf_erase(d, "OLD", "FILE"); }
static enum edf_status rename_file(struct edf_disk *d) { return edf_rename(d, "OLD", "FILE", "NEW", "FILE"); }
static enum edf_status erase_other(struct edf_disk *d) { return edf_erase(d, "SQUARE", "FILE"); }

static const struct operation operations[] = {
    {"create V", create_v}, {"create F", create_f}, {"replace", replace}, {"append V", append_v},
    {"append F", append_f}, {"erase", erase},       {"rename", rename_file}, {"erase other", erase_other},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* The writes since a flush, one sector each. */
struct epoch {
    uint64_t sector[SECTORS_MAX];
    const uint8_t *data[SECTORS_MAX];
    unsigned block[SECTORS_MAX]; /* which block of those written it belongs to */
    unsigned sectors, blocks;
};

struct cutting {
    struct minidisk *disk;
    struct epoch epoch;
    uint64_t before, after;
    unsigned long states;
    const char *what;
    uint32_t block_sectors;
    void (*go_on)(struct minidisk *disk); /* what must be possible after a cut; NULL: no more is asked */
};

static void collect(struct epoch *epoch, const struct minidisk_write *write, uint32_t block_sectors)
{
    for (uint32_t i = 0; i < write->count; i++) {
        assert_true(epoch->sectors < SECTORS_MAX);
        for (unsigned j = 0; j < epoch->sectors; j++)
            assert_true(epoch->sector[j] != write->sector + i);
        epoch->sector[epoch->sectors] = write->sector + i;
        epoch->data[epoch->sectors] = write->data + (size_t)i * EDF_SECTOR;
        epoch->block[epoch->sectors++] = epoch->blocks + i / block_sectors;
    }
    epoch->blocks += (write->count + block_sectors - 1) / block_sectors;
}

/* Cut here: the chosen sectors are on the disk. */
static void judge(struct cutting *c, const bool *chosen)
{
    static uint8_t saved[SECTORS_MAX][EDF_SECTOR];
    struct epoch *e = &c->epoch;
    for (unsigned i = 0; i < e->sectors; i++) {
        uint8_t *at = c->disk->bytes + e->sector[i] * EDF_SECTOR;
        memcpy(saved[i], at, EDF_SECTOR);
        if (chosen[i])
            memcpy(at, e->data[i], EDF_SECTOR);
    }
    uint64_t state = edf_state_of_device(c->disk);
    if (state != c->before && state != c->after)
        fail_msg("%s: after a cut the disk is %s", c->what, state ? "neither old nor new" : "damaged");
    c->states++;
    if (c->go_on)
        c->go_on(c->disk);
    for (unsigned i = 0; i < e->sectors; i++)
        memcpy(c->disk->bytes + e->sector[i] * EDF_SECTOR, saved[i], EDF_SECTOR);
}

static void judge_blocks(struct cutting *c, bool (*choose)(unsigned block, unsigned n), unsigned n)
{
    bool chosen[SECTORS_MAX];
    for (unsigned i = 0; i < c->epoch.sectors; i++)
        chosen[i] = choose(c->epoch.block[i], n);
    judge(c, chosen);
}

static bool is_bit(unsigned block, unsigned n) { return n >> block & 1; }
static bool is_below(unsigned block, unsigned n) { return block < n; }
static bool is_above(unsigned block, unsigned n) { return block >= n; }
static bool is_only(unsigned block, unsigned n) { return block == n; }
static bool is_other(unsigned block, unsigned n) { return block != n; }

static void tear(struct cutting *c, unsigned block, bool others, bool first_half)
{
    bool chosen[SECTORS_MAX];
    const struct epoch *e = &c->epoch;
    unsigned length = 0, seen = 0;
    for (unsigned i = 0; i < e->sectors; i++)
        length += e->block[i] == block;
    for (unsigned i = 0; i < e->sectors; i++)
        chosen[i] = e->block[i] == block ? (seen++ < length / 2) == first_half : others;
    judge(c, chosen);
}

static void cut_large_epoch(struct cutting *c)
{
    const struct epoch *e = &c->epoch;
    for (unsigned n = 0; n <= e->blocks; n++) {
        judge_blocks(c, is_below, n);
        judge_blocks(c, is_above, n);
    }
    for (unsigned n = 0; n < e->blocks; n++) {
        judge_blocks(c, is_only, n);
        judge_blocks(c, is_other, n);
    }
}

static void cut_torn(struct cutting *c)
{
    bool chosen[SECTORS_MAX];
    static uint32_t x = 12345;
    for (unsigned n = 0; n < c->epoch.blocks; n++)
        for (unsigned how = 0; how < 4; how++)
            tear(c, n, how & 1, how & 2);
    for (unsigned n = 0; n < 24; n++) {
        for (unsigned i = 0; i < c->epoch.sectors; i++)
            chosen[i] = (x = x * 1664525u + 1013904223u) >> 31;
        judge(c, chosen);
    }
}

static void cut_epoch(struct cutting *c)
{
    struct epoch *e = &c->epoch;
    bool chosen[SECTORS_MAX];
    for (unsigned subset = 0; e->sectors <= 8 && subset < 1u << e->sectors; subset++) {
        for (unsigned i = 0; i < e->sectors; i++)
            chosen[i] = subset >> i & 1;
        judge(c, chosen);
    }
    if (e->sectors > 8) {
        for (unsigned subset = 0; e->blocks <= 6 && subset < 1u << e->blocks; subset++)
            judge_blocks(c, is_bit, subset);
        if (e->blocks > 6)
            cut_large_epoch(c);
        cut_torn(c);
    }
    for (unsigned i = 0; i < e->sectors; i++)
        memcpy(c->disk->bytes + e->sector[i] * EDF_SECTOR, e->data[i], EDF_SECTOR);
    e->sectors = e->blocks = 0;
}

/* Plays the log over the image from before it. */
static void cut_everywhere(struct cutting *c)
{
    const struct minidisk *disk = c->disk;
    for (unsigned i = 0; i < disk->logged; i++) {
        if (disk->log[i].flush)
            cut_epoch(c);
        else
            collect(&c->epoch, &disk->log[i], c->block_sectors);
    }
    assert_int_equal(c->epoch.sectors, 0); /* every operation ends flushed */
}

static void run_cut(struct minidisk *disk, const struct operation *operation, void (*go_on)(struct minidisk *disk),
                    unsigned long *states)
{
    struct edf_disk *accessed = edf_access_or_die(disk, true);
    struct cutting c = {.disk = disk, .what = operation->name, .before = edf_state(accessed), .go_on = go_on};
    struct edf_disk_facts facts;
    edf_disk_query(accessed, &facts);
    c.block_sectors = facts.block_size / EDF_SECTOR;
    uint8_t *image = malloc(disk->size), *final = malloc(disk->size);
    memcpy(image, disk->bytes, disk->size);
    minidisk_record(disk, true);
    operation->run(accessed); /* EDF_NOT_FOUND and EDF_EXISTS are as good: nothing may change then */
    minidisk_record(disk, false);
    c.after = edf_state(accessed);
    edf_release(accessed);
    memcpy(final, disk->bytes, disk->size);
    memcpy(disk->bytes, image, disk->size);
    cut_everywhere(&c);
    assert_memory_equal(disk->bytes, final, disk->size);
    *states += c.states;
    free(image);
    free(final);
}

static void run_plain(struct minidisk *disk, const struct operation *operation)
{
    struct edf_disk *accessed = edf_access_or_die(disk, true);
    operation->run(accessed);
    edf_release(accessed);
}

/* Enough small files that the directory has pointer blocks where a block is 512 bytes. */
static void start(struct minidisk *disk, uint32_t block_size, uint32_t blocks, unsigned fillers)
{
    char name[9];
    minidisk_open(disk, (uint64_t)blocks * (block_size / EDF_SECTOR));
    assert_int_equal(edf_format(&disk->device, &disk->host, block_size, "CUT"), EDF_OK);
    struct edf_disk *accessed = edf_access_or_die(disk, true);
    for (unsigned i = 0; i < fillers; i++) {
        snprintf(name, sizeof name, "FILL%u", i % 1000);
        assert_int_equal(edf_put(accessed, name, "FILE", 'V', 10, 2, i), EDF_OK);
    }
    assert_int_equal(edf_put(accessed, "OLD", "FILE", 'V', 90, 25, 7), EDF_OK);
    assert_int_equal(edf_put(accessed, "SQUARE", "FILE", 'F', 64, 20, 8), EDF_OK);
    edf_release(accessed);
}

static void enumerate(uint32_t block_size, uint32_t blocks, unsigned fillers, unsigned depth)
{
    struct minidisk disk;
    unsigned long states = 0, sequences = 0, total = 1;
    start(&disk, block_size, blocks, fillers);
    uint8_t *origin = malloc(disk.size);
    memcpy(origin, disk.bytes, disk.size);
    for (unsigned length = 1; length <= depth; length++) {
        total *= OPERATIONS;
        for (unsigned long n = 0; n < total; n++, sequences++) {
            unsigned long rest = n;
            memcpy(disk.bytes, origin, disk.size);
            for (unsigned i = 1; i < length; i++, rest /= OPERATIONS)
                run_plain(&disk, &operations[rest % OPERATIONS]);
            run_cut(&disk, &operations[rest], NULL, &states);
        }
    }
    print_message("           block size %u, %u fillers: %lu sequences, %lu cuts\n", block_size, fillers, sequences,
                  states);
    free(origin);
    minidisk_close(&disk);
}

static void a_cut_leaves_old_or_new_on_512_byte_blocks_with_one_directory_block(void **state)
{
    (void)state;
    enumerate(512, 64, 2, 3);
}

static void a_cut_leaves_old_or_new_on_512_byte_blocks_with_directory_pointer_blocks(void **state)
{
    (void)state;
    enumerate(512, 80, 12, 2);
}

static void a_cut_leaves_old_or_new_when_the_directory_grows_and_shrinks_by_a_block(void **state)
{
    (void)state;
    enumerate(512, 64, 4, 2);
}

/* 4096 blocks of 512 bytes to a map block: here the map has two blocks and a pointer block. */
static void a_cut_leaves_old_or_new_when_the_map_has_pointer_blocks(void **state)
{
    (void)state;
    enumerate(512, 4200, 8, 1);
}

static void a_cut_leaves_old_or_new_on_4096_byte_blocks(void **state)
{
    (void)state;
    enumerate(4096, 40, 2, 2);
}

/* ---- disks that others filled to the last block ------------------------------------------------------------------ */

static enum edf_status erase_0(struct edf_disk *d) { return edf_erase(d, "F0", "FILE"); }
static enum edf_status erase_1(struct edf_disk *d) { return edf_erase(d, "F1", "FILE"); }
static enum edf_status erase_8(struct edf_disk *d) { return edf_erase(d, "F8", "FILE"); }
static enum edf_status erase_9(struct edf_disk *d) { return edf_erase(d, "F9", "FILE"); }
static enum edf_status add_file(struct edf_disk *d) { return edf_put(d, "NEW", "FILE", 'F', 100, 1, 1); }

static const struct operation erasures[] = {
    {"erase F0", erase_0}, {"erase F1", erase_1}, {"erase F8", erase_8}, {"erase F9", erase_9}, {"add", add_file}};
enum { ERASURES = sizeof erasures / sizeof erasures[0] };

/* Every file can be erased, all blocks come back, and the disk takes a file. */
static void empty_it(struct minidisk *disk)
{
    uint8_t *image = malloc(disk->size);
    memcpy(image, disk->bytes, disk->size);
    struct edf_disk *accessed = edf_access_or_die(disk, true);
    struct edf_file_facts file;
    struct edf_disk_facts facts;
    for (uint32_t position = 0; edf_next(accessed, &position, NULL, NULL, &file) == EDF_OK; position = 0)
        assert_int_equal(edf_erase(accessed, file.name, file.type), EDF_OK);
    edf_disk_query(accessed, &facts);
    assert_int_equal(facts.used, 6);
    assert_int_equal(add_file(accessed), EDF_OK);
    edf_release(accessed);
    assert_int_equal(edf_faults(disk, true), 0);
    memcpy(disk->bytes, image, disk->size);
    free(image);
}

static void empty_with_cuts(const struct foreign *made, unsigned depth)
{
    struct minidisk disk;
    unsigned long states = 0, sequences = 0, total = 1;
    assert_true(foreign_open(&disk, made));
    uint8_t *origin = malloc(disk.size);
    memcpy(origin, disk.bytes, disk.size);
    for (unsigned length = 1; length <= depth; length++) {
        total *= ERASURES;
        for (unsigned long n = 0; n < total; n++, sequences++) {
            unsigned long rest = n;
            memcpy(disk.bytes, origin, disk.size);
            for (unsigned i = 1; i < length; i++, rest /= ERASURES)
                run_plain(&disk, &erasures[rest % ERASURES]);
            run_cut(&disk, &erasures[rest], empty_it, &states);
        }
    }
    print_message("           full, block size %u, %u files: %lu sequences, %lu cuts\n", made->block_size, made->files,
                  sequences, states);
    free(origin);
    minidisk_close(&disk);
}

static void a_cut_while_a_full_disk_is_emptied_leaves_old_or_new(void **state)
{
    (void)state;
    empty_with_cuts(&(struct foreign){512, 30, 5, 2}, 3);   /* one directory block */
    empty_with_cuts(&(struct foreign){512, 60, 14, 2}, 3);  /* with pointer blocks */
    empty_with_cuts(&(struct foreign){512, 30, 16, 1}, 3);  /* whose files have too few blocks for a commit each */
    empty_with_cuts(&(struct foreign){4096, 40, 10, 2}, 2);
}

static void a_cut_while_formatting_leaves_no_cms_disk_or_an_empty_one(void **state)
{
    struct minidisk disk;
    (void)state;
    start(&disk, 1024, 64, 2);
    uint8_t *image = malloc(disk.size);
    memcpy(image, disk.bytes, disk.size);
    minidisk_record(&disk, true);
    assert_int_equal(edf_format(&disk.device, &disk.host, 4096, "FRESH"), EDF_OK);
    minidisk_record(&disk, false);
    memcpy(disk.bytes, image, disk.size);
    for (unsigned i = 0; i < disk.logged; i++) {
        struct edf_disk *accessed;
        struct edf_disk_facts facts;
        const struct minidisk_write *w = &disk.log[i];
        if (w->flush)
            continue;
        memcpy(disk.bytes + w->sector * EDF_SECTOR, w->data, (size_t)w->count * EDF_SECTOR);
        enum edf_status status = edf_access(&disk.device, &disk.host, false, &accessed, NULL);
        if (status == EDF_OK) {
            edf_disk_query(accessed, &facts);
            assert_int_equal(facts.files, 0);
            assert_string_equal(facts.volid, "FRESH");
            edf_release(accessed);
            assert_int_equal(edf_faults(&disk, true), 0);
        } else {
            assert_int_equal(status, EDF_NOT_CMS);
        }
    }
    free(image);
    minidisk_close(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_leaves_old_or_new_on_512_byte_blocks_with_one_directory_block),
        cmocka_unit_test(a_cut_leaves_old_or_new_on_512_byte_blocks_with_directory_pointer_blocks),
        cmocka_unit_test(a_cut_leaves_old_or_new_when_the_directory_grows_and_shrinks_by_a_block),
        cmocka_unit_test(a_cut_leaves_old_or_new_when_the_map_has_pointer_blocks),
        cmocka_unit_test(a_cut_leaves_old_or_new_on_4096_byte_blocks),
        cmocka_unit_test(a_cut_while_a_full_disk_is_emptied_leaves_old_or_new),
        cmocka_unit_test(a_cut_while_formatting_leaves_no_cms_disk_or_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
