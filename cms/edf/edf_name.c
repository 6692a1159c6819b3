/* File names: what is allowed, patterns, and the way between ASCII here and EBCDIC on the disk. Also the texts of
 * edf_status. */
#include "cms/edf/edf_internal.h"

static bool name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("#@+$-:_", c));
}

bool edf_name_valid(const char *name)
{
    size_t length = 0;
    while (name[length] && length <= EDF_NAME_MAX)
        if (!name_character(name[length++]))
            return false;
    return length >= 1 && length <= EDF_NAME_MAX;
}

bool edf_name_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL;
    if (!pattern)
        return true;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = name;
        } else if (*pattern && (*pattern == '%' || *pattern == *name)) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

void edf_name_put(uint8_t *out, size_t size, const char *text)
{
    for (size_t i = 0; i < size; i++)
        out[i] = edf_ebcdic_from_ascii(*text ? (uint8_t)*text++ : ' ');
}

void edf_name_get(char *out, const uint8_t *in, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t c = edf_ascii_from_ebcdic(in[i]);
        out[i] = c >= ' ' && c < 0x7f ? (char)c : '?';
    }
    while (size && out[size - 1] == ' ')
        size--;
    out[size] = '\0';
}

const char *edf_status_text(enum edf_status status)
{
    static const char *const text[] = {
        [EDF_OK] = "no error",
        [EDF_END] = "end of file",
        [EDF_NOT_FOUND] = "file not found",
        [EDF_EXISTS] = "file already exists",
        [EDF_FULL] = "disk is full",
        [EDF_READ_ONLY] = "disk is read-only",
        [EDF_IO] = "device error",
        [EDF_NO_MEMORY] = "not enough storage",
        [EDF_NOT_CMS] = "not a CMS disk",
        [EDF_DAMAGED] = "damaged",
        [EDF_BAD_NAME] = "invalid file name or type",
        [EDF_BAD_RECORD] = "invalid record length or number",
        [EDF_BUSY] = "file is being written",
        [EDF_INVALID] = "invalid parameter",
    };
    return (size_t)status < sizeof text / sizeof text[0] ? text[status] : "unknown status";
}
