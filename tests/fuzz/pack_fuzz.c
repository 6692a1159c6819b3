/* Hostile packed files. The first byte chooses: the input is the file; or what stands behind a valid head; or records
 * to pack, which must come back. What is unpacked is packed again, and that must say the same. */
#include <stdlib.h>
#include <string.h>

#include "cms/file/pack.h"

enum { FILE_MAX = 1 << 18, RECORDS_READ = 64 };

struct bytes {
    uint8_t at[FILE_MAX];
    size_t used, read;
};

static struct bytes file, again;
static uint8_t record[EDF_LRECL_MAX];

static enum edf_status get(void *context, uint8_t block[PACK_LRECL])
{
    struct bytes *b = context;
    if (b->read == b->used)
        return EDF_END;
    memcpy(block, b->at + b->read, PACK_LRECL);
    b->read += PACK_LRECL;
    return EDF_OK;
}

static enum edf_status put(void *context, const uint8_t block[PACK_LRECL])
{
    struct bytes *b = context;
    if (b->used + PACK_LRECL > FILE_MAX)
        return EDF_FULL;
    memcpy(b->at + b->used, block, PACK_LRECL);
    b->used += PACK_LRECL;
    return EDF_OK;
}

static void fill(const uint8_t *data, size_t size)
{
    memcpy(file.at + file.used, data, size);
    file.used += size;
    size_t rest = (PACK_LRECL - file.used % PACK_LRECL) % PACK_LRECL;
    memset(file.at + file.used, 0, rest);
    file.used += rest;
}

/* Each record is as long as its first byte says, or the first record is if they are all alike. */
static void pack_records(const uint8_t *data, size_t size)
{
    struct packer p = {.put = put, .context = &file};
    uint32_t fixed = size ? data[0] + 1u : 1;
    const struct pack_form form = {fixed % 2 ? 'F' : 'V', size > 1 ? data[1] : ' ', fixed % 2 ? fixed : 256};
    pack_begin(&p, &form);
    while (size) {
        uint32_t length = form.recfm == 'F' ? fixed : *data + 1u;
        if (length > size)
            break;
        pack_record(&p, data, length);
        data += length, size -= length;
    }
    if (pack_end(&p))
        abort();
}

/* How many records there are; -1: it is wrong. */
static int unpack(struct bytes *b, struct unpacker *u, struct packer *p)
{
    uint32_t length;
    b->read = 0;
    u->get = get, u->context = b;
    enum unpack_result result = unpack_begin(u);
    if (!result && p)
        pack_begin(p, &u->form);
    for (int n = 0; !result && n < RECORDS_READ; n++) {
        result = unpack_record(u, record, &length);
        if (!result && (!length || length > u->form.lrecl))
            abort();
        if (!result && p)
            pack_record(p, record, length);
    }
    if (result == UNPACK_WRONG && !u->reason)
        abort();
    return result == UNPACK_END ? (int)u->records : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t head[] = {0, 'V', 'M', 'N', 'P', 'A', 'C', 'K', 1};
    struct unpacker u = {0}, second = {0};
    struct packer p = {.put = put, .context = &again};
    if (!size || size > FILE_MAX / 4)
        return 0;
    unsigned kind = *data % 3;
    file.used = again.used = 0;
    if (kind == 2)
        pack_records(data + 1, size - 1);
    if (kind == 1) {
        memcpy(file.at, head, sizeof head);
        file.used = sizeof head;
    }
    if (kind < 2)
        fill(data + 1, size - 1);
    int records = unpack(&file, &u, &p);
    if (kind == 2 && records < 0 && u.records < RECORDS_READ)
        abort();
    if (records < 0 || pack_end(&p))
        return 0;
    uint32_t crc = u.crc;
    if (unpack(&again, &second, NULL) != records || second.crc != crc || memcmp(&u.form, &second.form, sizeof u.form))
        abort();
    return 0;
}
