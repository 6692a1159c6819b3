/* In: a file of the reader. Out: records of the files that are in it, and what the cards say of these. */
#include "cms/spool/incoming.h"

#include <string.h>

#include "cms/kernel/heap.h"

/* :READ  FN       FT       FM ... */
static bool read_header(const struct incoming *in, struct file_id *id)
{
    char text[CARD + 1];
    struct arguments words;
    size_t length = in->length < CARD ? in->length : CARD;
    memcpy(text, in->record, length);
    text[length] = 0;
    *id = (struct file_id){.letter = 0};
    if (strncmp(text, ":READ ", 6) || !cms_parse(text, &words) || words.count < 3 ||
        !edf_name_valid(words.operand[0].text) || !edf_name_valid(words.operand[1].text) ||
        !cms_file_mode_read(&words.operand[2], false, &id->letter, &id->number))
        return false;
    memcpy(id->name, words.operand[0].text, sizeof id->name);
    memcpy(id->type, words.operand[1].text, sizeof id->type);
    return true;
}

/* What was not may have lines of any length behind one of 80 bytes. */
static bool is_punched(unsigned spoolid)
{
    struct cms_spool_file file;
    return cms_spool_find(spoolid, &file) && file.device == CMS_PUNCH;
}

static int next_card(struct incoming *in)
{
    int rc = cms_spool_next(&in->source, &in->record, &in->length);
    in->more = !rc && in->record && in->decks && read_header(in, &in->next);
    if (in->more)
        in->record = NULL;
    return rc;
}

static int next_record(struct incoming *in)
{
    int rc = netdata_next(&in->netdata);
    in->record = rc || in->netdata.over ? NULL : in->netdata.record;
    in->length = in->netdata.length;
    in->more = !rc && in->netdata.over && !in->netdata.ended;
    return rc;
}

static void make_ascii(struct incoming *in)
{
    uint8_t *record = (uint8_t *)in->record; /* in a buffer of ours */
    for (size_t i = 0; i < in->length; i++)
        record[i] = edf_ascii_from_ebcdic(record[i]);
}

int incoming_go_on(struct incoming *in)
{
    int rc = in->is_netdata ? next_record(in) : next_card(in);
    if (!rc && in->record && in->ebcdic)
        make_ascii(in);
    return rc;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static int begin_netdata(struct incoming *in)
{
    const struct netdata_facts *f = netdata_facts(&in->netdata);
    in->id = (struct file_id){.number = f->number};
    memcpy(in->id.name, f->name, sizeof in->id.name);
    memcpy(in->id.type, f->type, sizeof in->id.type);
    in->recfm = f->recfm;
    in->lrecl = f->lrecl;
    return incoming_go_on(in);
}

static int begin_cards(struct incoming *in)
{
    bool cards = in->record && in->length == CARD && is_punched(in->source.read.spoolid);
    in->recfm = !in->record || cards ? 'F' : 'V';
    in->lrecl = CARD;
    return 0;
}

int incoming_next_file(struct incoming *in)
{
    if (in->is_netdata) {
        int failed = netdata_next_file(&in->netdata);
        return failed ? failed : begin_netdata(in);
    }
    in->id = in->next;
    int rc = incoming_go_on(in);
    return rc ? rc : begin_cards(in);
}

int incoming_open(struct incoming *in, const char *module, unsigned spoolid, struct incoming_how how)
{
    *in = (struct incoming){.recfm = 'F', .lrecl = CARD};
    int rc = cms_spool_open(&in->source, module, spoolid);
    if (!rc)
        rc = cms_spool_next(&in->source, &in->record, &in->length);
    if (rc || !in->record)
        return rc;
    in->ebcdic = how.ebcdic;
    in->decks = how.decks && is_punched(in->source.read.spoolid);
    if (how.decode && netdata_is(in->record, in->length)) {
        in->is_netdata = true;
        rc = netdata_open(&in->netdata, &in->source, in->record, in->length);
        in->record = NULL;
        return rc || in->netdata.ended ? rc : begin_netdata(in);
    }
    if (read_header(in, &in->next))
        return incoming_next_file(in);
    if (in->ebcdic)
        make_ascii(in);
    return begin_cards(in);
}

void incoming_forget(struct incoming *in)
{
    cms_heap_free(in->netdata.record);
    cms_heap_free(in->source.records);
}
