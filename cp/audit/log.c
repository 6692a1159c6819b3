/* In: what is to be noted. Out: pages on the medium. */
#include "cp/audit/log.h"

#include <string.h>

#include "cp/message/clean.h"
#include "cp/time/clock_text.h"
#include "cp/time/timer.h"
#include "cp/time/work.h"
#include "lib/format.h"

enum { QUEUE = 16384, SECTORS = AUDIT_PAGE / DISK_SECTOR_BYTES };

/* What is done next, or is under way. */
enum phase {
    BEFORE,
    ABSENT,
    READING, FIRST, SECOND, /* the two writings of the last page; then each is looked at */
    LOOKING, LOOKED,        /* at the page's place among the full ones */
    TAKING,                 /* lines from the queue */
    MAKING, WRITING, FLUSHING,
};

static struct {
    struct disk *area;
    void (*told)(enum audit_trouble);
    uint32_t blocks;
    enum phase phase;
    bool sound[2], damaged; /* at the start: the two writings; there was another log */
    bool full;              /* what is written is a full page at its place, after which the next begins */
    bool unwritten;         /* page has records that no writing had */
    bool failing;
    struct audit_page page; /* that grows */
    char queue[QUEUE];      /* lines, each with its \n */
    uint32_t queued, lost;  /* bytes; records that had no room */
} audit;

static _Alignas(AUDIT_PAGE) struct audit_page image[2]; /* at the start what is read; then [0] is what is written */

static struct disk_segment segment;
static struct disk_request request;

/* A page's digests and CRC take as long as a UART's sixteen bytes: each has a step of the event loop. */
static void step(struct work *);
static struct work work = {.step = step};

static void go_to(enum phase phase)
{
    audit.phase = phase;
    work_begin(&work);
}

/* What could not be written the next note tries again; what cannot be read must not be written over. */
static void fail(void)
{
    if (!audit.failing && audit.told)
        audit.told(AUDIT_FAILING);
    audit.failing = audit.unwritten = true;
    audit.phase = audit.phase < TAKING ? ABSENT : TAKING;
}

