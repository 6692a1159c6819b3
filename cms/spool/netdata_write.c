/* NETDATA onto cards. In: a file and its records. Out: cards. */
#include "cms/spool/netdata.h"

#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/spool/netdata_form.h"
#include "lib/format.h"

enum { PHYSICAL_SEQUENTIAL = 0x4000 };

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
        size_t n = length - at < NETDATA_SEGMENT ? length - at : NETDATA_SEGMENT;
        unsigned part = (at ? 0 : NETDATA_FIRST) | (at + n == length ? NETDATA_LAST : 0);
        const uint8_t head[NETDATA_HEAD] = {(uint8_t)(n + NETDATA_HEAD), (uint8_t)(kind | part)};
        rc = put_bytes(out, head, NETDATA_HEAD);
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
    uint8_t bytes[NETDATA_SEGMENT];
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

static void add_value(struct text *t, enum netdata_unit key, uint32_t value, unsigned bytes)
{
    add_number(t, key, 2);
    add_number(t, 1, 2);
    add_number(t, bytes, 2);
    add_number(t, value, bytes);
}

static void add_words(struct text *t, enum netdata_unit key, unsigned count, const char *const words[])
{
    add_number(t, key, 2);
    add_number(t, count, 2);
    for (unsigned i = 0; i < count; i++) {
        add_number(t, (uint32_t)strlen(words[i]), 2);
        add_ebcdic(t, words[i]);
    }
}

static void add_word(struct text *t, enum netdata_unit key, const char *word) { add_words(t, key, 1, &word); }

/* "19901121140531" */
static void add_time(struct text *t, enum netdata_unit key, const struct edf_date *d)
{
    char text[32];
    format_text(text, sizeof text, "%04u%02u%02u%02u%02u%02u", d->year, d->month, d->day, d->hour, d->minute,
                d->second);
    add_word(t, key, text);
}

static void add_file(struct text *t, const struct edf_file_facts *f)
{
    uint64_t size = (uint64_t)f->records * f->lrecl;
    add_value(t, INMDSORG, PHYSICAL_SEQUENTIAL, 2);
    add_value(t, INMLRECL, f->lrecl, 4);
    add_value(t, INMRECFM, f->recfm == 'F' ? NETDATA_FIXED : NETDATA_VARIABLE, 2);
    add_value(t, INMSIZE, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, 4);
}

/* INMR01, but for its end. */
static void begin_header(struct text *t, const char *to, unsigned files)
{
    struct clock_date now = cms_clock_split(cms_clock_now().unix_seconds);
    const struct edf_date date = {(uint16_t)now.year,  (uint8_t)now.month,  (uint8_t)now.day,
                                  (uint8_t)now.hour,   (uint8_t)now.minute, (uint8_t)now.second};
    add_ebcdic(t, "INMR01");
    add_value(t, INMLRECL, CARD, 1);
    add_word(t, INMFNODE, CMS_NODE);
    add_word(t, INMFUID, cms_cp_user());
    add_word(t, INMTNODE, CMS_NODE);
    add_word(t, INMTUID, to);
    add_time(t, INMFTIME, &date);
    add_value(t, INMNUMF, files, 4);
}

static int put_control(struct netdata_out *out, const struct text *t)
{
    return put_record(out, t->bytes, t->length, NETDATA_CONTROL);
}

int netdata_begin(struct netdata_out *out, const struct file_found *found, const char *to, bool ack)
{
    const struct edf_file_facts *f = &found->facts;
    const char letter[] = {found->mode->letter, 0}, number[] = {f->mode_number, 0};
    struct text one = {0}, two = {0}, three = {0};
    out->used = 0;
    begin_header(&one, to, 1);
    if (ack)
        add_words(&one, INMFACK, 0, NULL);
    add_ebcdic(&two, "INMR02");
    add_number(&two, 1, 4);
    add_word(&two, INMUTILN, "INMCOPY");
    add_file(&two, f);
    add_words(&two, INMDSNAM, 3, (const char *const[]){letter, f->name, f->type});
    add_word(&two, INMFFM, number);
    add_time(&two, INMLCHG, &f->date);
    add_ebcdic(&three, "INMR03");
    add_file(&three, f);
    int rc = put_control(out, &one);
    if (!rc)
        rc = put_control(out, &two);
    return rc ? rc : put_control(out, &three);
}

int netdata_end(struct netdata_out *out)
{
    struct text six = {0};
    add_ebcdic(&six, "INMR06");
    int rc = put_control(out, &six);
    return rc || !out->used ? rc : cms_spool_put(&out->sink, out->card, out->used, CARD);
}

int netdata_receipt(struct netdata_out *out, const struct netdata_in *in, const char *to)
{
    const struct netdata_facts *f = &in->files[0];
    struct text one = {0}, seven = {0};
    out->used = 0;
    begin_header(&one, to, 0);
    add_ebcdic(&seven, "INMR07");
    add_word(&seven, INMFTIME, in->time);
    if (*f->name)
        add_words(&seven, INMDSNAM, 3, (const char *const[]){"A", f->name, f->type});
    else
        add_words(&seven, INMTERM, 0, NULL);
    add_number(&seven, INMFACK, 2);
    add_number(&seven, in->ack_id_length > 0, 2);
    if (in->ack_id_length) {
        add_number(&seven, (uint32_t)in->ack_id_length, 2);
        memcpy(seven.bytes + seven.length, in->ack_id, in->ack_id_length);
        seven.length += in->ack_id_length;
    }
    add_word(&seven, INMERRCD, "RECEIVED");
    int rc = put_control(out, &one);
    if (!rc)
        rc = put_control(out, &seven);
    return rc ? rc : netdata_end(out);
}
