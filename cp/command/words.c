/* Operands: words, numbers, user IDs. In: the rest of a command line. Out: values, or the message that says what is
 * wrong. */
#include <string.h>

#include "cp/command/command.h"
#include "lib/format.h"

static char upper(char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }

struct word call_peek(const struct call *c)
{
    struct word w = {c->unread, 0};
    while (*w.text == ' ' || *w.text == '\t')
        w.text++;
    while (w.text[w.length] && w.text[w.length] != ' ' && w.text[w.length] != '\t')
        w.length++;
    return w;
}

bool call_next(struct call *c, struct word *w)
{
    *w = call_peek(c);
    c->unread = w->text + w->length;
    return w->length;
}

const char *call_remainder(struct call *c)
{
    const char *remainder = call_peek(c).text;
    c->unread = remainder + strlen(remainder);
    return remainder;
}

unsigned call_end(struct call *c, const char *module)
{
    char extra[32];
    struct word w = call_peek(c);
    if (!w.length)
        return 0;
    word_upper(w, extra, sizeof extra);
    return FAIL(c, module, 3, extra);
}

bool word_is(struct word w, const char *name, unsigned least)
{
    if (w.length < least || w.length > strlen(name))
        return false;
    for (unsigned i = 0; i < w.length; i++)
        if (upper(w.text[i]) != name[i])
            return false;
    return true;
}

void word_upper(struct word w, char *out, unsigned size)
{
    unsigned length = w.length < size ? w.length : size - 1;
    for (unsigned i = 0; i < length; i++)
        out[i] = upper(w.text[i]);
    out[length] = 0;
}

bool word_hex(struct word w, unsigned digits, uint64_t *value)
{
    *value = 0;
    if (!w.length || w.length > digits)
        return false;
    for (unsigned i = 0; i < w.length; i++) {
        char c = upper(w.text[i]);
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

bool word_number(struct word w, uint64_t most, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < w.length; i++) {
        if (w.text[i] < '0' || w.text[i] > '9')
            return false;
        *value = *value * 10 + (w.text[i] - '0');
        if (*value > most)
            return false;
    }
    return w.length;
}

unsigned call_userid(struct call *c, const char *module, char id[DIRECTORY_NAME + 1])
{
    struct word w;
    call_next(c, &w);
    word_upper(w, id, DIRECTORY_NAME + 1);
    if (w.length == 1 && *id == '*' && c->session->user)
        format_text(id, DIRECTORY_NAME + 1, "%s", c->session->user->id);
    else if (w.length > DIRECTORY_NAME || !directory_name_valid(id, strlen(id)))
        return FAIL(c, module, 20, "");
    return 0;
}

unsigned call_session(struct call *c, const char *module, uint8_t classes, const char *what, struct session **found)
{
    char id[DIRECTORY_NAME + 1] = "", needed[CLASSES_TEXT];
    *found = c->session;
    unsigned failed = call_peek(c).length ? call_userid(c, module, id) : 0;
    if (failed || !*id)
        return failed;
    *found = session_find(id);
    if (*found == c->session)
        return 0;
    if (!(c->session->user->classes & classes))
        return FAIL(c, module, 9016, what, command_classes(needed, classes));
    return *found ? 0 : FAIL(c, module, 45, id);
}

unsigned call_vdev(struct call *c, const char *module, unsigned *vdev)
{
    struct word w;
    uint64_t value;
    if (!call_next(c, &w) || !word_hex(w, 4, &value))
        return FAIL(c, module, 22, "");
    *vdev = value;
    return 0;
}
