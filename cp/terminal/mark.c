/* See mark.h. In: a line's bytes. Out: bytes that were typed, and marks. */
#include "cp/terminal/mark.h"

#include <string.h>

enum { COLUMNS_MOST = 999 };

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* What is held so far may become a mark. */
static bool may_be(const struct mark *m)
{
    unsigned token = (unsigned)strlen(m->token), n = m->held - 1u;
    const uint8_t *kind = m->bytes + 1 + token;
    if (m->bytes[0] != MARK_BEGINS || memcmp(m->bytes + 1, m->token, n < token ? n : token))
        return false;
    if (n <= token)
        return true;
    if (*kind == 'E' || *kind == 'T')
        return n == token + 1 || kind[1] == ';';
    uint8_t last = m->bytes[m->held - 1];
    return *kind == 'W' && (n == token + 1 || is_digit(last) || last == ';') && m->held < MARK_HOLD;
}

static enum mark_kind finish(struct mark *m)
{
    const uint8_t *at = m->bytes + 1 + strlen(m->token);
    enum mark_kind kind = *at == 'E' ? MARK_END : *at == 'T' ? MARK_TYPED : MARK_WIDTH;
    unsigned columns = 0;
    while (is_digit(*++at) && columns <= COLUMNS_MOST)
        columns = columns * 10 + (*at - '0');
    m->columns = columns > COLUMNS_MOST ? 0 : columns;
    m->held = 0;
    return kind;
}

enum mark_kind mark_take(struct mark *m, uint8_t byte)
{
    m->bytes[m->held++] = byte;
    if (!m->token || !may_be(m))
        return MARK_GIVE;
    return byte == ';' && m->held > 1 + strlen(m->token) ? finish(m) : MARK_HOLDING;
}
