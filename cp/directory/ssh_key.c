/* In: a text nobody vouches for. Out: what is wrong with it as a key. CP has no use for keys; whoever carries its lines
 * has (scripts/vmn-ssh), and a key that nobody can have would lock its user out.
 *
 * The text is as in sshd(8), "AUTHORIZED_KEYS FILE FORMAT"; what the base 64 holds as in RFC 4253, "Public Key
 * Algorithms", RFC 5656, RFC 8709 and OpenSSH's PROTOCOL.u2f: strings, each behind its length in four bytes. */
#include "cp/directory/ssh_key.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { COMMENT_MAX = 200, STRINGS_MAX = 4 };

static const struct kind {
    const char *name; /* and the first string */
    struct {
        uint32_t least, most; /* bytes; 0: there are no more */
        const char *begins;
    } string[STRINGS_MAX];
} kinds[] = {
    {"ssh-ed25519", {{32, 32, ""}}},
    {"ssh-rsa", {{1, 8, ""}, {128, 2049, ""}}}, /* a modulus of 1,024 bits, as OpenSSH wants, to 16,384 */
    {"ecdsa-sha2-nistp256", {{8, 8, "nistp256"}, {65, 65, "\4"}}},
    {"ecdsa-sha2-nistp384", {{8, 8, "nistp384"}, {97, 97, "\4"}}},
    {"ecdsa-sha2-nistp521", {{8, 8, "nistp521"}, {133, 133, "\4"}}},
    {"sk-ssh-ed25519@openssh.com", {{32, 32, ""}, {4, 255, "ssh:"}}},
    {"sk-ecdsa-sha2-nistp256@openssh.com", {{8, 8, "nistp256"}, {65, 65, "\4"}, {4, 255, "ssh:"}}},
};

/* ---- base 64 ----------------------------------------------------------------------------------------------------- */

static int digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

struct reader {
    const char *at, *end; /* digits */
    unsigned bits, held;  /* read and not given yet; how many */
};

/* What follows the digits and their padding; NULL: they are no base 64. */
static const char *find_digits(const char *text, struct reader *r)
{
    *r = (struct reader){text, text, 0, 0};
    while (digit(*r->end) >= 0)
        r->end++;
    const char *after = r->end;
    size_t count = (size_t)(r->end - r->at), odd = count % 4;
    for (size_t pad = odd; odd && pad < 4; pad++)
        if (*after++ != '=')
            return NULL;
    unsigned unused = odd == 2 ? 0xf : odd == 3 ? 3 : 0; /* bits of the last digit */
    return count && odd != 1 && !(digit(r->end[-1]) & unused) ? after : NULL;
}

static int next_byte(struct reader *r) /* -1: there are no more */
{
    while (r->held < 8 && r->at < r->end) {
        r->bits = r->bits << 6 | (unsigned)digit(*r->at++);
        r->held += 6;
    }
    if (r->held < 8)
        return -1;
    r->held -= 8;
    return r->bits >> r->held & 0xff;
}

/* ---- the key ----------------------------------------------------------------------------------------------------- */

/* The next string is so long, and begins so. */
static bool read_string(struct reader *r, uint32_t least, uint32_t most, const char *begins)
{
    uint32_t length = 0;
    int byte = 0;
    for (unsigned i = 0; i < 4 && byte >= 0; i++) {
        byte = next_byte(r);
        length = length << 8 | (byte & 0xff);
    }
    if (byte < 0 || length < least || length > most)
        return false;
    for (uint32_t i = 0; i < length; i++) {
        byte = next_byte(r);
        if (byte < 0 || (*begins && byte != (uint8_t)*begins++))
            return false;
    }
    return true;
}

static bool holds(struct reader *r, const struct kind *k)
{
    uint32_t length = (uint32_t)strlen(k->name);
    bool fits = read_string(r, length, length, k->name);
    for (unsigned i = 0; fits && i < STRINGS_MAX && k->string[i].most; i++)
        fits = read_string(r, k->string[i].least, k->string[i].most, k->string[i].begins);
    return fits && next_byte(r) < 0;
}

static const struct kind *kind_of(const char *text)
{
    for (const struct kind *k = kinds; k < kinds + sizeof kinds / sizeof *kinds; k++) {
        size_t length = strlen(k->name);
        if (!strncmp(text, k->name, length) && text[length] == ' ')
            return k;
    }
    return NULL;
}

static bool is_comment(const char *text)
{
    size_t length = 0;
    if (*text && *text != ' ')
        return false;
    while (text[length] >= 0x20 && text[length] <= 0x7e)
        length++;
    return !text[length] && length <= COMMENT_MAX;
}

const char *ssh_key_fault(const char *text)
{
    struct reader r;
    const struct kind *k = kind_of(text);
    const char *after = k ? find_digits(text + strlen(k->name) + 1, &r) : NULL;
    if (!after || !is_comment(after))
        return "has a string that is no OpenSSH public key: its kind, base 64, comment";
    return holds(&r, k) ? NULL : "has a key that is cut, altered, or of another kind than it says";
}