static void submit(enum phase phase, enum disk_op op, uint32_t block, uint32_t blocks)
{
    audit.phase = phase;
    segment = (struct disk_segment){image, blocks * AUDIT_PAGE};
    request.op = op;
    request.sector = (uint64_t)block * SECTORS;
    request.sectors = blocks * SECTORS;
    request.segment = &segment;
    request.segments = blocks ? 1 : 0;
    if (audit.area->submit(audit.area, &request))
        fail();
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static bool add(const char *line, uint32_t length)
{
    bool fits = audit_page_add(&audit.page, line, length);
    audit.unwritten |= fits;
    audit.full = !fits;
    return fits;
}

static void add_lost(void)
{
    char line[48];
    if (audit.lost && add(line, (uint32_t)format_text(line, sizeof line, "%u RECORDS HAD NO ROOM", audit.lost)))
        audit.lost = 0;
}

/* Lines from the queue into the page, as many as it holds and there is time for. True: there is more time than lines or
 * room. */
static bool take_queue(void)
{
    uint32_t taken = 0;
    audit.full = false;
    while (taken < audit.queued && !work_over()) {
        const char *line = audit.queue + taken, *end = memchr(line, '\n', audit.queued - taken);
        if (!add(line, (uint32_t)(end - line)))
            break;
        taken += (uint32_t)(end - line) + 1;
    }
    audit.queued -= taken;
    memmove(audit.queue, audit.queue + taken, audit.queued);
    if (!audit.queued)
        add_lost();
    return audit.full || !audit.queued;
}

static void take(void)
{
    if (!take_queue())
        go_to(TAKING);
    else if (audit.full || audit.unwritten)
        go_to(MAKING);
}

/* A full page goes to its place, with all of its records; then the next begins. */
static void make(void)
{
    audit.page.revision++;
    audit.unwritten = false;
    image[0] = audit.page;
    audit_page_seal(image);
    submit(WRITING, DISK_WRITE,
           audit.full ? audit_place(audit.page.number, audit.blocks) : audit.page.revision & 1, 1);
}

static void written(void)
{
    audit.failing = false;
    if (audit.full)
        audit_page_next(&audit.page);
    go_to(TAKING);
}

/* ---- the start -------------------------------------------------------------------------------------------------- */

static bool is_blank(const struct audit_page *p)
{
    const uint8_t *bytes = (const void *)p;
    return !bytes[0] && !memcmp(bytes, bytes + 1, sizeof *p - 1);
}

static bool begins_anew(void) { return !audit.sound[0] && !audit.sound[1]; }

static void look(void)
{
    bool second = audit.sound[1] && (!audit.sound[0] || audit_page_newer(image + 1, image));
    audit.damaged = begins_anew() && !is_blank(image) && !is_blank(image + 1); /* one alone: its only writing was cut */
    if (begins_anew())
        audit_page_first(&audit.page);
    else
        audit.page = image[second];
    submit(LOOKING, DISK_READ, audit_place(audit.page.number, audit.blocks), 1);
}

/* The page may have got its last records only when it was full and went to its place. And where a log begins there was
 * none. */
static void looked(void)
{
    bool full = audit_page_sound(image) && image->number == audit.page.number && audit_page_newer(image, &audit.page);
    audit.damaged |= begins_anew() && !is_blank(image);
    if (audit.damaged && audit.told)
        audit.told(AUDIT_DAMAGED);
    if (full && !begins_anew()) {
        audit.page = *image;
        audit_page_next(&audit.page);
    }
    go_to(TAKING);
}

static void step(struct work *w)
{
    (void)w;
    switch (audit.phase) {
    case FIRST: audit.sound[0] = audit_page_sound(image), go_to(SECOND); break;
    case SECOND: audit.sound[1] = audit_page_sound(image + 1), look(); break;
    case LOOKED: looked(); break;
    case TAKING: take(); break;
    case MAKING: make(); break;
    default: break;
    }
}

static void done(struct disk_request *r, int status)
{
    (void)r;
    if (status)
        fail();
    else if (audit.phase == WRITING)
        submit(FLUSHING, DISK_FLUSH, 0, 0);
    else if (audit.phase == FLUSHING)
        written();
    else
        go_to(audit.phase + 1);
}

void audit_begin(struct disk *area, void (*told)(enum audit_trouble))
{
    uint64_t blocks = area ? area->sectors / SECTORS : 0;
    audit.told = told;
    audit.area = area;
    audit.blocks = (uint32_t)blocks;
    audit.phase = ABSENT;
    audit.failing = audit.unwritten = false;
    if (blocks < AUDIT_LEAST) {
        audit.queued = audit.lost = 0;
        return;
    }
    request.done = done;
    submit(READING, DISK_READ, 0, 2);
}

/* ---- notes ------------------------------------------------------------------------------------------------------ */

void audit_note_v(const char *where, const char *who, const char *format, va_list args)
{
    char line[AUDIT_LINE], date[CLOCK_TEXT], time[CLOCK_TEXT];
    uint64_t now = clock_unix_us();
    if (audit.phase == ABSENT)
        return;
    size_t length = format_text(line, sizeof line, "%s %s %-5s %-8s ", clock_text_date(date, now),
                                clock_text_time(time, now), where, who);
    length += clean_line(line + length, sizeof line - length, format, args);
    if (length > QUEUE - audit.queued) {
        audit.lost++;
    } else {
        memcpy(audit.queue + audit.queued, line, length);
        audit.queued += (uint32_t)length;
    }
    if (audit.phase == TAKING)
        work_begin(&work);
}

void audit_note(const char *where, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    audit_note_v(where, who, format, args);
    va_end(args);
}

bool audit_kept(void) { return audit.phase >= TAKING; }

bool audit_settled(void)
{
    return audit.phase <= ABSENT ||
           (audit.phase == TAKING && (audit.failing || (!audit.unwritten && !audit.queued && !work.queued)));
}

const struct audit_page *audit_last(void) { return &audit.page; }

/* ---- reading ---------------------------------------------------------------------------------------------------- */

enum { PATIENCE_US = 20000 /* of who asked for the page that is there */ };

static struct {
    _Alignas(AUDIT_PAGE) struct audit_page page;
    struct disk_segment segment;
    struct disk_request request;
    uint64_t number, since; /* of what was asked for last, and when */
    bool busy, taken;
    int status;
} reader;

static void read_done(struct disk_request *r, int status)
{
    (void)r;
    reader.status = status;
    reader.busy = false;
}

static void begin_reading(uint64_t number)
{
    reader.number = number;
    reader.since = clock_now();
    reader.taken = false;
    reader.segment = (struct disk_segment){&reader.page, AUDIT_PAGE};
    reader.request = (struct disk_request){.op = DISK_READ,
                                           .sector = (uint64_t)audit_place(number, audit.blocks) * SECTORS,
                                           .sectors = SECTORS,
                                           .segment = &reader.segment,
                                           .segments = 1,
                                           .done = read_done};
    reader.busy = true;
    reader.status = audit.area->submit(audit.area, &reader.request);
    reader.busy = !reader.status;
}

const struct audit_page *audit_read(uint64_t number, bool *failed)
{
    bool others = reader.number != number || reader.taken;
    *failed = false;
    if (reader.busy)
        return NULL;
    if (others) {
        if (!reader.number || reader.taken || clock_now() - reader.since > clock_ticks(PATIENCE_US * 1000ull))
            begin_reading(number);
        return NULL;
    }
    reader.taken = true;
    *failed = reader.status != 0;
    return *failed ? NULL : &reader.page;
}

uint64_t audit_oldest(void)
{
    return audit_page_oldest(audit.page.number, audit.blocks);
}
