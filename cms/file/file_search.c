/* From fileids to files: the accessed disks in search order, and what goes wrong on the way. */
#include <string.h>

#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "cms/kernel/heap.h"
#include "lib/plain.h"

enum { FSWRITE_NO_BYTES = 8, SHOW_SMALL = 512 };

/* A letter means its disk and the disks that extend it. */
static bool mode_wanted(const struct file_search *s, const struct mode *mode)
{
    if (s->writable && mode->read_only)
        return false;
    return s->id.letter == '*' || mode->letter == s->id.letter || mode->parent == s->id.letter;
}

static bool next_mode(struct file_search *s)
{
    struct edf_disk_facts facts;
    while ((s->mode = cms_mode_next(s->mode)))
        if (mode_wanted(s, s->mode)) {
            edf_disk_query(s->mode->disk, &facts);
            s->position = 0;
            s->limit = facts.files + facts.erased;
            return true;
        }
    return false;
}

bool cms_file_next(struct file_search *s, struct file_found *found)
{
    if (!s->mode && !next_mode(s))
        return false;
    do {
        while (s->position < s->limit &&
               edf_next(s->mode->disk, &s->position, s->id.name, s->id.type, &found->facts) == EDF_OK &&
               s->position <= s->limit) {
            found->mode = s->mode;
            if (!s->id.number || s->id.number == found->facts.mode_number)
                return true;
        }
    } while (next_mode(s));
    return false;
}

void cms_file_erased(struct file_search *s)
{
    struct edf_disk_facts facts;
    edf_disk_query(s->mode->disk, &facts);
    uint32_t entries = facts.files + facts.erased;
    s->position = facts.erased || entries + 1 != s->limit ? 0 : s->position - 1;
    s->limit = entries;
}

int cms_file_mode_check(const char *module, const struct file_id *id, bool writable)
{
    const char text[2] = {id->letter, 0};
    const struct mode *mode = NULL;
    if (id->letter != '*') {
        mode = cms_mode_find(id->letter);
        if (!mode)
            return cms_message(module, MESSAGE_MODE_NOT_ACCESSED, text);
        if (writable && mode->read_only)
            return cms_message(module, MESSAGE_READ_ONLY, text);
        return 0;
    }
    while ((mode = cms_mode_next(mode)))
        if (!writable || !mode->read_only)
            return 0;
    if (writable)
        return cms_message(module, MESSAGE_NOT_WRITABLE);
    return cms_message(module, MESSAGE_MODE_NOT_ACCESSED, text);
}

int cms_file_find(const char *module, const struct file_id *id, struct file_found *found)
{
    struct file_search search = {.id = *id};
    char text[FILE_ID_MAX];
    int rc = cms_file_mode_check(module, id, false);
    if (rc)
        return rc;
    if (cms_file_next(&search, found))
        return 0;
    cms_file_id_text(id, text);
    return cms_message(module, MESSAGE_FILE_NOT_FOUND, text);
}

int cms_file_failed(const char *module, enum edf_status status, const struct mode *mode, const char *fileid)
{
    char disk[DISK_NAME_MAX];
    const char letter[2] = {mode->letter, 0};
    cms_disk_name(disk, mode->letter, mode->parent, mode->vdev);
    switch (status) {
    case EDF_NOT_FOUND: return cms_message(module, MESSAGE_FILE_NOT_FOUND, fileid);
    case EDF_EXISTS: return cms_message(module, MESSAGE_FILE_EXISTS, fileid);
    case EDF_FULL: return cms_message(module, MESSAGE_DISK_FULL, disk);
    case EDF_READ_ONLY: return cms_message(module, MESSAGE_READ_ONLY, letter);
    case EDF_NO_MEMORY: return cms_message(module, MESSAGE_VIRTUAL_STORAGE);
    case EDF_BAD_NAME: return cms_message(module, MESSAGE_INVALID_CHARACTER, fileid);
    case EDF_BUSY: return cms_message(module, MESSAGE_FILE_ACTIVE, fileid);
    case EDF_BAD_RECORD: return cms_message(module, MESSAGE_OUTPUT_ERROR, FSWRITE_NO_BYTES, fileid);
    default: break;
    }
    const char *why = mode->disk ? edf_reason(mode->disk).text : NULL;
    return cms_message(module, MESSAGE_UNIT_CHECK, disk, why ? why : edf_status_text(status));
}

/* What a terminal may obey: ASCII and controls written longer than they are, halves of UTF-16, marks and turns of
 * direction, which make others see a text in another order. */
static bool is_obeyed(uint32_t c, size_t length)
{
    static const uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
    static const struct {
        uint32_t first, last;
    } none[] = {{0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}, {0xd800, 0xdfff}};
    bool obeyed = c < least[length] || c > 0x10ffff;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        obeyed |= c >= none[i].first && c <= none[i].last;
    return obeyed;
}

/* Bytes of the character of UTF-8 that begins here, beyond ASCII and U+0080 to U+009F, which are controls; 0: none
 * does. */
static size_t utf8_length(const uint8_t *at, size_t left)
{
    size_t length = *at < 0xc2 || *at > 0xf4 ? 0 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
    uint32_t c = *at & (0x7f >> length);
    if (!length || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3f);
    }
    return is_obeyed(c, length) ? 0 : length;
}

/* 80 to 9F pass within a character only: alone they are controls to a terminal of eight
 * bits, behind C2 to one of UTF-8. */
static void make_harmless(char *line, const uint8_t *record, size_t length)
{
    size_t plain = plain_run(record, length);
    if (plain)
        memcpy(line, record, plain);
    for (size_t i = plain, whole; i < length; i += whole ? whole : 1) {
        whole = utf8_length(record + i, length - i);
        bool control = record[i] < ' ' || (record[i] >= 0x7f && record[i] < 0xa0);
        memcpy(line + i, record + i, whole ? whole : 1);
        if (control)
            line[i] = record[i] == '\t' ? ' ' : '.';
    }
}

void cms_file_show(const uint8_t *record, size_t length)
{
    char small[SHOW_SMALL], *line = length <= sizeof small ? small : cms_heap_allocate(length);
    if (!line) { /* better in parts than not at all */
        cms_file_show(record, sizeof small);
        cms_file_show(record + sizeof small, length - sizeof small);
        return;
    }
    make_harmless(line, record, length);
    cms_line(line, length);
    if (line != small)
        cms_heap_free(line);
}
