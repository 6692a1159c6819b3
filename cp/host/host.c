/* Requests of the host. In: frames. Out: files of spool_host's, their records, and answers. */
#include "cp/host/host.h"

#include <stdarg.h>
#include <string.h>

#include "cp/audit/log.h"
#include "cp/directory/load.h"
#include "cp/host/frame.h"
#include "cp/message/level.h"
#include "cp/message/message.h"
#include "cp/spool/unit.h"
#include "cp/terminal/ring.h"
#include "cp/time/timer.h"
#include "cp/time/work.h"
#include "lib/format.h"

enum { AGAIN_US = 1000, WORDS = 5, NAME = 8, ROW = 120 };
enum { AT_ONCE = 1024, INPUT = 8192 /* bytes: a power of two, more than a frame */ };

static struct {
    struct line *line;
    struct ring input;
    struct frame request, answer;
    bool asked;           /* there is a request, which has no answer yet */
    bool judged;          /* it is a good one, in `words` */
    bool lost;            /* what came was none */
    unsigned sent;        /* bytes of the answer */
    bool known;           /* `answer` is one, which may be asked for again */
    unsigned taken;       /* of the request's records */
    uint64_t ticket;      /* of what the request has to wait for; 0: nothing yet */
    bool putting, ending; /* a file is open; and is being closed */
    bool reading;
    bool restarts;        /* somebody came or left: what was open is nobody's */
} host;

static void go_on(struct work *);
static struct work work = {.step = go_on};

static void go_on_later(struct timer *timer)
{
    (void)timer;
    work_begin(&work);
}

static struct timer again = {.expire = go_on_later};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static unsigned whole(const struct frame *f) { return FRAME_HEAD + f->header.length; }

static void send(void)
{
    const uint8_t *bytes = (const uint8_t *)&host.answer;
    if (host.known)
        host.sent += line_write(host.line, bytes + host.sent, whole(&host.answer) - host.sent);
}

static bool is_sent(void) { return !host.known || host.sent == whole(&host.answer); }

static void answer(unsigned length)
{
    host.answer.header.number = host.lost ? 0 : host.request.header.number;
    host.answer.header.length = (uint16_t)length;
    frame_seal(&host.answer);
    host.known = true;
    host.sent = 0;
    host.asked = host.judged = host.lost = false;
    host.request.got = host.taken = 0;
    host.ticket = 0;
    send();
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t length = format_text_v(host.answer.text, FRAME_TEXT, format, args);
    va_end(args);
    answer((unsigned)length);
}

#define host_error(module, number, ...) tell_error(module, number, (const char *const[MESSAGE_TEXTS]){__VA_ARGS__})
static void tell_error(const char *module, unsigned number, const char *const texts[MESSAGE_TEXTS])
{
    const struct message *m = message_find(number);
    char text[MESSAGE_BYTES];
    message_text(text, sizeof text, m, texts);
    say("ERROR HCP%s%03u%c %s", module, number, m->severity, text);
}

static void refuse(const char *why) { host_error("HST", 9087, why); }

/* Answers what is wrong with what is written; false: nothing is. */
static bool failed(enum spool_io io)
{
    switch (io) {
    case SPOOL_NO_ROOM: host_error("HST", 9086, SPOOL_HOST); return true;
    case SPOOL_LENGTH_BAD: refuse("no whole record of a length that may be"); return true;
    case SPOOL_BROKEN: host_error("HST", 9083, ""); return true;
    default: return false;
    }
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static struct words {
    unsigned count;
    char *word[WORDS]; /* "" beyond count */
    const char *data;  /* behind them */
    unsigned bytes;
} words;

/* Cuts up the request's first line, which ends with the frame if it has no end. */
static void cut(struct words *w)
{
    char *at = host.request.text, *end = at + host.request.header.length;
    char *line_end = memchr(at, '\n', (size_t)(end - at));
    *w = (struct words){.data = line_end ? line_end + 1 : end};
    w->bytes = (unsigned)(end - w->data);
    for (unsigned i = 0; i < WORDS; i++)
        w->word[i] = end; /* where a NUL is */
    line_end = line_end ? line_end : end;
    *line_end = 0;
    for (; at < line_end; at++) {
        if (*at == ' ')
            *at = 0;
        else if ((at == host.request.text || !at[-1]) && w->count < WORDS)
            w->word[w->count++] = at;
    }
}

/* -1: it is no number up to `most`. */
static int64_t number(const char *text, int64_t most)
{
    int64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= most; at++)
        value = value * 10 + (*at - '0');
    return at > text && !*at && value <= most ? value : -1;
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~' || (text[i] >= 'a' && text[i] <= 'z'))
            return false;
    return length && length <= NAME;
}

