/* TAPE: its options, and which function is meant. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/tape.h"

enum { WTM, NOWTM, TERM, NOPRINT, EOF_OPTION, EOT };
enum { GROUP_MARK = 1, GROUP_LIST, GROUP_END };

static const struct file_option option_table[] = {
    [WTM] = {"WTM", 3, GROUP_MARK, false},         [NOWTM] = {"NOWTM", 5, GROUP_MARK, false},
    [TERM] = {"TERM", 1, GROUP_LIST, false},       [NOPRINT] = {"NOPRINT", 4, GROUP_LIST, false},
    [EOF_OPTION] = {"EOF", 3, GROUP_END, true},    [EOT] = {"EOT", 3, GROUP_END, false},
    {NULL, 0, 0, false},
};
const struct file_option *const cms_file_tape_options = option_table;

/* Takes TAPn or 18n out of the options, as it is none of the table's; the rest is read by that. */
static int read_options(const struct arguments *a, struct tape *t)
{
    static struct arguments rest; /* half a page: not on the stack */
    struct file_options options;
    const struct word tap1 = {.text = "TAP1", .raw = "TAP1", .raw_length = 4};
    t->unit = cms_tape_unit(&tap1);
    rest = *a;
    rest.option_count = 0;
    for (int i = 0; i < a->option_count; i++) {
        bool value = i && cms_word_is(&a->option[i - 1], option_table[EOF_OPTION].name, 3);
        struct tape_unit *unit = value ? NULL : cms_tape_unit(&a->option[i]);
        if (unit)
            t->unit = unit;
        else
            rest.option[rest.option_count++] = a->option[i];
    }
    int rc = cms_file_options("TPE", &rest, option_table, &options);
    const struct word *eof = options.value[EOF_OPTION];
    t->marks = file_option(&options, EOT) ? UINT32_MAX : 1;
    t->lists = !file_option(&options, NOPRINT);
    t->marks_files = file_option(&options, WTM);
    if (!rc && eof && (!cms_number(eof, &t->marks) || !t->marks))
        rc = cms_message("TPE", MESSAGE_INVALID_RECORD, cms_typed(eof), option_table[EOF_OPTION].name);
    return rc;
}

int cms_tape_fileid(const struct arguments *a, int most, struct tape *t)
{
    static const struct word all[2] = {{.text = "*"}, {.text = "*"}};
    if (a->count > most + 1)
        return cms_message("TPE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[most + 1]));
    if (a->count == 1)
        return cms_file_id_read("TPE", all, 2, 'A', false, &t->id);
    return cms_file_id_read("TPE", a->operand + 1, a->count - 1, 'A', false, &t->id);
}

static const struct tape_function {
    const char *name;
    int (*run)(const struct arguments *arguments, struct tape *tape);
} functions[] = {
    {"DUMP", cms_tape_dump}, {"LOAD", cms_tape_load}, {"SCAN", cms_tape_scan}, {"SKIP", cms_tape_skip},
    {"BSF", cms_tape_bsf},   {"BSR", cms_tape_bsr},   {"FSF", cms_tape_fsf},   {"FSR", cms_tape_fsr},
    {"REW", cms_tape_rew},   {"RUN", cms_tape_rew},   {"WTM", cms_tape_wtm},
};

const char *cms_file_tape_function(size_t index)
{
    return index < sizeof functions / sizeof *functions ? functions[index].name : NULL;
}

int cms_file_tape(const struct arguments *a)
{
    struct tape t = {0};
    if (!a->count)
        return cms_message("TPE", MESSAGE_NO_OPERANDS);
    for (const struct tape_function *f = functions; f < functions + sizeof functions / sizeof *functions; f++) {
        if (!cms_word_is(&a->operand[0], f->name, strlen(f->name)))
            continue;
        int rc = read_options(a, &t);
        return rc ? rc : f->run(a, &t);
    }
    return cms_message("TPE", MESSAGE_INVALID_PARAMETER, cms_typed(&a->operand[0]));
}
