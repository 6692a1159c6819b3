/* NETDATA. In: a file's records, or cards nobody vouches for. Out: cards, or records and what the file is. */
#include "cms/spool/netdata.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { FIRST = 0x80, LAST = 0x40, CONTROL = 0x20, SEGMENT = 253, HEAD = 2 };
enum unit { INMDSNAM = 0x0002, INMDSORG = 0x003c, INMLRECL = 0x0042, INMRECFM = 0x0049, INMTNODE = 0x1001,
            INMTUID = 0x1002, INMFNODE = 0x1011, INMFUID = 0x1012, INMFTIME = 0x1024, INMUTILN = 0x1028,
            INMSIZE = 0x102c, INMFFM = 0x102d };
enum { RECFM_F = 0x8000, RECFM_V = 0x4000, PHYSICAL_SEQUENTIAL = 0x4000, NAME = 6 };

/* ---- onto cards -------------------------------------------------------------------------------------------------- */

static int put_bytes(struct netdata_out *out, const uint8_t *bytes, size_t count)
{
    int rc = 0;
    while (!rc && count) {
        size_t room = CARD - out->used, n = count < room ? count : room;
        memcpy(out->card + out->used, bytes, n);
        out->used += n;
        bytes += n;
        count -= n;
        if (out->used == CARD) {
            rc = cms_spool_put(&out->sink, out->card, CARD, CARD);
            out->used = 0;
        }
    }
    return rc;
}

static int put_record(struct netdata_out *out, const uint8_t *record, size_t length, uint8_t kind)
{
    int rc = 0;
    size_t at = 0;
    do {
        size_t n = length - at < SEGMENT ? length - at : SEGMENT;
        unsigned part = (at ? 0 : FIRST) | (at + n == length ? LAST : 0);
        const uint8_t head[HEAD] = {(uint8_t)(n + HEAD), (uint8_t)(kind | part)};
        rc = put_bytes(out, head, HEAD);
        if (!rc)
            rc = put_bytes(out, record + at, n);
        at += n;
    } while (!rc && at < length);
    return rc;
}

int netdata_record(struct netdata_out *out, const uint8_t *record, size_t length)
{
    return put_record(out, record, length, 0);
}

/* A control record as it grows: a name, then text units, each a key and values with their lengths. */
struct text {
    uint8_t bytes[SEGMENT];
    size_t length;
};

static void add_number(struct text *t, uint32_t value, unsigned bytes)
{
    while (bytes--)
        t->bytes[t->length++] = (uint8_t)(value >> bytes * 8);
}

static void add_ebcdic(struct text *t, const char *text)
{
    while (*text)
        t->bytes[t->length++] = edf_ebcdic_from_ascii((uint8_t)*text++);
}

static void add_value(struct text *t, enum unit key, uint32_t value, unsigned bytes)
{
    add_number(t, key, 2);
    add_number(t, 1, 2);
    add_number(t, bytes, 2);
    add_number(t, value, bytes);
}

static void add_words(struct text *t, enum unit key, unsigned count, const char *const words[])
{
    add_number(t, key, 2);
    add_number(t, count, 2);
    for (unsigned i = 0; i < count; i++) {
        add_number(t, (uint32_t)strlen(words[i]), 2);
        add_ebcdic(t, words[i]);
    }
}

static void add_word(struct text *t, enum unit key, const char *word) { add_words(t, key, 1, &word); }

/* "19901121140531" */
static void add_time(struct text *t)
{
    struct clock_date now = cms_clock_split(cms_clock_now().unix_seconds);
    char text[32];
    format_text(text, sizeof text, "%04u%02u%02u%02u%02u%02u", (unsigned)now.year, (unsigned)now.month,
                (unsigned)now.day, (unsigned)now.hour, (unsigned)now.minute, (unsigned)now.second);
    add_word(t, INMFTIME, text);
}

static void add_file(struct text *t, const struct edf_file_facts *f)
{
    uint64_t size = (uint64_t)f->records * f->lrecl;
    add_value(t, INMDSORG, PHYSICAL_SEQUENTIAL, 2);
    add_value(t, INMLRECL, f->lrecl, 4);
    add_value(t, INMRECFM, f->recfm == 'F' ? RECFM_F : RECFM_V, 2);
    add_value(t, INMSIZE, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, 4);
}

int netdata_begin(struct netdata_out *out, const struct file_found *found, const char *to)
{
    const struct edf_file_facts *f = &found->facts;
    const char letter[] = {found->mode->letter, 0}, number[] = {f->mode_number, 0};
    struct text one = {0}, two = {0}, three = {0};
    out->used = 0;
    add_ebcdic(&one, "INMR01");
    add_value(&one, INMLRECL, CARD, 1);
    add_word(&one, INMFNODE, CMS_NODE);
    add_word(&one, INMFUID, cms_cp_user());
    add_word(&one, INMTNODE, CMS_NODE);
    add_word(&one, INMTUID, to);
    add_time(&one);
    add_ebcdic(&two, "INMR02");
    add_number(&two, 1, 4);
    add_word(&two, INMUTILN, "INMCOPY");
    add_file(&two, f);
    add_words(&two, INMDSNAM, 3, (const char *const[]){letter, f->name, f->type});
    add_word(&two, INMFFM, number);
    add_ebcdic(&three, "INMR03");
    add_file(&three, f);
    int rc = put_record(out, one.bytes, one.length, CONTROL);
    if (!rc)
        rc = put_record(out, two.bytes, two.length, CONTROL);
    return rc ? rc : put_record(out, three.bytes, three.length, CONTROL);
}