/* ---- PUT DATA END ------------------------------------------------------------------------------------------------ */

static void forget_open(void)
{
    if (host.putting && !host.ending)
        spool_close(&spool_host, SPOOL_RDR, &(struct spool_close){.name = "", .type = "", .to = "", .purge = true});
    if (host.reading)
        spool_reader_close(&spool_host);
    host.putting = host.ending = host.reading = false;
}

static struct {
    char to[9], name[9], type[9], class;
} put;

static bool do_put(const struct words *w)
{
    const struct user *to = directory_find(&directory, w->word[1]);
    const char *class = w->word[4];
    forget_open();
    if (!to)
        host_error("HST", 53, is_name(w->word[1]) ? w->word[1] : "That user");
    else if (!is_name(w->word[2]) || !is_name(w->word[3]))
        host_error("HST", 29, "");
    else if (strlen(class) != 1 || !((*class >= 'A' && *class <= 'Z') || (*class >= '0' && *class <= '9')))
        host_error("HST", 28, "");
    else {
        memcpy(put.to, to->id, sizeof put.to);
        format_text(put.name, sizeof put.name, "%s", w->word[2]);
        format_text(put.type, sizeof put.type, "%s", w->word[3]);
        put.class = *class;
        host.putting = true;
        say("OK");
    }
    return true;
}

/* A call takes some of the records; what it did not take, or an earlier file that is still being closed had to wait
 * for, comes with the next. */
static bool do_data(const struct words *w)
{
    unsigned bytes = w->bytes - host.taken;
    if (!host.putting) {
        refuse("DATA without PUT");
        return true;
    }
    enum spool_io io = bytes ? spool_write(&spool_host, SPOOL_RDR, w->data + host.taken, &bytes) : SPOOL_OK;
    host.taken += bytes;
    if (io == SPOOL_OK && host.taken == w->bytes)
        say("OK");
    else if (io != SPOOL_OK && failed(io))
        forget_open();
    else
        return false;
    return true;
}

static bool do_end(const struct words *w)
{
    struct spool_unit *unit = &spool_host.unit[SPOOL_RDR];
    (void)w;
    if (!host.putting) {
        refuse("END without PUT");
        return true;
    }
    if (!host.ending) {
        *unit = (struct spool_unit){.class = put.class, .copies = 1};
        struct spool_close how = {.name = put.name, .type = put.type, .to = put.to, .hold = -1,
                                  .now = clock_unix_us() / 1000000};
        host.ending = spool_close(&spool_host, SPOOL_RDR, &how);
        if (!host.ending)
            refuse("END of a file without records");
        return !host.ending;
    }
    enum spool_outcome outcome = spool_closed(&spool_host, SPOOL_RDR);
    if (outcome == SPOOL_PENDING)
        return false;
    host.putting = host.ending = false;
    if (outcome == SPOOL_FAILED) {
        host_error("HST", 9083, "");
        return true;
    }
    audit_note("HOST", "-", "PUT %s %s TO %s RDR %04u", put.name, put.type, put.to, unit->spoolid);
    say("OK %u", unit->spoolid);
    return true;
}

/* ---- LIST -------------------------------------------------------------------------------------------------------- */

static const char *word_of(const char *text) { return *text && !strchr(text, ' ') ? text : "-"; }

