/* The CP volume's label and directory slots. In: the first blocks of a disk. Out: the directories on it, newest first.
 */
#include "cp/directory/volume.h"

#include <string.h>

#include "lib/crc32.h"

static const char *judge_label(const struct volume_label *label, uint64_t disk_blocks)
{
    if (memcmp(label->magic, VOLUME_LABEL_MAGIC, sizeof label->magic))
        return "no CP volume label";
    if (label->crc != crc32_of(label, offsetof(struct volume_label, crc)))
        return "volume label is damaged";
    if (label->version != VOLUME_VERSION)
        return "volume label is of another version";
    if (label->blocks < VOLUME_FIRST_MINIDISK || label->blocks > disk_blocks)
        return "volume is larger than its disk: the image is truncated";
    return NULL;
}

static const char *judge_slot(const struct volume_slot *slot)
{
    if (memcmp(slot->magic, VOLUME_SLOT_MAGIC, sizeof slot->magic))
        return "empty";
    if (slot->crc != crc32_of(slot, offsetof(struct volume_slot, crc)) || slot->bytes > VOLUME_DIRECTORY_MAX)
        return "its header is damaged";
    if (slot->blob_crc != crc32_of(slot + 1, slot->bytes))
        return "its contents are damaged";
    return NULL;
}

static void add_slot(struct volume_facts *facts, const struct volume_slot *slot, char letter)
{
    unsigned at = facts->blob[0] ? 1 : 0;
    if (at && slot->sequence > facts->sequence[0]) {
        facts->blob[1] = facts->blob[0], facts->bytes[1] = facts->bytes[0];
        facts->sequence[1] = facts->sequence[0], facts->slot[1] = facts->slot[0];
        at = 0;
    }
    facts->blob[at] = slot + 1;
    facts->bytes[at] = slot->bytes;
    facts->sequence[at] = slot->sequence;
    facts->slot[at] = letter;
}

const char *volume_examine(const void *head, uint64_t disk_blocks, struct volume_facts *facts)
{
    static const unsigned slot_block[2] = {VOLUME_SLOT_A, VOLUME_SLOT_B};
    const struct volume_label *label = head;
    const char *why = judge_label(label, disk_blocks);
    if (why)
        return why;
    memset(facts, 0, sizeof *facts);
    facts->blocks = label->blocks;
    memcpy(facts->volid, label->volid, sizeof label->volid);
    for (char *end = facts->volid + sizeof label->volid; end > facts->volid && end[-1] == ' ';)
        *--end = 0;
    for (unsigned i = 0; i < 2; i++) {
        const void *slot = (const uint8_t *)head + slot_block[i] * VOLUME_BLOCK;
        facts->slot_fault[i] = judge_slot(slot);
        if (!facts->slot_fault[i])
            add_slot(facts, slot, 'A' + i);
    }
    return NULL;
}

void volume_label_make(void *block, const char *volid, uint32_t blocks)
{
    struct volume_label *label = block;
    memset(block, 0, VOLUME_BLOCK);
    memcpy(label->magic, VOLUME_LABEL_MAGIC, sizeof label->magic);
    memset(label->volid, ' ', sizeof label->volid);
    memcpy(label->volid, volid, strnlen(volid, sizeof label->volid));
    label->version = VOLUME_VERSION;
    label->blocks = blocks;
    label->crc = crc32_of(label, offsetof(struct volume_label, crc));
}

void volume_slot_make(void *at, const void *blob, uint32_t bytes, uint64_t sequence)
{
    struct volume_slot *slot = at;
    memset(at, 0, VOLUME_SLOT_BLOCKS * VOLUME_BLOCK);
    memcpy(slot + 1, blob, bytes);
    volume_slot_seal(slot, bytes, crc32_of(blob, bytes), sequence);
}

void volume_slot_seal(struct volume_slot *slot, uint32_t bytes, uint32_t blob_crc, uint64_t sequence)
{
    memset(slot, 0, sizeof *slot);
    memcpy(slot->magic, VOLUME_SLOT_MAGIC, sizeof slot->magic);
    slot->sequence = sequence;
    slot->bytes = bytes;
    slot->blob_crc = blob_crc;
    slot->crc = crc32_of(slot, offsetof(struct volume_slot, crc));
}
