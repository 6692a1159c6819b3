/* A session's output. In: CP's words and the machine's bytes. Out: one queue, in order, drained by the terminal's line.
 * CP's words begin a line of their own; the unfinished line they broke is shown again after them. */
#include <string.h>

#include "cp/message/clean.h"
#include "cp/session/internal.h"
#include "lib/format.h"

static void put(struct output *o, char c)
{
    if (ring_room(&o->ring))
        ring_put(&o->ring, c);
    else
        o->dropped++;
}

static void put_text(struct output *o, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            put(o, '\r');
        put(o, text[i]);
        o->in_line = text[i] != '\n';
    }
}

static void drain(struct session *s)
{
    struct ring *r = &s->output.ring;
    const uint8_t *piece;
    uint32_t count, taken;
    if (!s->terminal || terminal_is_left(s->terminal))
        return;
    while ((count = ring_piece(r, &piece)) && (taken = line_write(s->terminal->line, piece, count)))
        r->tail += taken;
}

static uint32_t machine_share(const struct session *s)
{
    return s->terminal ? SESSION_OUTPUT_CONNECTED : SESSION_OUTPUT_DISCONNECTED;
}

void session_pump(struct session *s)
{
    struct output *o = &s->output;
    drain(s);
    if (o->machine_waits && s->vm && ring_used(&o->ring) <= machine_share(s) / 2) {
        o->machine_waits = false;
        machine_output_ready(&s->vm->machine, 0);
    }
}

enum { PIECE = 256 };

/* Not more than a piece, and no character is cut. */
static size_t piece_of(const char *text, size_t length)
{
    size_t piece = length < PIECE ? length : PIECE;
    for (unsigned back = 0; piece < length && back < 3 && (text[piece] & 0xc0) == 0x80; back++)
        piece--;
    return piece;
}

void session_write(struct session *s, const char *text, size_t length)
{
    char clean[PIECE];
    if (s->output.in_line)
        put_text(&s->output, "\n", 1);
    for (size_t piece; (piece = piece_of(text, length)); text += piece, length -= piece)
        put_text(&s->output, clean, clean_text(clean, text, piece, true));
    s->output.owes = true;
    session_wanted = true;
    drain(s);
}

void session_say(struct session *s, const char *format, ...)
{
    char text[320];
    va_list args;
    va_start(args, format);
    size_t length = format_text_v(text, sizeof text - 1, format, args);
    va_end(args);
    if (length > sizeof text - 2)
        length = sizeof text - 2;
    length = clean_text(text, text, length, false);
    text[length++] = '\n';
    session_write(s, text, length);
}

void session_echo(struct session *s, const char *text, unsigned length)
{
    put_text(&s->output, text, length);
    drain(s);
}

static const char *prompt_of(const struct session *s)
{
    switch (s->state) {
    case SESSION_LOGON:
    case SESSION_READ: return "CP> ";
    case SESSION_COMMAND: return "#CP ";
    default: return NULL;
    }
}

void session_refresh(struct session *s)
{
    struct output *o = &s->output;
    const char *prompt = prompt_of(s);
    if (!o->owes || s->rest || s->deed || o->in_line || session_closed)
        return;
    o->owes = false;
    if (prompt) {
        put_text(o, prompt, strlen(prompt));
        editor_show(&s->editor);
    } else if (s->state == SESSION_RUN && !o->partial_cut) {
        put_text(o, o->partial, o->partial_length);
    }
    drain(s);
}

/* What a plain terminal does not need: end what was begun, the screen proper, a soft reset, and what that leaves out:
 * attributes, the first character set, wrapping, plain keys, no reports of the mouse, of the focus, of pasting. */
void output_plain(struct session *to, const struct session *from)
{
    static const char plain[] = "\x18\x1b\\\x1b[?1047l\x1b[!p\x1b[m\x1b(B\x0f\x1b[?7h\x1b[?25h\x1b[?1l\x1b>\x1b[?5l"
                                "\x1b[?9;1000;1001;1002;1003;1004;1005;1006;1015;2004l";
    if (from->output.styled)
        for (const char *at = plain; *at; at++)
            put(&to->output, *at);
}

static bool is_control(uint8_t byte)
{
    return (byte < ' ' && !(byte >= '\a' && byte <= '\r')) || (byte >= 0x7f && byte < 0xa0);
}

/* Keeps the machine's unfinished line, to show it again. */
static void follow(struct output *o, uint8_t byte)
{
    if (byte == '\n' || byte == '\r') {
        o->partial_length = 0;
        o->partial_cut = false;
    } else if (o->partial_length < SESSION_PARTIAL) {
        o->partial[o->partial_length++] = byte;
    } else {
        o->partial_cut = true;
    }
    if (byte != '\r')
        o->in_line = byte != '\n';
}

unsigned session_vm_output(struct vm *vm, unsigned uart, const uint8_t *bytes, unsigned count)
{
    struct session *s = vm->session;
    if (uart || !s) /* nothing is connected there */
        return count;
    struct output *o = &s->output;
    uint32_t share = machine_share(s), used = ring_used(&o->ring), room = used < share ? share - used : 0;
    unsigned taken = count < room ? count : room;
    if (taken)
        session_refresh(s);
    for (unsigned i = 0; i < taken; i++) {
        put(o, bytes[i]);
        follow(o, bytes[i]);
        o->styled |= is_control(bytes[i]);
    }
    o->machine_waits |= taken < count;
    drain(s);
    return taken;
}
