/* A session's output. In: CP's words and the machine's bytes. Out: one queue, in order, drained by the terminal's line.
 * CP's words begin a line of their own; the unfinished line they broke is shown again after them. */
#include "cp/session/output.h"

#include <string.h>

#include "cp/message/clean.h"
#include "cp/session/again.h"
#include "cp/session/turn.h"
#include "cp/storage/frame.h"
#include "cp/terminal/terminal.h"
#include "lib/plain.h"

void output_begin(struct output *o, uint8_t *queue, uint32_t bytes)
{
    *o = (struct output){.ring = {.bytes = queue, .size = bytes}};
}

static uint8_t ring_before(const struct ring *r, uint32_t at) { return r->bytes[(at - 1) & (r->size - 1)]; }

/* Twice as long, with all that is in it, what was taken and may be shown again too. */
static bool grow(struct output *o)
{
    struct ring *r = &o->ring;
    uint32_t size = r->size * 2;
    uint8_t *bytes = size <= OUTPUT_QUEUE ? frame_alloc_run(&frame_cp_account, size / PAGE_SIZE) : NULL;
    if (!bytes)
        return false;
    uint32_t begin = r->head & r->size & (size - 1); /* the old bytes: half of the new, turned to where they belong */
    uint32_t at = r->head & (r->size - 1);
    memcpy(bytes + begin, r->bytes, at);
    memcpy(bytes + ((begin ^ r->size) + at), r->bytes + at, r->size - at);
    frame_free_run(&frame_cp_account, r->bytes, r->size / PAGE_SIZE);
    r->bytes = bytes;
    r->size = size;
    if (r->head - o->since > size / 2) /* no more than that was there: whole lines of it may be shown again */
        for (o->since = r->head - size / 2; o->since != r->tail && ring_before(r, o->since) != '\n'; o->since++) {}
    return true;
}

void output_shrink(struct output *o)
{
    struct ring *r = &o->ring;
    if (r->size > OUTPUT_FIRST)
        frame_free_run(&frame_cp_account, r->bytes + OUTPUT_FIRST, (r->size - OUTPUT_FIRST) / PAGE_SIZE);
    output_begin(o, r->bytes, OUTPUT_FIRST);
}

/* So many bytes can be put. */
static bool has_room(struct output *o, uint32_t bytes)
{
    while (ring_room(&o->ring) < bytes)
        if (!grow(o))
            return false;
    return true;
}

uint32_t output_room(const struct output *o) { return OUTPUT_QUEUE - ring_used(&o->ring); }

void output_renew(struct output *o)
{
    struct ring ring = o->ring;
    struct terminal *terminal = o->terminal;
    bool in_line = o->in_line;
    memset(o, 0, sizeof *o);
    o->ring = ring;
    o->terminal = terminal;
    o->in_line = in_line;
    o->since = ring.head;
}

void output_is_new(struct output *o) { o->since = o->ring.head; }

void output_forget(struct output *o)
{
    o->ring.tail = o->since = o->ring.head;
    o->in_line = false;
}

/* The oldest byte that may be shown again and is still there. */
static uint32_t oldest(const struct output *o, uint32_t most)
{
    uint32_t kept = o->ring.head - o->since;
    kept = kept < o->ring.size ? kept : o->ring.size;
    return o->ring.head - (kept < most ? kept : most);
}

/* Where the line begins that `at` is behind. */
static uint32_t line_start(const struct output *o, uint32_t at, uint32_t least)
{
    while (at != least && ring_before(&o->ring, at) != '\n')
        at--;
    return at;
}

/* What is sent again asks nothing; what follows it is not asked yet. */
static void quiet(struct output *o, uint32_t sent)
{
    static char text[OUTPUT_SCREEN];
    struct ring *r = &o->ring;
    uint32_t length = sent - r->tail, kept;
    for (uint32_t i = 0; i < length; i++)
        text[i] = (char)ring_at(r, i);
    kept = (uint32_t)again_quiet(text, length);
    if (kept == length)
        return;
    o->since = r->tail = sent - kept; /* what is before it there is what it was made of */
    for (uint32_t i = 0; i < kept; i++)
        r->bytes[(r->tail + i) & (r->size - 1)] = (uint8_t)text[i];
}