static unsigned put_row(char *to, size_t size, const struct spool_file *f)
{
    static const char *const queues[] = {[SPOOL_RDR] = "RDR", [SPOOL_PRT] = "PRT", [SPOOL_PUN] = "PUN"};
    return (unsigned)format_text(to, size, "%s %u %s %c %u %u %s %s %s %lu %s %s\n", f->owner, f->spoolid,
                                 queues[f->queue], f->class, (unsigned)f->records, f->copies,
                                 f->hold ? "HOLD" : "NOHOLD", f->keep ? "KEEP" : "NOKEEP", word_of(f->origin),
                                 (unsigned long)f->created, word_of(f->name), word_of(f->type));
}

/* Queue by queue, as many as there is time for. Who asks on says where: behind which queue and order, which is sent as
 * no negative number. */
static bool do_list(const struct words *w)
{
    static const int64_t shift = (int64_t)1 << 41;
    const char *owner = strcmp(w->word[1], "*") ? w->word[1] : NULL;
    int64_t queue = number(w->word[2], SPOOL_QUEUES - 1), behind = number(w->word[3], shift * 2);
    int64_t order = behind > 0 ? behind - shift : INT64_MIN;
    static char rows[FRAME_TEXT - ROW];
    unsigned used = 0;
    if (queue < 0 || behind < 0) {
        refuse("LIST without a place to begin");
        return true;
    }
    do {
        const struct spool_file *f = spool_next(owner, NULL, (enum spool_queue)queue, order);
        used += f ? put_row(rows + used, sizeof rows - used, f) : 0;
        order = f ? f->order : INT64_MIN;
        queue += !f;
    } while (queue < SPOOL_QUEUES && used + ROW <= sizeof rows && !work_over());
    if (queue == SPOOL_QUEUES)
        say("OK END\n%.*s", (int)used, rows);
    else
        say("OK MORE %u %ld\n%.*s", (unsigned)queue, order == INT64_MIN ? 0 : (long)(order + shift), (int)used, rows);
    return true;
}

/* ---- GET NEXT PURGE ---------------------------------------------------------------------------------------------- */

/* NULL: there is no such file, or no more the one that GET told of, which is answered. */
static struct spool_file *find(const struct words *w)
{
    int64_t spoolid = number(w->word[2], SPOOL_ID_MAX);
    struct spool_file *f = spoolid > 0 ? spool_find(w->word[1], (unsigned)spoolid) : NULL;
    if (f && *w->word[3] && number(w->word[3], INT64_MAX / 16) != (int64_t)f->id)
        f = NULL;
    char text[8];
    format_text(text, sizeof text, "%04u", spoolid > 0 ? (unsigned)spoolid : 0);
    if (spoolid <= 0)
        host_error("HST", 27, "");
    else if (!f)
        host_error("HST", 42, text);
    return f;
}

static bool do_get(const struct words *w)
{
    char row[ROW];
    struct spool_file *f = find(w);
    if (!f)
        return true;
    if (spool_look(&spool_host, f) != SPOOL_OK)
        return false;
    host.reading = true;
    audit_note("HOST", "-", "GET %s %04u", f->owner, f->spoolid);
    put_row(row, sizeof row, f);
    say("OK %lu\n%s", (unsigned long)f->id, row);
    return true;
}

static bool do_next(const struct words *w)
{
    static const char more[] = "OK MORE\n", end[] = "OK END\n";
    struct spool_reading r = {.bytes = FRAME_TEXT - sizeof more};
    char number[8];
    (void)w;
    enum spool_io io = host.reading ? spool_read(&spool_host, &r, host.answer.text + sizeof more - 1) : SPOOL_NONE;
    if (io == SPOOL_BUSY)
        return false;
    format_text(number, sizeof number, "%04u", r.spoolid);
    if (!host.reading)
        refuse("NEXT without GET");
    else if (io == SPOOL_NONE)
        host_error("HST", 42, "of the file that was being read");
    else if (io != SPOOL_OK)
        host_error("HST", 9082, number);
    else {
        unsigned head = (r.end ? sizeof end : sizeof more) - 1;
        memmove(host.answer.text + head, host.answer.text + sizeof more - 1, r.bytes);
        memcpy(host.answer.text, r.end ? end : more, head);
        answer(head + r.bytes);
    }
    if (io != SPOOL_OK || r.end)
        forget_open();
    return true;
}

