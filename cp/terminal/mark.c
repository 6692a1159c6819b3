/* See mark.h. In: a line's bytes. Out: bytes that were typed, and marks. */
#include "cp/terminal/mark.h"

#include <string.h>

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_printable(uint8_t c) { return c > ' ' && c <= '~' && c != ';'; }

static bool is_of_size(uint8_t c) { return is_digit(c) || c == ','; }

static const uint8_t *take_side(const uint8_t *text, unsigned *side)
{
    for (*side = 0; is_digit(*text); text++)
        *side = *side * 10 + (*text - '0') < MARK_SIDE ? *side * 10 + (*text - '0') : MARK_SIDE;
    return text;
}

static void take_size(struct mark *m, const uint8_t *text)
{
    text = take_side(text, &m->columns);
    m->rows = 0;
    if (*text == ',')
        take_side(text + 1, &m->rows);
}

static void take_name(struct mark *m, const uint8_t *text)
{
    unsigned length = 0;
    for (; text[length] != ';' && length < MARK_NAME; length++)
        m->name[length] = (char)text[length];
    m->name[text[length] == ';' ? length : 0] = 0;
}

static const struct kind {
    uint8_t letter;
    enum mark_kind kind;
    bool (*holds)(uint8_t); /* what may stand between the letter and ';', NULL: nothing */
    void (*take)(struct mark *, const uint8_t *text); /* which ends with ';' */
} kinds[] = {
    {'E', MARK_END, NULL, NULL},   {'W', MARK_SIZE, is_of_size, take_size},
    {'T', MARK_TYPED, NULL, NULL}, {'U', MARK_USER, is_printable, take_name},
    {'C', MARK_CAME, NULL, NULL},  {'G', MARK_GONE, NULL, NULL},
};

static const struct kind *kind_of(uint8_t letter)
{
    for (const struct kind *k = kinds; k < kinds + sizeof kinds / sizeof *kinds; k++)
        if (k->letter == letter)
            return k;
    return NULL;
}

/* What is held so far may become a mark. */
static bool may_be(const struct mark *m)
{
    unsigned token = (unsigned)strlen(m->token), n = m->held - 1u;
    const uint8_t *letter = m->bytes + 1 + token;
    uint8_t last = m->bytes[m->held - 1];
    if (m->bytes[0] != MARK_BEGINS || memcmp(m->bytes + 1, m->token, n < token ? n : token))
        return false;
    if (n <= token)
        return true;
    const struct kind *k = kind_of(*letter);
    bool fits = n == token + 1 || last == ';' || (k && k->holds && k->holds(last));
    return k && fits && (m->held < MARK_HOLD || last == ';');
}

static enum mark_kind finish(struct mark *m)
{
    const uint8_t *letter = m->bytes + 1 + strlen(m->token);
    const struct kind *k = kind_of(*letter);
    if (k->take)
        k->take(m, letter + 1);
    m->held = 0;
    return k->kind;
}

enum mark_kind mark_take(struct mark *m, uint8_t byte)
{
    m->bytes[m->held++] = byte;
    if (!m->token || !may_be(m))
        return MARK_GIVE;
    return byte == ';' && m->held > 1 + strlen(m->token) ? finish(m) : MARK_HOLDING;
}