/* What is sent stays in the ring until something else is there. A line that is not whole any more is not shown. */
static void show_again(struct output *o)
{
    uint32_t sent = o->ring.tail;
    uint32_t least = oldest(o, ring_used(&o->ring) + OUTPUT_SCREEN), at = line_start(o, o->ring.tail, least);
    for (unsigned lines = 0; lines < OUTPUT_SCREEN_LINES && at != least; lines++) {
        uint32_t before = line_start(o, at - 1, least);
        if (before == least && least != o->since)
            break;
        at = before;
    }
    if (at != least || at == o->since)
        o->ring.tail = at;
    quiet(o, sent);
}

void output_resume(struct output *o)
{
    uint32_t waits = ring_used(&o->ring);
    bool begun_elsewhere = !waits || (!o->partial_cut && waits < o->partial_length);
    if (o->in_line && begun_elsewhere) { /* it is all in partial[], or an editor's */
        uint32_t start = line_start(o, o->ring.head, oldest(o, o->ring.size));
        o->ring.head = start;
        if ((int32_t)(o->ring.tail - start) > 0)
            o->ring.tail = start;
        o->in_line = false;
        o->partial_unsent = (uint16_t)(waits < o->partial_length ? waits : 0);
    }
    show_again(o);
    o->owes = true;
}

/* Whether there was room. */
static bool put(struct output *o, char c)
{
    bool room = has_room(o, 1);
    if (room)
        ring_put(&o->ring, c);
    else
        o->dropped++;
    return room;
}

static void put_text(struct output *o, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n' && !(i && text[i - 1] == '\r'))
            put(o, '\r');
        if (put(o, text[i]))
            o->in_line = text[i] != '\n';
    }
}

/* As soon as there is some room, so that it stands where they are missing. */
static void tell_lost(struct output *o)
{
    uint32_t lost = o->dropped;
    if (!lost || ring_used(&o->ring) > OUTPUT_QUEUE / 2)
        return;
    o->dropped = 0;
    output_say(o, "%u characters of CP's messages are lost", lost);
}

void output_drain(struct output *o)
{
    struct ring *r = &o->ring;
    const uint8_t *piece;
    uint32_t count, taken;
    if (!o->terminal || terminal_is_left(o->terminal))
        return;
    while ((count = ring_piece(r, &piece)) && (taken = line_write(o->terminal->line, piece, count)))
        r->tail += taken;
    tell_lost(o);
}

/* ---- CP's words -------------------------------------------------------------------------------------------------- */

enum { PIECE = 256 };

/* Not more than a piece, and no character is cut. */
static size_t piece_of(const char *text, size_t length)
{
    size_t piece = length < PIECE ? length : PIECE;
    for (unsigned back = 0; piece < length && back < 3 && (text[piece] & 0xc0) == 0x80; back++)
        piece--;
    return piece;
}

void output_break(struct output *o)
{
    if (o->in_line)
        o->partial_unsent = 0;
    for (unsigned rows = o->in_line ? 1 + o->below : 0; rows; rows--)
        put_text(o, "\n", 1);
    o->below = 0;
    o->owes = true;
    turn_wanted = true;
}

void output_write(struct output *o, const char *text, size_t length)
{
    char clean[PIECE];
    output_break(o);
    for (size_t piece; (piece = piece_of(text, length)); text += piece, length -= piece)
        put_text(o, clean, clean_text(clean, text, piece, true));
    output_drain(o);
}

void output_say(struct output *o, const char *format, ...)
{
    char text[320];
    va_list args;
    va_start(args, format);
    size_t length = clean_line(text, sizeof text, format, args);
    va_end(args);
    output_write(o, text, length);
}

void output_partial(struct output *o)
{
    size_t sent = o->partial_length - o->partial_unsent, kept = again_quiet(o->partial, sent);
    memmove(o->partial + kept, o->partial + sent, o->partial_unsent);
    o->partial_length = (uint16_t)(kept + o->partial_unsent);
    o->partial_unsent = 0;
    output_echo(o, o->partial, o->partial_length);
}