static bool do_purge(const struct words *w)
{
    struct spool_file *f = host.ticket ? NULL : find(w);
    if (!f && !host.ticket)
        return true;
    if (f && spool_in_use(f)) {
        host_error("HST", 9085, w->word[2]);
        return true;
    }
    if (f) {
        audit_note("HOST", "-", "PURGE %s %04u", f->owner, f->spoolid);
        host.ticket = spool_purge(f);
    }
    enum spool_outcome outcome = spool_outcome(host.ticket);
    if (outcome == SPOOL_FAILED)
        host_error("HST", 9083, "");
    else if (outcome == SPOOL_DONE)
        say("OK");
    return outcome != SPOOL_PENDING;
}

static bool do_hello(const struct words *w)
{
    (void)w;
    forget_open();
    say("OK %s", CP_LEVEL);
    return true;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static const struct request {
    const char *word;
    bool (*obey)(const struct words *); /* false: not yet, it is to be called again */
} requests[] = {
    {"HELLO", do_hello}, {"PUT", do_put}, {"DATA", do_data}, {"END", do_end},
    {"LIST", do_list},   {"GET", do_get}, {"NEXT", do_next}, {"PURGE", do_purge},
};

static void obey(void)
{
    const struct request *r = requests, *last = requests + sizeof requests / sizeof *requests;
    const char *why = spool_obstacle();
    while (r < last && strcmp(r->word, words.word[0]))
        r++;
    if (r == last)
        refuse("unknown");
    else if (why && !spool_starts() && r->obey != do_hello)
        host_error("HST", 9080, why);
    else if (spool_starts() || !r->obey(&words))
        timer_arm(&again, clock_now() + clock_ticks(AGAIN_US * 1000ull));
}

/* What came is an answer's request again, or no frame, or a request. */
static void judge(void)
{
    if (host.lost || !frame_good(&host.request)) {
        refuse("no frame, or an altered one");
    } else if (host.known && host.request.header.number == host.answer.header.number) {
        host.asked = false;
        host.request.got = host.sent = 0;
        send();
    } else {
        cut(&words);
        host.judged = true;
    }
}

static void listen(void)
{
    for (unsigned n = 0; n < AT_ONCE && !host.asked && is_sent() && ring_used(&host.input); n++) {
        enum frame_taken taken = frame_take(&host.request, host.input.bytes[host.input.tail++ % INPUT]);
        host.lost = taken == FRAME_LOST;
        host.asked = taken != FRAME_MORE;
    }
    if (host.line->held && ring_room(&host.input) >= INPUT / 2)
        line_resume(host.line);
}

/* A bounded part of a request: to look at one takes as long as to do what it asks for. */
static void go_on(struct work *w)
{
    (void)w;
    if (host.restarts)
        forget_open();
    host.restarts = false;
    send();
    listen();
    if (host.judged)
        obey();
    else if (host.asked)
        judge();
    if (host.asked ? !again.armed : is_sent() && ring_used(&host.input))
        work_begin(&work);
}

/* ---- the line ---------------------------------------------------------------------------------------------------- */

static uint32_t room(struct line *line)
{
    (void)line;
    return ring_room(&host.input);
}

/* A line that cannot make the other end wait loses what comes too early: what is left is no frame, and answered so. */
static void take_input(struct line *line, uint8_t byte)
{
    if (room(line))
        ring_put(&host.input, byte);
    work_begin(&work);
}

static void go_on_sending(struct line *line)
{
    (void)line;
    work_begin(&work);
}

/* Perhaps while an answer is sent. */
static void take_carrier(struct line *line, bool there)
{
    (void)line, (void)there;
    host.asked = host.judged = host.known = host.lost = false;
    host.request.got = host.taken = 0;
    host.request.lost = false;
    host.input.tail = host.input.head;
    host.ticket = 0;
    host.restarts = true;
    work_begin(&work);
}

void host_start(struct line *line)
{
    static uint8_t input[INPUT];
    host.line = line;
    host.input = (struct ring){.bytes = input, .size = INPUT};
    line->input = take_input;
    line->ready = room;
    line->room = go_on_sending;
    line->carrier = take_carrier;
}
