/* Source to blob. In: a text that may be anything. Out: a device tree, or the first fault by line. */
#include "cms/directory/source.h"

#include <libfdt.h>
#include <string.h>

enum { DEPTH_MAX = 8, NAME_ROOM = 64 };

struct source {
    const char *at, *end;
    unsigned line;
    void *blob;
    uint8_t *value; /* of the property at hand */
    const char *wrong;
};

static bool fails(struct source *s, const char *reason)
{
    if (!s->wrong)
        s->wrong = reason;
    return false;
}

static bool made(struct source *s, int error)
{
    return !error || fails(s, error == -FDT_ERR_NOSPACE ? "the directory is too long" : "this cannot stand here");
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static bool begins(const struct source *s, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(s->end - s->at) >= length && !memcmp(s->at, text, length);
}

/* False: a comment does not end. */
static bool skip_comment(struct source *s)
{
    const char *ends = s->at[1] == '*' ? "*/" : "\n";
    for (s->at += 2; s->at < s->end && !begins(s, ends); s->at++)
        s->line += *s->at == '\n';
    if (s->at == s->end)
        return *ends == '\n' || fails(s, "the comment has no end");
    if (*ends == '*')
        s->at += 2;
    return true;
}

static bool skip_blanks(struct source *s)
{
    while (s->at < s->end) {
        if (begins(s, "/*") || begins(s, "//")) {
            if (!skip_comment(s))
                return false;
        } else if (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r' || !*s->at) {
            s->line += *s->at++ == '\n';
        } else {
            break;
        }
    }
    return true;
}

static bool next_is(struct source *s, const char *text)
{
    if (!skip_blanks(s) || !begins(s, text))
        return false;
    s->at += strlen(text);
    return true;
}

static bool expect(struct source *s, const char *text, const char *reason)
{
    return next_is(s, text) || fails(s, reason);
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(",._+*#?@-", c));
}

static bool read_name(struct source *s, char name[NAME_ROOM])
{
    size_t length = 0;
    if (!skip_blanks(s))
        return false;
    for (; s->at < s->end && is_name(*s->at) && length < NAME_ROOM - 1; s->at++)
        name[length++] = *s->at;
    name[length] = 0;
    return length ? (s->at == s->end || !is_name(*s->at) || fails(s, "the name is too long"))
                  : fails(s, "a name was expected, or }");
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool read_text(struct source *s, size_t *bytes)
{
    for (; s->at < s->end && *s->at != '"' && *s->at != '\n'; s->at++) {
        if (*s->at == '\\' && s->end - s->at > 1)
            s->at++;
        s->value[(*bytes)++] = (uint8_t)*s->at;
    }
    s->value[(*bytes)++] = 0;
    return (begins(s, "\"") && s->at++) || fails(s, "the text has no \" at its end");
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : 99;
}

static bool read_number(struct source *s, uint32_t *number)
{
    uint64_t value = 0;
    int base = begins(s, "0x") ? 16 : 10;
    s->at += base == 16 ? 2 : 0;
    const char *first = s->at;
    for (; s->at < s->end && digit(*s->at) < base; s->at++) {
        value = value * (unsigned)base + (unsigned)digit(*s->at);
        if (value > UINT32_MAX)
            return fails(s, "the number does not fit 32 bits");
    }
    *number = (uint32_t)value;
    return s->at > first || fails(s, "a number was expected, or >");
}

static bool read_cells(struct source *s, size_t *bytes)
{
    uint32_t number;
    while (!next_is(s, ">")) {
        if (s->wrong || !read_number(s, &number))
            return false;
        fdt32_st(s->value + *bytes, number);
        *bytes += sizeof number;
    }
    return true;
}

static bool read_values(struct source *s, size_t *bytes)
{
    do {
        bool text = next_is(s, "\"");
        if (!text && !expect(s, "<", "a text or a < was expected"))
            return false;
        if (!(text ? read_text(s, bytes) : read_cells(s, bytes)))
            return false;
    } while (next_is(s, ","));
    return !s->wrong;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static bool read_property(struct source *s, const char *name)
{
    size_t bytes = 0;
    if (next_is(s, "=") && !read_values(s, &bytes))
        return false;
    return expect(s, ";", "a ; was expected") && made(s, fdt_property(s->blob, name, s->value, (int)bytes));
}

/* What stands in the root's braces. */
static bool read_nodes(struct source *s)
{
    char name[NAME_ROOM];
    unsigned depth = 1;
    while (depth) {
        if (next_is(s, "}")) {
            if (!expect(s, ";", "a ; was expected behind the }") || !made(s, fdt_end_node(s->blob)))
                return false;
            depth--;
        } else if (s->wrong || !read_name(s, name)) {
            return false;
        } else if (next_is(s, "{")) {
            if (depth++ == DEPTH_MAX)
                return fails(s, "nodes are nested too deep");
            if (!made(s, fdt_begin_node(s->blob, name)))
                return false;
        } else if (s->wrong || !read_property(s, name)) {
            return false;
        }
    }
    return true;
}

static bool read_source(struct source *s)
{
    return expect(s, "/dts-v1/", "/dts-v1/; was expected") && expect(s, ";", "a ; was expected") &&
           expect(s, "/", "/ { was expected") && expect(s, "{", "a { was expected") &&
           made(s, fdt_begin_node(s->blob, "")) && read_nodes(s) && skip_blanks(s) &&
           (s->at == s->end || fails(s, "something stands behind the end"));
}

bool source_compile(const char *text, size_t length, void *blob, size_t room, void *scratch, struct source_fault *fault)
{
    struct source s = {.at = text, .end = text + length, .line = 1, .blob = blob, .value = scratch};
    bool good = made(&s, fdt_create(blob, (int)room)) && made(&s, fdt_finish_reservemap(blob)) && read_source(&s) &&
                made(&s, fdt_finish(blob));
    *fault = (struct source_fault){s.line, s.wrong};
    return good;
}

size_t source_bytes(const void *blob) { return fdt_totalsize(blob); }
