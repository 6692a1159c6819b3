/* COPYFILE's operands and options, and the lists it asks for. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/copyfile.h"

enum { GROUP_OUTPUT = 1, GROUP_DATE, GROUP_TYPE, GROUP_TRUNC, GROUP_CASE, GROUP_FROM, GROUP_FOR, GROUP_CODE,
       GROUP_SPECS, GROUP_PROMPT, GROUP_PACK };
enum { NEAR = 16 }; /* bytes of a wrong list that are shown */

static const struct file_option option_table[] = {
    [COPY_NEWFILE] = {"NEWFILE", 4, GROUP_OUTPUT, false},  [COPY_REPLACE] = {"REPLACE", 3, GROUP_OUTPUT, false},
    [COPY_APPEND] = {"APPEND", 2, GROUP_OUTPUT, false},    [COPY_OVLY] = {"OVLY", 2, GROUP_OUTPUT, false},
    [COPY_OLDDATE] = {"OLDDATE", 4, GROUP_DATE, false},    [COPY_NEWDATE] = {"NEWDATE", 4, GROUP_DATE, false},
    [COPY_TYPE] = {"TYPE", 1, GROUP_TYPE, false},          [COPY_NOTYPE] = {"NOTYPE", 3, GROUP_TYPE, false},
    [COPY_RECFM] = {"RECFM", 3, 0, true},                  [COPY_LRECL] = {"LRECL", 2, 0, true},
    [COPY_FROM] = {"FROM", 2, GROUP_FROM, true},           [COPY_FRLABEL] = {"FRLABEL", 3, GROUP_FROM, true},
    [COPY_FOR] = {"FOR", 3, GROUP_FOR, true},              [COPY_TOLABEL] = {"TOLABEL", 3, GROUP_FOR, true},
    [COPY_TRUNC] = {"TRUNC", 3, GROUP_TRUNC, false},       [COPY_NOTRUNC] = {"NOTRUNC", 5, GROUP_TRUNC, false},
    [COPY_UPCASE] = {"UPCASE", 2, GROUP_CASE, false},      [COPY_LOWCASE] = {"LOWCASE", 2, GROUP_CASE, false},
    [COPY_FILL] = {"FILL", 2, 0, true},                    [COPY_EBCDIC] = {"EBCDIC", 2, GROUP_CODE, false},
    [COPY_ASCII] = {"ASCII", 2, GROUP_CODE, false},        [COPY_SPECS] = {"SPECS", 2, GROUP_SPECS, false},
    [COPY_NOSPECS] = {"NOSPECS", 5, GROUP_SPECS, false},   [COPY_TRANS] = {"TRANS", 3, 0, false},
    [COPY_PROMPT] = {"PROMPT", 2, GROUP_PROMPT, false},    [COPY_NOPROMPT] = {"NOPROMPT", 4, GROUP_PROMPT, false},
    [COPY_SINGLE] = {"SINGLE", 2, 0, false},               [COPY_PACK] = {"PACK", 2, GROUP_PACK, false},
    [COPY_UNPACK] = {"UNPACK", 3, GROUP_PACK, false},      {NULL, 0, 0, false},
};
/* What is added to a file, or laid over it, takes the format of what is there, and a file that grew is of now. */
static const uint8_t not_added[] = {COPY_RECFM, COPY_LRECL, COPY_OLDDATE, COPY_NEWDATE};
/* What is packed, or was, is the file as it is. */
static const uint8_t not_packed[] = {COPY_APPEND, COPY_OVLY, COPY_RECFM, COPY_LRECL, COPY_FROM, COPY_FRLABEL, COPY_FOR,
                                     COPY_TOLABEL, COPY_TRUNC, COPY_UPCASE, COPY_LOWCASE, COPY_EBCDIC, COPY_ASCII,
                                     COPY_SPECS, COPY_TRANS};
static const uint8_t not_unpacked[] = {COPY_FILL};
const struct file_option *const cms_file_copyfile_options = option_table;

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static bool says_as(const struct word *words)
{
    return memchr(words[0].text, '=', sizeof words[0].text) || memchr(words[1].text, '=', sizeof words[1].text) ||
           words[2].text[0] == '=';
}

