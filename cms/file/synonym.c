/* SYNONYM: the user's own names of commands, from a file. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/command/settings.h"
#include "cms/command/synonym.h"
#include "cms/file/file.h"

enum { STD, NOSTD, CLEAR, RECORD_MAX = 255 };

static const struct file_option option_table[] = {
    [STD] = {"STD", 3, 1, false}, [NOSTD] = {"NOSTD", 5, 1, false}, [CLEAR] = {"CLEAR", 5, 0, false},
    {NULL, 0, 0, false}};
const struct file_option *const cms_file_synonym_options = option_table;

static int wrong_record(const struct file_found *found, char wrong)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    return wrong == 'S' ? cms_message("SYN", MESSAGE_VIRTUAL_STORAGE)
                        : cms_message("SYN", MESSAGE_INVALID_RECORDS, text);
}

static int read_records(const struct file_found *found, struct edf_reader *reader)
{
    char record[RECORD_MAX + 1], wrong = 'R';
    uint32_t length;
    enum edf_status status;
    while (!(status = edf_read(reader, record, RECORD_MAX, &length))) {
        if (length > RECORD_MAX || memchr(record, 0, length))
            return wrong_record(found, 'R');
        record[length] = 0;
        if (!cms_synonym_add(record, &wrong))
            return wrong_record(found, wrong);
    }
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    return status == EDF_END ? 0 : cms_file_failed("SYN", status, found->mode, text);
}

static int read_file(const struct file_found *found)
{
    struct edf_reader *reader;
    char text[FILE_ID_MAX];
    enum edf_status status = edf_open(found->mode->disk, found->facts.name, found->facts.type, &reader);
    cms_file_found_text(found, text);
    if (status)
        return cms_file_failed("SYN", status, found->mode, text);
    int rc = read_records(found, reader);
    edf_close(reader);
    cms_synonym_use(!rc);
    return rc;
}

/* fn [ft [fm]]: type SYNONYM, and mode A, unless they say else. */
static int find(const struct arguments *a, struct file_found *found)
{
    struct word words[3] = {{.text = ""}, {.text = "SYNONYM", .raw = "SYNONYM", .raw_length = 7}, {.text = ""}};
    struct file_id id;
    char text[FILE_ID_MAX];
    if (a->count > 3)
        return cms_message("SYN", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    for (int i = 0; i < a->count; i++)
        words[i] = a->operand[i];
    int rc = cms_file_id_read("SYN", words, a->count > 2 ? 3 : 2, 'A', false, &id);
    if (rc || !cms_file_is_pattern(&id))
        return rc ? rc : cms_file_find("SYN", &id, found);
    cms_file_id_text(&id, text);
    return cms_message("SYN", MESSAGE_INVALID_CHARACTER, text);
}

int cms_file_synonym(const struct arguments *a)
{
    struct file_options options;
    struct file_found found;
    int rc = cms_file_options("SYN", a, option_table, &options);
    if (!rc && a->count)
        rc = find(a, &found);
    if (rc)
        return rc;
    if (!a->count && !a->option_count)
        return cms_synonym_show_user("SYN");
    if (file_option(&options, CLEAR))
        cms_synonym_clear();
    rc = a->count ? read_file(&found) : 0;
    if (!rc && (file_option(&options, STD) || file_option(&options, NOSTD)))
        cms_settings.abbrev = file_option(&options, STD) ? SWITCH_ON : SWITCH_OFF;
    return rc;
}
