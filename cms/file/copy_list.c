/* COPYFILE's specification and translation lists. Pure: text in, tables out, records through them. */
#include "cms/file/copy_list.h"

#include <string.h>

#include "cms/edf/edf.h"

static char *skip_blanks(const char *p)
{
    return (char *)p + strspn(p, " ");
}

static size_t word_length(const char *p)
{
    return strcspn(p, " ");
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char capital = (char)(c & ~0x20);
    return capital >= 'A' && capital <= 'F' ? capital - 'A' + 10 : -1;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool cms_copy_byte(const char *text, size_t length, uint8_t *byte)
{
    int high = length == 2 ? digit(text[0]) : -1, low = length == 2 ? digit(text[1]) : -1;
    bool hexadecimal = high >= 0 && low >= 0;
    *byte = hexadecimal ? (uint8_t)(high << 4 | low) : (uint8_t)text[0];
    return hexadecimal || length == 1;
}

/* ---- SPECS ------------------------------------------------------------------------------------------------------- */

/* A column; NULL: none. */
static char *read_column(char *p, uint32_t *column)
{
    uint32_t value = 0;
    const char *start = p;
    for (; *p >= '0' && *p <= '9' && value <= EDF_LRECL_MAX; p++)
        value = value * 10 + (uint32_t)(*p - '0');
    *column = value;
    return p == start || !value || value > EDF_LRECL_MAX ? NULL : p;
}

static char *read_columns(char *p, struct copy_spec *spec)
{
    p = read_column(p, &spec->from);
    spec->to = spec->from;
    if (p && *p == '-')
        p = read_column(p + 1, &spec->to);
    spec->length = spec->to - spec->from + 1;
    return p && spec->to >= spec->from ? p : NULL;
}

/* The digits become bytes where they stand, if they are right: what is wrong is shown as it was typed. */
static char *read_hexadecimal(char *p, struct copy_spec *spec)
{
    uint8_t *out = (uint8_t *)p;
    size_t digits = strspn(p, "0123456789ABCDEFabcdef");
    if (digits % 2 || p[digits] != ' ')
        return NULL;
    spec->text = out;
    for (; digit(p[0]) >= 0 && digit(p[1]) >= 0; p += 2)
        *out++ = (uint8_t)(digit(p[0]) << 4 | digit(p[1]));
    spec->length = (uint32_t)(out - spec->text);
    return spec->length ? p : NULL;
}

static char *read_text(char *p, struct copy_spec *spec)
{
    char *end = strchr(p + 1, *p);
    spec->text = (const uint8_t *)p + 1;
    spec->length = end ? (uint32_t)(end - p - 1) : 0;
    return spec->length ? end + 1 : NULL;
}

static char *read_source(char *p, struct copy_spec *spec)
{
    if (*p >= '0' && *p <= '9')
        return read_columns(p, spec);
    if (*p == 'H' || *p == 'h')
        return read_hexadecimal(p + 1, spec);
    return is_letter_or_digit(*p) ? NULL : read_text(p, spec);
}

const char *cms_copy_specs_read(struct copy_specs *specs, char *list)
{
    *specs = (struct copy_specs){0};
    char *p = skip_blanks(list);
    while (*p) {
        char *source = p;
        struct copy_spec spec = {0};
        specs->too_many = specs->count == SPECS_MAX;
        if (specs->too_many)
            return source;
        p = read_source(p, &spec);
        if (!p || *p != ' ')
            return source;
        char *target = skip_blanks(p);
        p = read_column(target, &spec.target);
        if (!p || (*p && *p != ' ') || spec.target - 1 + spec.length > EDF_LRECL_MAX)
            return target;
        specs->spec[specs->count++] = spec;
        p = skip_blanks(p);
    }
    return NULL;
}

uint32_t cms_copy_specs_apply(const struct copy_specs *specs, const uint8_t *input, uint32_t input_length,
                              uint8_t *output, uint32_t length, uint8_t fill)
{
    for (const struct copy_spec *s = specs->spec; s < specs->spec + specs->count; s++) {
        uint32_t there = s->length, at = s->target - 1;
        if (!s->text && input_length < s->to)
            there = input_length < s->from ? 0 : input_length - s->from + 1;
        if (!there)
            continue;
        if (at > length)
            memset(output + length, fill, at - length);
        memcpy(output + at, s->text ? s->text : input + s->from - 1, there);
        if (at + there > length)
            length = at + there;
    }
    return length;
}

/* ---- TRANS ------------------------------------------------------------------------------------------------------- */

const char *cms_copy_translation_read(uint8_t table[256], const char *list)
{
    for (const char *p = skip_blanks(list); *p;) {
        uint8_t from, to;
        const char *second = skip_blanks(p + word_length(p));
        if (!cms_copy_byte(p, word_length(p), &from))
            return p;
        if (!cms_copy_byte(second, word_length(second), &to))
            return *second ? second : p;
        table[from] = to;
        p = skip_blanks(second + word_length(second));
    }
    return NULL;
}
