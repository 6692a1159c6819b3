#include "cp/audit/page.h"

#include <string.h>

#include "cp/credential/sha512.h"
#include "lib/crc32.h"
#include "lib/format.h"

static uint64_t next_record(const struct audit_page *p) { return p->first + p->records; }

static void chain(uint8_t digest[AUDIT_CHAIN], const char *line, size_t length)
{
    struct sha512 s;
    uint8_t whole[SHA512_BYTES];
    sha512_begin(&s);
    sha512_add(&s, digest, AUDIT_CHAIN);
    sha512_add(&s, line, length);
    sha512_end(&s, whole);
    memcpy(digest, whole, AUDIT_CHAIN);
}

void audit_page_first(struct audit_page *p)
{
    memset(p, 0, sizeof *p);
    memcpy(p->magic, AUDIT_MAGIC, sizeof p->magic);
    p->number = p->first = 1;
}

void audit_page_next(struct audit_page *p)
{
    p->number++;
    p->first = next_record(p);
    p->records = p->bytes = 0;
    memcpy(p->before, p->after, AUDIT_CHAIN);
    memset(p->text, 0, sizeof p->text);
}

bool audit_page_add(struct audit_page *p, const char *text, size_t length)
{
    char line[AUDIT_LINE + 1];
    size_t most = AUDIT_LINE - AUDIT_NUMBER - 2;
    length = length < most ? length : most;
    size_t whole = format_text(line, sizeof line, "%010llu %.*s\n", (unsigned long long)next_record(p), (int)length,
                               text);
    if (whole > sizeof p->text - p->bytes)
        return false;
    memcpy(p->text + p->bytes, line, whole);
    p->bytes += (uint32_t)whole;
    p->records++;
    chain(p->after, line, whole);
    return true;
}

static uint32_t crc_of(const struct audit_page *p)
{
    return crc32_of(&p->reserved, offsetof(struct audit_page, text) - offsetof(struct audit_page, reserved) + p->bytes);
}

void audit_page_seal(struct audit_page *p) { p->crc = crc_of(p); }

bool audit_page_sound(const struct audit_page *p)
{
    return !memcmp(p->magic, AUDIT_MAGIC, sizeof p->magic) && p->bytes <= sizeof p->text && p->crc == crc_of(p) &&
           p->number && p->number <= AUDIT_MOST && p->first && p->first <= (uint64_t)AUDIT_MOST * AUDIT_TEXT &&
           p->records <= p->bytes &&
           !p->bytes == !p->records;
}

bool audit_page_newer(const struct audit_page *a, const struct audit_page *b)
{
    return a->number != b->number ? a->number > b->number : a->revision > b->revision;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool begins_right(struct audit_walk *w, const struct audit_page *p)
{
    if (p->number != w->page)
        return false;
    if (w->begun)
        return p->first == w->record && !memcmp(p->before, w->chain, AUDIT_CHAIN);
    w->begun = true;
    w->record = p->first;
    memcpy(w->chain, p->before, AUDIT_CHAIN);
    return true;
}

static bool has_number(const char *line, size_t length, uint64_t record)
{
    char number[24];
    size_t digits = format_text(number, sizeof number, "%010llu ", (unsigned long long)record);
    return length >= digits && !memcmp(line, number, digits);
}

void audit_walk_over(struct audit_walk *w)
{
    w->page++;
    w->at = 0;
    w->begun = false;
}

static enum audit_step end_page(struct audit_walk *w, const struct audit_page *p)
{
    if (w->record != next_record(p) || memcmp(w->chain, p->after, AUDIT_CHAIN)) {
        audit_walk_over(w);
        return AUDIT_BROKEN;
    }
    w->page++;
    w->at = 0;
    return AUDIT_TURN;
}

enum audit_step audit_walk_on(struct audit_walk *w, const struct audit_page *p, const char **line, size_t *length)
{
    bool right = w->at || begins_right(w, p);
    if (right && w->at >= p->bytes)
        return end_page(w, p);
    const char *end = right ? memchr(p->text + w->at, '\n', p->bytes - w->at) : NULL;
    *line = p->text + w->at;
    *length = end ? (size_t)(end - *line) : 0;
    if (!end || *length > AUDIT_LINE || !has_number(*line, *length, w->record)) {
        audit_walk_over(w);
        return AUDIT_BROKEN;
    }
    chain(w->chain, *line, *length + 1);
    w->at += (uint32_t)*length + 1;
    w->record++;
    return AUDIT_RECORD;
}