int netdata_end(struct netdata_out *out)
{
    struct text six = {0};
    add_ebcdic(&six, "INMR06");
    int rc = put_record(out, six.bytes, six.length, CONTROL);
    return rc || !out->used ? rc : cms_spool_put(&out->sink, out->card, out->used, CARD);
}

/* ---- from cards -------------------------------------------------------------------------------------------------- */

static bool is_named(const uint8_t *record, size_t length, const char *name)
{
    if (length < NAME)
        return false;
    for (unsigned i = 0; i < NAME; i++)
        if (edf_ascii_from_ebcdic(record[i]) != (uint8_t)name[i])
            return false;
    return true;
}

bool netdata_is(const uint8_t *card, size_t length)
{
    return length >= HEAD + NAME && card[1] == (FIRST | LAST | CONTROL) &&
           is_named(card + HEAD, length - HEAD, "INMR01");
}

static int damaged(const struct netdata_in *in) { return cms_message(in->source->module, MESSAGE_NETDATA); }

/* So many bytes of the cards, wherever one ends. */
static int get_bytes(struct netdata_in *in, uint8_t *to, size_t count)
{
    int rc = 0;
    while (!rc && count) {
        if (!in->left) {
            rc = cms_spool_next(in->source, &in->card, &in->left);
            if (!rc && !in->card)
                rc = damaged(in);
            continue;
        }
        size_t n = count < in->left ? count : in->left;
        memcpy(to, in->card, n);
        to += n;
        in->card += n;
        in->left -= n;
        count -= n;
    }
    return rc;
}

static int get_record(struct netdata_in *in)
{
    uint8_t head[HEAD] = {0};
    in->length = 0;
    do {
        int rc = get_bytes(in, head, HEAD);
        bool first = head[1] & FIRST;
        if (!rc && (head[0] < HEAD || first != !in->length || in->length + head[0] - HEAD > EDF_LRECL_MAX))
            rc = damaged(in);
        if (!rc)
            rc = get_bytes(in, in->record + in->length, head[0] - HEAD);
        if (rc)
            return rc;
        in->length += head[0] - HEAD;
        in->control = head[1] & CONTROL;
    } while (!(head[1] & LAST));
    return 0;
}

static uint32_t number_at(const uint8_t *at, size_t bytes)
{
    uint32_t value = 0;
    while (bytes--)
        value = value << 8 | *at++;
    return value;
}

static void take_word(char to[9], const uint8_t *at, size_t length)
{
    for (size_t i = 0; i < length && i < 8; i++)
        to[i] = (char)edf_ascii_from_ebcdic(at[i]);
    to[length < 8 ? length : 8] = 0;
}

static void take_value(struct netdata_facts *f, uint32_t key, unsigned index, const uint8_t *at, size_t length)
{
    if (key == INMLRECL && length <= 4)
        f->lrecl = number_at(at, length);
    else if (key == INMRECFM && length == 2)
        f->recfm = number_at(at, 2) & RECFM_F ? 'F' : 'V';
    else if (key == INMFFM && length == 1)
        f->number = (char)edf_ascii_from_ebcdic(*at);
    else if (key == INMDSNAM && index == 1)
        take_word(f->name, at, length);
    else if (key == INMDSNAM && index == 2)
        take_word(f->type, at, length);
}

/* The text units behind the record's name; false: they do not add up. */
static bool take_units(struct netdata_in *in, size_t at)
{
    while (at < in->length) {
        if (in->length - at < 4)
            return false;
        uint32_t key = number_at(in->record + at, 2), count = number_at(in->record + at + 2, 2);
        at += 4;
        for (unsigned i = 0; i < count; i++) {
            size_t length = in->length - at < 2 ? SIZE_MAX : number_at(in->record + at, 2);
            if (length == SIZE_MAX || length > in->length - at - 2)
                return false;
            take_value(&in->facts, key, i, in->record + at + 2, length);
            at += 2 + length;
        }
    }
    return true;
}

static bool facts_good(const struct netdata_facts *f)
{
    return edf_name_valid(f->name) && edf_name_valid(f->type) && f->recfm && f->lrecl <= EDF_LRECL_MAX &&
           (f->recfm == 'V' || f->lrecl) && (!f->number || (f->number >= '0' && f->number <= '6'));
}

int netdata_open(struct netdata_in *in, struct spool_source *source, const uint8_t *card, size_t length)
{
    *in = (struct netdata_in){.source = source, .card = card, .left = length,
                              .record = cms_heap_allocate(EDF_LRECL_MAX)};
    int rc = in->record ? get_record(in) : cms_message(source->module, MESSAGE_VIRTUAL_STORAGE);
    while (!rc && in->control && !is_named(in->record, in->length, "INMR03")) {
        bool two = is_named(in->record, in->length, "INMR02");
        if (two && (in->length < NAME + 4 || !take_units(in, NAME + 4)))
            return damaged(in);
        rc = get_record(in);
    }
    return rc || (in->control && facts_good(&in->facts)) ? rc : damaged(in);
}

int netdata_next(struct netdata_in *in)
{
    int rc = get_record(in);
    if (rc || !in->control)
        return rc;
    in->ended = is_named(in->record, in->length, "INMR06");
    return in->ended ? 0 : damaged(in);
}
