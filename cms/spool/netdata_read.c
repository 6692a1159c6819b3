/* NETDATA from cards. In: cards nobody vouches for, made by any system: text units stand in any order, those CMS has no
 * use for are passed over, and what is wanting is done without. Out: records, and what their file is. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/spool/netdata.h"
#include "cms/spool/netdata_form.h"

enum { FILE_NUMBER = 4 };

static int damaged(const struct netdata_in *in) { return cms_message(in->source->module, MESSAGE_NETDATA); }

static bool is_named(const uint8_t *record, size_t length, const char *name)
{
    if (length < NETDATA_NAME)
        return false;
    for (unsigned i = 0; i < NETDATA_NAME; i++)
        if (edf_ascii_from_ebcdic(record[i]) != (uint8_t)name[i])
            return false;
    return true;
}

bool netdata_is(const uint8_t *card, size_t length)
{
    enum { BEGINS = NETDATA_FIRST | NETDATA_CONTROL };
    return length >= NETDATA_HEAD + NETDATA_NAME && (card[1] & BEGINS) == BEGINS &&
           is_named(card + NETDATA_HEAD, length - NETDATA_HEAD, "INMR01");
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

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

/* One that counts records is no part of any. */
static int get_segment(struct netdata_in *in, uint8_t head[NETDATA_HEAD], uint8_t data[NETDATA_SEGMENT])
{
    int rc;
    do {
        rc = get_bytes(in, head, NETDATA_HEAD);
        if (!rc && head[0] < NETDATA_HEAD)
            rc = damaged(in);
        if (!rc)
            rc = get_bytes(in, data, head[0] - NETDATA_HEAD);
    } while (!rc && head[1] & NETDATA_RECORD_NUMBER);
    return rc;
}

static int get_record(struct netdata_in *in)
{
    uint8_t head[NETDATA_HEAD], data[NETDATA_SEGMENT];
    bool first = true;
    in->length = 0;
    do {
        int rc = get_segment(in, head, data);
        if (rc)
            return rc;
        size_t n = head[0] - NETDATA_HEAD;
        bool control = head[1] & NETDATA_CONTROL;
        if (first != !!(head[1] & NETDATA_FIRST) || (!first && control != in->control) ||
            in->length + n > EDF_LRECL_MAX)
            return damaged(in);
        memcpy(in->record + in->length, data, n);
        in->length += n;
        in->control = control;
        first = false;
    } while (!(head[1] & NETDATA_LAST));
    return 0;
}

/* ---- text units -------------------------------------------------------------------------------------------------- */

/* Of up to 8 bytes, of which the last 4 count. */
static uint32_t number_at(const uint8_t *at, size_t bytes)
{
    uint32_t value = 0;
    while (bytes--)
        value = value << 8 | *at++;
    return value;
}

/* As what can be shown; `size` with the NUL. */
static void take_text(char *to, size_t size, const uint8_t *at, size_t length)
{
    size_t n = 0;
    for (; n < length && n < size - 1; n++) {
        char c = (char)edf_ascii_from_ebcdic(at[n]);
        to[n] = c < ' ' || c > '~' ? '.' : c;
    }
    while (n && to[n - 1] == ' ')
        n--;
    to[n] = 0;
}

