/* The audit log on the volume. A record is a line of text that begins with its number; records are chained: what stands
 * for the first n of them is a digest of the n-th line behind that of those before, so that a record altered, taken out
 * or put in makes every later digest another.
 *
 *   blocks 0, 1     the page that grows, in each of them by turns: a cut while one is written leaves the other
 *   blocks 2 ...    full pages, page n at block 2 + (n - 1) modulo how many there are: the oldest gives way
 *
 * Numbers are little-endian. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUDIT_PAGE = 4096, AUDIT_CHAIN = 32 /* bytes of SHA-512 */, AUDIT_LINE = 240, /* with its number and its \n */
    AUDIT_NUMBER = 10, /* digits, and a blank */
    AUDIT_LEAST = 4,   /* blocks of an area */
    AUDIT_MOST = INT32_MAX, /* pages that a log may ever have had: counting on reaches no end of a number */
    AUDIT_TEXT = AUDIT_PAGE - 112,
};
#define AUDIT_MAGIC "VMNAUDIT"

struct audit_page {
    char magic[8];
    uint32_t crc; /* from the next field to the last byte of the records */
    uint32_t reserved;
    uint64_t number;   /* of the page, from 1 */
    uint64_t revision; /* counts its writings while it grows: the greater one is the newer */
    uint64_t first;    /* number of its first record */
    uint32_t records, bytes;
    uint8_t before[AUDIT_CHAIN]; /* stands for all records before its first */
    uint8_t after[AUDIT_CHAIN];  /* and for all up to its last */
    char text[AUDIT_TEXT];
};
_Static_assert(sizeof(struct audit_page) == AUDIT_PAGE, "on disk");

static inline uint32_t audit_place(uint64_t number, uint32_t blocks)
{
    return 2 + (uint32_t)((number - 1) % (blocks - 2));
}

/* Of the full pages while page `last` grows: what is at its place may be half written over. */
static inline uint64_t audit_page_oldest(uint64_t last, uint32_t blocks)
{
    uint64_t kept = blocks - 3;
    return last > kept ? last - kept : 1;
}

void audit_page_first(struct audit_page *); /* of a log that begins, without records */
void audit_page_next(struct audit_page *);  /* makes of a page the one behind it, without records */

/* Puts a record's text behind the others: its number before it, \n behind it. False: there is no room. */
bool audit_page_add(struct audit_page *, const char *text, size_t length);

void audit_page_seal(struct audit_page *); /* before it is written: the CRC */

/* Whether it is a page as it was written, whoever wrote it: magic, CRC, and no number out of its bounds. */
bool audit_page_sound(const struct audit_page *);

bool audit_page_newer(const struct audit_page *, const struct audit_page *than); /* both sound */

/* A walk along the records, from page to page, which trusts nothing but the place it begins at. */
struct audit_walk {
    uint64_t page, record;      /* that come next */
    uint32_t at;                /* where in the page's text */
    bool begun;                 /* else the next page says what the chain up to it is */
    uint8_t chain[AUDIT_CHAIN]; /* of all records so far */
};

enum audit_step {
    AUDIT_RECORD, /* *line is one, of *length bytes without its \n */
    AUDIT_TURN,   /* the page's records are done: the walk goes on in the one behind it */
    AUDIT_BROKEN, /* this is not what was written behind what came before: nothing more of this page can be told */
};

/* The next record of page w->page. After BROKEN the walk goes on in the page behind, anew.
 * @pre the page is sound */
enum audit_step audit_walk_on(struct audit_walk *, const struct audit_page *, const char **line, size_t *length);
/* Page w->page is not there, or not sound: as after BROKEN. */
void audit_walk_over(struct audit_walk *);
