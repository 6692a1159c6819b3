/* In: records, or blocks of a packed file. Out: the other. */
#include "cms/file/pack.h"

#include <string.h>

#include "lib/crc32.h"

enum { HEAD = 16, VERSION = 1, VERSION_AT = PACK_MAGIC, RECFM_AT = 9, PRINCIPAL_AT = 10, ZERO_AT = 11, LRECL_AT = 12 };
enum { END = 0, RECORD = 1 };
enum { PLAIN_MOST = 128, RUN_MOST = 63, PRINCIPAL = 0x80, PRINCIPAL_LONG = 0xBF, RUN = 0xC0, RUN_LONG = 0xFF };
enum { RUN_LEAST = 3, PRINCIPAL_LEAST = 2 }; /* a run that is shorter does not pay */

static const uint8_t magic[PACK_MAGIC] = {0, 'V', 'M', 'N', 'P', 'A', 'C', 'K'};

bool pack_begins(const void *bytes, size_t size)
{
    return size >= sizeof magic && !memcmp(bytes, magic, sizeof magic);
}

static uint32_t crc_of(uint32_t crc, const uint8_t *record, uint32_t length)
{
    const uint8_t two[] = {(uint8_t)length, (uint8_t)(length >> 8)};
    return crc32_more(crc32_more(crc, two, sizeof two), record, length);
}

/* ---- packing ----------------------------------------------------------------------------------------------------- */

static void put_block(struct packer *p)
{
    if (!p->status)
        p->status = p->put(p->context, p->block);
    p->used = 0;
}

static void put(struct packer *p, const uint8_t *bytes, uint32_t count)
{
    while (count) {
        uint32_t n = PACK_LRECL - p->used < count ? PACK_LRECL - p->used : count;
        memcpy(p->block + p->used, bytes, n);
        p->used += n, bytes += n, count -= n;
        if (p->used == PACK_LRECL)
            put_block(p);
    }
}

static void put_number(struct packer *p, uint32_t number, uint32_t bytes)
{
    const uint8_t little[] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                              (uint8_t)(number >> 24)};
    put(p, little, bytes);
}

static void put_plain(struct packer *p, const uint8_t *bytes, uint32_t count)
{
    while (count) {
        uint32_t n = count < PLAIN_MOST ? count : PLAIN_MOST;
        put_number(p, n - 1, 1);
        put(p, bytes, n);
        bytes += n, count -= n;
    }
}

static void put_run(struct packer *p, uint8_t byte, uint32_t count)
{
    bool principal = byte == p->form.principal, is_short = count <= RUN_MOST;
    uint32_t code = principal ? PRINCIPAL : RUN, more = principal ? PRINCIPAL_LONG : RUN_LONG;
    put_number(p, is_short ? code + count - 1 : more, 1);
    if (!is_short)
        put_number(p, count, 2);
    if (!principal)
        put(p, &byte, 1);
}

static uint32_t run_at(const uint8_t *bytes, uint32_t count)
{
    uint32_t n = 1;
    while (n < count && bytes[n] == *bytes)
        n++;
    return n;
}

static void put_pieces(struct packer *p, const uint8_t *bytes, uint32_t count)
{
    uint32_t plain = 0, run;
    for (uint32_t at = 0; at < count; at += run) {
        run = run_at(bytes + at, count - at);
        if (run < (bytes[at] == p->form.principal ? PRINCIPAL_LEAST : RUN_LEAST))
            continue;
        put_plain(p, bytes + plain, at - plain);
        put_run(p, bytes[at], run);
        plain = at + run;
    }
    put_plain(p, bytes + plain, count - plain);
}

void pack_begin(struct packer *p, const struct pack_form *form)
{
    p->form = *form;
    p->status = EDF_OK;
    p->records = p->crc = p->used = 0;
    put(p, magic, sizeof magic);
    put_number(p, VERSION, 1);
    put_number(p, (uint8_t)form->recfm, 1);
    put_number(p, form->principal, 1);
    put_number(p, 0, 1);
    put_number(p, form->lrecl, 4);
}

enum edf_status pack_record(struct packer *p, const uint8_t *record, uint32_t length)
{
    put_number(p, RECORD, 1);
    if (p->form.recfm == 'V')
        put_number(p, length, 2);
    put_pieces(p, record, length);
    p->crc = crc_of(p->crc, record, length);
    p->records++;
    return p->status;
}

enum edf_status pack_end(struct packer *p)
{
    put_number(p, END, 1);
    put_number(p, p->records, 4);
    put_number(p, p->crc, 4);
    if (p->used) {
        memset(p->block + p->used, 0, PACK_LRECL - p->used);
        put_block(p);
    }
    return p->status;
}

/* ---- unpacking --------------------------------------------------------------------------------------------------- */