/* Of a fileid: "A", name, type; of a data set: its last two qualifiers. */
static void take_name(struct netdata_facts *f, unsigned index, unsigned count, const uint8_t *at, size_t length)
{
    char text[10];
    take_text(text, sizeof text, at, length);
    for (char *c = text; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    bool good = edf_name_valid(text);
    if (count == 2 && index == 0 && strlen(text) == 1)
        return;
    if (index + 1 == count && count > 1 && (count > 2 || *f->name))
        strcpy(f->type, good ? text : "");
    else if (index + 2 == count || index + 1 == count)
        strcpy(f->name, good ? text : "");
}

/* "YYYYMMDDhhmmss...": as much of it as is known; a date without its day is none. */
static void take_date(struct edf_date *date, const uint8_t *at, size_t length)
{
    static const uint8_t digits[] = {4, 2, 2, 2, 2, 2};
    static const uint16_t least[] = {1900, 1, 1, 0, 0, 0}, most[] = {2099, 12, 31, 23, 59, 59};
    uint16_t part[6] = {0};
    for (unsigned i = 0; i < 6 && length >= digits[i]; at += digits[i], length -= digits[i], i++) {
        for (unsigned k = 0; k < digits[i]; k++)
            part[i] = (uint16_t)(part[i] * 10 + (at[k] & 0xf));
        if (part[i] < least[i] || part[i] > most[i])
            return;
    }
    if (part[2])
        *date = (struct edf_date){part[0],          (uint8_t)part[1], (uint8_t)part[2],
                                  (uint8_t)part[3], (uint8_t)part[4], (uint8_t)part[5]};
}

static void take_file_unit(struct netdata_facts *f, uint32_t key, unsigned index, unsigned count, const uint8_t *at,
                           size_t length)
{
    char text[2];
    switch (key) {
    case INMLRECL: f->lrecl = number_at(at, length); break;
    case INMRECFM:
        if (length >= 2)
            f->recfm = (number_at(at, 2) & (NETDATA_FIXED | NETDATA_VARIABLE)) == NETDATA_FIXED ? 'F' : 'V';
        break;
    case INMFFM:
        take_text(text, sizeof text, at, length);
        f->number = *text >= '0' && *text <= '6' ? *text : 0;
        break;
    case INMLCHG: take_date(&f->changed, at, length); break;
    case INMUTILN: take_text(f->utility, sizeof f->utility, at, length); break;
    case INMDSNAM: take_name(f, index, count, at, length); break;
    default: break;
    }
}

static void take_own_unit(struct netdata_in *in, uint32_t key, const uint8_t *at, size_t length)
{
    if (key == INMERRCD)
        take_text(in->receipt_says, sizeof in->receipt_says, at, length);
    else if (key == INMFTIME)
        take_text(in->time, sizeof in->time, at, length);
    else if (key == INMFACK && length <= sizeof in->ack_id)
        memcpy(in->ack_id, at, in->ack_id_length = length);
}

/* The text units of a control record from there on; false: they do not add up. */
static bool take_units(struct netdata_in *in, size_t at, struct netdata_facts *f)
{
    while (at < in->length) {
        if (in->length - at < 4)
            return false;
        uint32_t key = number_at(in->record + at, 2), count = number_at(in->record + at + 2, 2);
        at += 4;
        f->mail |= key == INMTERM;
        in->ack |= key == INMFACK;
        for (unsigned i = 0; i < count; i++) {
            size_t length = in->length - at < 2 ? SIZE_MAX : number_at(in->record + at, 2);
            if (length == SIZE_MAX || length > in->length - at - 2)
                return false;
            take_file_unit(f, key, i, count, in->record + at + 2, length);
            take_own_unit(in, key, in->record + at + 2, length);
            at += 2 + length;
        }
    }
    return true;
}

/* ---- control records --------------------------------------------------------------------------------------------- */

/* A file has a record for each program that its records went through. Names may be in any of them; the form in which
 * the records have come is in that of INMCOPY. */
static void merge(struct netdata_facts *f, const struct netdata_facts *one)
{
    bool copy = !strcmp(one->utility, "INMCOPY");
    if (*one->name)
        memcpy(f->name, one->name, sizeof f->name);
    if (*one->type)
        memcpy(f->type, one->type, sizeof f->type);
    if (one->number)
        f->number = one->number;
    if (one->changed.year)
        f->changed = one->changed;
    if (copy || !f->recfm) {
        f->recfm = one->recfm;
        f->lrecl = one->lrecl;
    }
    if (!copy)
        memcpy(f->utility, one->utility, sizeof f->utility);
    f->mail |= one->mail;
    f->said = true;
}

static int take_file(struct netdata_in *in)
{
    struct netdata_facts one = {0};
    if (in->length < NETDATA_NAME + FILE_NUMBER || !take_units(in, NETDATA_NAME + FILE_NUMBER, &one))
        return damaged(in);
    uint32_t number = number_at(in->record + NETDATA_NAME, FILE_NUMBER), least = in->at + in->over;
    number = number > least ? number - 1 : least;
    if (number >= NETDATA_FILES)
        return damaged(in);
    merge(&in->files[number], &one);
    return 0;
}

static int take_receipt(struct netdata_in *in)
{
    in->receipt = true;
    return take_units(in, NETDATA_NAME, &in->files[0]) ? 0 : damaged(in);
}

/* A form that is not said, or that CMS has no files of, is V: that takes any record. */
static int settle(const struct netdata_in *in, struct netdata_facts *f)
{
    if (!f->said)
        return damaged(in);
    if (f->recfm != 'F' || !f->lrecl || f->lrecl > EDF_LRECL_MAX) {
        f->recfm = 'V';
        f->lrecl = 0;
    }
    return 0;
}

/* From a control record, which has been read, to the records of a file, or to the end. */
static int pass_control(struct netdata_in *in)
{
    int rc = 0;
    while (!rc && in->control && !is_named(in->record, in->length, "INMR03") && !in->ended) {
        if (is_named(in->record, in->length, "INMR02"))
            rc = take_file(in);
        else if (is_named(in->record, in->length, "INMR07"))
            rc = take_receipt(in);
        else
            in->ended = is_named(in->record, in->length, "INMR06");
        if (!rc && !in->ended)
            rc = get_record(in);
    }
    in->held = !in->control;
    return rc;
}

int netdata_open(struct netdata_in *in, struct spool_source *source, const uint8_t *card, size_t length)
{
    *in = (struct netdata_in){.source = source, .card = card, .left = length,
                              .record = cms_heap_allocate(EDF_LRECL_MAX)};
    struct netdata_facts nobodys = {0};
    int rc = in->record ? get_record(in) : cms_message(source->module, MESSAGE_VIRTUAL_STORAGE);
    if (!rc && !take_units(in, NETDATA_NAME, &nobodys))
        rc = damaged(in);
    if (!rc)
        rc = pass_control(in);
    in->over = in->ended;
    if (!rc && in->ended && !in->receipt)
        rc = damaged(in);
    return rc || in->ended ? rc : settle(in, &in->files[0]);
}

int netdata_next(struct netdata_in *in)
{
    int rc = in->held ? 0 : get_record(in);
    in->held = false;
    if (rc || !in->control)
        return rc;
    in->over = true;
    if (!(rc = pass_control(in)) && !in->ended && in->at + 1 == NETDATA_FILES)
        rc = damaged(in);
    return rc;
}

int netdata_next_file(struct netdata_in *in)
{
    in->over = false;
    return settle(in, &in->files[++in->at]);
}