/* Half of a sequence that moves the cursor would take what comes next for the other half. */
void output_echo(struct output *o, const char *text, unsigned length)
{
    unsigned most = 2 * length; /* \n becomes two */
    if (!has_room(o, most))
        output_drain(o);
    if (ring_room(&o->ring) < most)
        o->dropped += length;
    else
        put_text(o, text, length);
    output_drain(o);
}

/* What a plain terminal does not need: end what was begun, the screen proper, a soft reset, and what that leaves out:
 * attributes, the first character set, UTF-8, wrapping, plain keys (xterm's and kitty's ways of telling more of them
 * too), tab stops, the cursor's form, colours; no reports of the mouse, of the focus, of pasting, of the window, and
 * what is written shows at once. */
void output_plain(struct output *to, const struct output *from)
{
    static const char plain[] = "\x18\x1b\\\x1b[?1047l\x1b[!p\x1b[m\x1b(B\x0f\x1b[?7h\x1b[?25h\x1b[?1l\x1b>\x1b[?5l"
                                "\x1b[?9;1000;1001;1002;1003;1004;1005;1006;1015;2004l"
                                "\x1b[?69;1016;2026;2031;2048;9001l\x1b[>4m\x1b[<99u\x1b%G\x1b[?5W\x1b[0 q"
                                "\x1b]R\x1b\\\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\";
    if (from->styled)
        for (const char *at = plain; *at; at++)
            put(to, *at);
}

/* ---- the machine's bytes ----------------------------------------------------------------------------------------- */

static uint32_t machine_share(const struct output *o) { return o->terminal ? OUTPUT_CONNECTED : OUTPUT_DISCONNECTED; }

unsigned output_machine_room(struct output *o)
{
    uint32_t share = machine_share(o), used = ring_used(&o->ring), room = used < share ? share - used : 0;
    if (!o->terminal && ring_room(&o->ring) < OUTPUT_CONNECTED)
        has_room(o, OUTPUT_CONNECTED);
    return room < ring_room(&o->ring) ? room : ring_room(&o->ring);
}

static bool is_control(uint8_t byte)
{
    return (byte < ' ' && !(byte >= '\a' && byte <= '\r')) || (byte >= 0x7f && byte < 0xa0);
}

/* Keeps the machine's unfinished line, to show it again. */
static void follow(struct output *o, uint8_t byte)
{
    if (byte == '\n' || byte == '\r') {
        o->partial_length = o->partial_unsent = 0;
        o->partial_cut = false;
    } else if (o->partial_length < OUTPUT_PARTIAL) {
        o->partial[o->partial_length++] = byte;
    } else {
        o->partial_cut = true;
    }
    if (byte != '\r')
        o->in_line = byte != '\n';
}

/* The same for what has no control in it. */
static void follow_plain(struct output *o, const uint8_t *bytes, size_t count)
{
    size_t room = OUTPUT_PARTIAL - o->partial_length, kept = count < room ? count : room;
    memcpy(o->partial + o->partial_length, bytes, kept);
    o->partial_length += kept;
    o->partial_cut |= kept < count;
    o->in_line = true;
}

void output_machine(struct output *o, const uint8_t *bytes, unsigned count)
{
    ring_put_run(&o->ring, bytes, count);
    for (size_t i = 0, plain; i < count; i += plain ? plain : 1) {
        plain = plain_run(bytes + i, count - i);
        if (plain) {
            follow_plain(o, bytes + i, plain);
        } else {
            follow(o, bytes[i]);
            o->styled |= is_control(bytes[i]);
        }
    }
    if (ring_used(&o->ring) >= OUTPUT_GATHERED)
        output_drain(o);
    else if (o->terminal)
        turn_later();
}

bool output_machine_goes_on(struct output *o)
{
    bool now = o->machine_waits && ring_used(&o->ring) <= machine_share(o) / 2;
    o->machine_waits &= !now;
    return now;
}