static enum unpack_result wrong(struct unpacker *u, const char *reason)
{
    u->reason = reason;
    return UNPACK_WRONG;
}

static enum unpack_result get(struct unpacker *u, uint8_t *bytes, uint32_t count)
{
    while (count) {
        if (u->at == u->there) {
            u->status = u->get(u->context, u->block);
            if (u->status)
                return u->status == EDF_END ? wrong(u, "it ends too early") : UNPACK_READ;
            u->at = 0, u->there = PACK_LRECL;
        }
        uint32_t n = u->there - u->at < count ? u->there - u->at : count;
        memcpy(bytes, u->block + u->at, n);
        u->at += n, bytes += n, count -= n;
    }
    return UNPACK_OK;
}

static enum unpack_result get_number(struct unpacker *u, uint32_t bytes, uint32_t *number)
{
    uint8_t little[4] = {0};
    enum unpack_result result = get(u, little, bytes);
    *number = little[0] | (uint32_t)little[1] << 8 | (uint32_t)little[2] << 16 | (uint32_t)little[3] << 24;
    return result;
}

enum unpack_result unpack_begin(struct unpacker *u)
{
    uint8_t head[HEAD];
    u->reason = NULL;
    u->records = u->crc = u->at = u->there = 0;
    enum unpack_result result = get(u, head, sizeof head);
    if (result)
        return result == UNPACK_WRONG ? wrong(u, "it does not begin as packed files do") : result;
    if (!pack_begins(head, sizeof head))
        return wrong(u, "it does not begin as packed files do");
    if (head[VERSION_AT] != VERSION)
        return wrong(u, "it is of a later version");
    u->form.recfm = (char)head[RECFM_AT];
    u->form.principal = head[PRINCIPAL_AT];
    u->form.lrecl = head[LRECL_AT] | (uint32_t)head[LRECL_AT + 1] << 8 | (uint32_t)head[LRECL_AT + 2] << 16 |
                    (uint32_t)head[LRECL_AT + 3] << 24;
    if ((u->form.recfm != 'F' && u->form.recfm != 'V') || head[ZERO_AT] || u->form.lrecl > EDF_LRECL_MAX)
        return wrong(u, "its head is not valid");
    return UNPACK_OK;
}

/* How many bytes the piece behind this code makes; `plain` if they follow, else they are all *byte. */
static enum unpack_result read_piece(struct unpacker *u, uint8_t code, uint32_t *count, uint8_t *byte, bool *plain)
{
    enum unpack_result result = UNPACK_OK;
    *plain = code < PRINCIPAL;
    *byte = u->form.principal;
    if (code == PRINCIPAL_LONG || code == RUN_LONG)
        result = get_number(u, 2, count);
    else
        *count = (*plain ? code : code < RUN ? code - PRINCIPAL : code - RUN) + 1u;
    return !result && code >= RUN ? get(u, byte, 1) : result;
}

static enum unpack_result read_pieces(struct unpacker *u, uint8_t *record, uint32_t length)
{
    enum unpack_result result;
    for (uint32_t at = 0, count; at < length; at += count) {
        uint8_t code, byte;
        bool plain;
        if ((result = get(u, &code, 1)) || (result = read_piece(u, code, &count, &byte, &plain)))
            return result;
        if (!count || count > length - at)
            return wrong(u, "a piece does not fit its record");
        if (!plain)
            memset(record + at, byte, count);
        else if ((result = get(u, record + at, count)))
            return result;
    }
    return UNPACK_OK;
}

static enum unpack_result check_end(struct unpacker *u)
{
    uint32_t records, crc;
    uint8_t rest[PACK_LRECL];
    enum unpack_result result = get_number(u, 4, &records);
    if (!result)
        result = get_number(u, 4, &crc);
    if (result)
        return result;
    if (records != u->records || crc != u->crc)
        return wrong(u, "its records are not those that were packed");
    for (; u->at < u->there; u->at++)
        if (u->block[u->at])
            return wrong(u, "something stands behind its end");
    u->status = u->get(u->context, rest);
    return !u->status ? wrong(u, "something stands behind its end") : u->status == EDF_END ? UNPACK_END : UNPACK_READ;
}

enum unpack_result unpack_record(struct unpacker *u, uint8_t *record, uint32_t *length)
{
    uint32_t kind;
    enum unpack_result result = get_number(u, 1, &kind);
    if (result)
        return result;
    if (kind == END)
        return check_end(u);
    if (kind != RECORD)
        return wrong(u, "what should be a record is none");
    *length = u->form.lrecl;
    if (u->form.recfm == 'V' && (result = get_number(u, 2, length)))
        return result;
    if (!*length || *length > u->form.lrecl)
        return wrong(u, "a record's length is not valid");
    result = read_pieces(u, record, *length);
    if (!result) {
        u->crc = crc_of(u->crc, record, *length);
        u->records++;
    }
    return result;
}