static int read_operands(const struct arguments *a, struct copy *c)
{
    if (a->count < 3 || a->count % 3)
        return a->count ? cms_message("CPY", MESSAGE_INCOMPLETE_FILEID) : cms_message("CPY", MESSAGE_NO_FILENAME);
    bool alone = a->count == 3; /* one fileid: the file replaces itself */
    c->input_count = alone ? 1 : a->count / 3 - 1;
    for (int i = 0; i < c->input_count; i++) {
        bool as = i && says_as(a->operand + 3 * i);
        int rc = cms_file_id_read("CPY", a->operand + 3 * i, 3, 0, as, &c->inputs[i]);
        if (rc)
            return rc;
    }
    if (!alone)
        return cms_file_id_read("CPY", a->operand + a->count - 3, 3, 0, true, &c->output);
    c->output = (struct file_id){"=", "=", '=', 0};
    return 0;
}

/* A file that is to take its own place need not be told to replace itself. */
static void imply_replace(struct copy *c)
{
    const uint32_t said = 1u << COPY_NEWFILE | 1u << COPY_APPEND | 1u << COPY_REPLACE | 1u << COPY_OVLY;
    const struct file_id *to = &c->output;
    if (!(c->options.given & said) && !strcmp(to->name, "=") && !strcmp(to->type, "=") && to->letter == '=')
        c->options.given |= 1u << COPY_REPLACE;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static int invalid(const struct copy *c, enum copy_option row)
{
    return cms_message("CPY", MESSAGE_INVALID_RECORD, cms_typed(c->options.value[row]), option_table[row].name);
}

static int read_number(const struct copy *c, enum copy_option row, uint32_t most, uint32_t *value)
{
    bool valid = !copy_option(c, row) || (cms_number(c->options.value[row], value) && *value && *value <= most);
    return valid ? 0 : invalid(c, row);
}

static int read_label(const struct copy *c, enum copy_option row)
{
    return copy_option(c, row) && c->options.value[row]->raw_length > COPY_LABEL_MOST ? invalid(c, row) : 0;
}

static bool same_words(const struct word *a, const struct word *b)
{
    return a->raw_length == b->raw_length && !memcmp(a->raw, b->raw, a->raw_length);
}

static int read_labels(const struct copy *c)
{
    const struct word *const *value = c->options.value;
    int rc = read_label(c, COPY_FRLABEL);
    if (!rc)
        rc = read_label(c, COPY_TOLABEL);
    if (!rc && copy_option(c, COPY_FRLABEL) && copy_option(c, COPY_TOLABEL) &&
        same_words(value[COPY_FRLABEL], value[COPY_TOLABEL]))
        rc = cms_message("CPY", MESSAGE_LABELS_EQUAL, cms_typed(value[COPY_TOLABEL]));
    return rc;
}

static int read_fill(struct copy *c)
{
    const struct word *w = c->options.value[COPY_FILL];
    c->fill = copy_option(c, COPY_EBCDIC) ? edf_ebcdic_from_ascii(' ') : ' ';
    return !copy_option(c, COPY_FILL) || cms_copy_byte(w->raw, w->raw_length, &c->fill) ? 0 : invalid(c, COPY_FILL);
}

static int read_recfm(struct copy *c)
{
    const struct word *w = c->options.value[COPY_RECFM];
    if (!copy_option(c, COPY_RECFM))
        return 0;
    c->recfm = w->text[0];
    return w->raw_length == 1 && (c->recfm == 'F' || c->recfm == 'V') ? 0 : invalid(c, COPY_RECFM);
}

/* None of `others` may stand beside `option`. */
static int check_alone(const struct copy *c, enum copy_option option, const uint8_t *others, size_t count)
{
    for (size_t i = 0; copy_option(c, option) && i < count; i++)
        if (copy_option(c, others[i]))
            return cms_message("CPY", MESSAGE_CONFLICTING_OPTIONS, option_table[option].name,
                               option_table[others[i]].name);
    return 0;
}

static int check_conflicts(const struct copy *c)
{
    enum copy_option added = copy_option(c, COPY_OVLY) ? COPY_OVLY : COPY_APPEND;
    enum copy_option packed = copy_option(c, COPY_PACK) ? COPY_PACK : COPY_UNPACK;
    int rc = check_alone(c, packed, not_packed, sizeof not_packed);
    if (!rc)
        rc = check_alone(c, COPY_UNPACK, not_unpacked, sizeof not_unpacked);
    return rc ? rc : check_alone(c, added, not_added, sizeof not_added);
}

static int read_options(const struct arguments *a, struct copy *c)
{
    c->from = 1;
    c->count = UINT32_MAX;
    int rc = cms_file_options("CPY", a, option_table, &c->options);
    if (!rc)
        rc = check_conflicts(c);
    if (!rc)
        rc = read_number(c, COPY_LRECL, EDF_LRECL_MAX, &c->lrecl);
    if (!rc)
        rc = read_number(c, COPY_FROM, INT32_MAX, &c->from);
    if (!rc)
        rc = read_number(c, COPY_FOR, INT32_MAX, &c->count);
    if (!rc)
        rc = read_recfm(c);
    if (!rc)
        rc = read_labels(c);
    return rc ? rc : read_fill(c);
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* Reads a list into c->list; a line that ends in ++ goes on in the next. */
static int read_list(struct copy *c, const char *kind)
{
    static const char more[] = "++";
    size_t length = 0;
    for (bool goes_on = true; goes_on;) {
        int n = length < COMMAND_LINE_MAX ? cms_read(c->list + length, sizeof c->list - length) : 0;
        if (n < 0)
            return COMMAND_HALTED;
        length += (size_t)n;
        goes_on = n >= 2 && !memcmp(c->list + length - 2, more, 2);
        length -= goes_on ? 2 : 0;
    }
    c->list[length] = 0;
    return c->list[strspn(c->list, " ")] ? 0 : cms_message("CPY", MESSAGE_NO_LIST, kind);
}

/* `wrong` is where in the list: as much of it as tells. */
static int invalid_list(struct copy *c, const char *kind, const char *wrong)
{
    size_t end = (size_t)(wrong - c->list) + NEAR;
    if (end < sizeof c->list)
        c->list[end] = 0;
    return cms_message("CPY", MESSAGE_INVALID_LIST, kind, wrong);
}

static int read_specs(struct copy *c)
{
    if (!copy_option(c, COPY_NOPROMPT))
        cms_message("CPY", MESSAGE_ENTER_SPECS);
    int rc = read_list(c, "specification");
    const char *wrong = rc ? NULL : cms_copy_specs_read(&c->specs, c->list);
    if (wrong && c->specs.too_many)
        return cms_message("CPY", MESSAGE_TOO_MANY_SPECS, SPECS_MAX);
    return wrong ? invalid_list(c, "SPECS", wrong) : rc;
}

/* `named` then says of each byte what the list makes of it. */
static int read_translation(struct copy *c, uint8_t named[256])
{
    if (!copy_option(c, COPY_NOPROMPT))
        cms_message("CPY", MESSAGE_ENTER_TRANSLATION);
    int rc = read_list(c, "translation");
    const char *wrong = rc ? NULL : cms_copy_translation_read(named, c->list);
    return wrong ? invalid_list(c, "translation", wrong) : rc;
}

static uint8_t change_case(const struct copy *c, uint8_t byte)
{
    char first = copy_option(c, COPY_UPCASE) ? 'a' : copy_option(c, COPY_LOWCASE) ? 'A' : 0;
    return first && byte >= first && byte < first + 26 ? byte ^ 0x20 : byte;
}

/* Characters are translated as characters: behind ASCII, before EBCDIC. What TRANS names it alone decides. */
static int make_table(struct copy *c)
{
    uint8_t named[256];
    for (int i = 0; i < 256; i++)
        named[i] = (uint8_t)i;
    int rc = copy_option(c, COPY_TRANS) ? read_translation(c, named) : 0;
    for (int i = 0; i < 256; i++) {
        uint8_t byte = copy_option(c, COPY_ASCII) ? edf_ascii_from_ebcdic((uint8_t)i) : (uint8_t)i;
        byte = named[byte] != byte ? named[byte] : change_case(c, byte);
        c->table[i] = copy_option(c, COPY_EBCDIC) ? edf_ebcdic_from_ascii(byte) : byte;
        c->translates |= c->table[i] != i;
    }
    return rc;
}

int cms_copy_read(const struct arguments *a, struct copy *c)
{
    int rc = read_options(a, c);
    if (!rc)
        rc = read_operands(a, c);
    if (rc)
        return rc;
    imply_replace(c);
    rc = make_table(c);
    return !rc && copy_option(c, COPY_SPECS) ? read_specs(c) : rc;
}
