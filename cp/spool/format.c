/* The spool's form on disk. In: sectors and blocks nobody vouches for. Out: yes or no. */
#include "cp/spool/format.h"

#include <string.h>

#include "lib/crc32.h"
#include "lib/userid.h"

static const char magic[] = "VMNSPOOL";
enum { BLOCK_MAGIC = 0x4b4c4253, BEFORE_SUM = 8 };

void spool_file_seal(struct spool_file *f)
{
    memcpy(f->magic, magic, sizeof f->magic);
    f->crc = crc32_of(f, offsetof(struct spool_file, crc));
}

static uint32_t block_sum(const void *block)
{
    return crc32_of((const uint8_t *)block + BEFORE_SUM, SPOOL_BLOCK - BEFORE_SUM);
}

void spool_block_seal(void *block, uint64_t id, uint32_t index, unsigned records, unsigned bytes)
{
    struct spool_block *b = block;
    *b = (struct spool_block){.magic = BLOCK_MAGIC, .id = id, .index = index, .records = (uint16_t)records,
                              .bytes = (uint16_t)bytes};
    memset((uint8_t *)(b + 1) + bytes, 0, SPOOL_PAYLOAD - bytes);
    b->crc = block_sum(b);
}

static bool is_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return length < size;
}

static bool is_user(const char *text, size_t size)
{
    return is_text(text, size) && userid_is(text, strlen(text));
}

static bool is_origin(const char *text, size_t size) { return is_user(text, size) || !strcmp(text, SPOOL_HOST); }

static bool pieces_good(const struct spool_file *f, uint32_t data_blocks)
{
    uint32_t blocks = 0;
    if (f->pieces > SPOOL_PIECES)
        return false;
    for (const struct spool_piece *p = f->piece; p < f->piece + f->pieces; p++) {
        if (!p->blocks || (uint32_t)p->start + p->blocks > data_blocks)
            return false;
        blocks += p->blocks;
    }
    return blocks == f->blocks;
}

bool spool_file_good(const struct spool_file *f, uint32_t data_blocks)
{
    if (memcmp(f->magic, magic, sizeof f->magic) || f->crc != crc32_of(f, offsetof(struct spool_file, crc)))
        return false;
    if (f->state == SPOOL_GONE)
        return true;
    bool letter = f->class >= 'A' && f->class <= 'Z', digit = f->class >= '0' && f->class <= '9';
    return f->state == SPOOL_KEPT && f->spoolid >= 1 && f->spoolid <= SPOOL_ID_MAX && f->queue < SPOOL_QUEUES &&
           f->device < SPOOL_QUEUES && (letter || digit) && f->copies >= 1 && is_user(f->owner, sizeof f->owner) &&
           is_origin(f->origin, sizeof f->origin) && is_text(f->name, sizeof f->name) &&
           is_text(f->type, sizeof f->type) && is_text(f->dist, sizeof f->dist) && is_text(f->tag, sizeof f->tag) &&
           pieces_good(f, data_blocks);
}

int spool_record_length(const void *at, size_t bytes)
{
    uint16_t length;
    if (bytes < sizeof length)
        return -1;
    memcpy(&length, at, sizeof length);
    return length <= SPOOL_RECORD_MAX && length <= bytes - sizeof length ? length : -1;
}

static bool records_good(const uint8_t *at, unsigned bytes, unsigned records)
{
    for (; records; records--) {
        int length = spool_record_length(at, bytes);
        if (length < 0)
            return false;
        at += SPOOL_LENGTH + length;
        bytes -= SPOOL_LENGTH + (unsigned)length;
    }
    return !bytes;
}

bool spool_block_good(const void *block, uint64_t id, uint32_t index)
{
    const struct spool_block *b = block;
    return b->magic == BLOCK_MAGIC && b->crc == block_sum(block) && b->id == id && b->index == index &&
           b->bytes <= SPOOL_PAYLOAD && records_good((const uint8_t *)(b + 1), b->bytes, b->records);
}

uint32_t spool_file_block(const struct spool_file *f, uint32_t index)
{
    const struct spool_piece *p = f->piece;
    while (index >= p->blocks)
        index -= p++->blocks;
    return p->start + index;
}
