/* EXECIO as typed: lines|* verb operands (options. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/exec/execio.h"
#include "cms/exec/words.h"

enum { WORD = 300 };

static int bad(const char *what)
{
    return cms_message("EIO", MESSAGE_EXECIO_PLIST, what);
}

static bool abbreviates(const char *word, const char *name, size_t least)
{
    return cms_abbreviates(word, name, least);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

struct option_scan {
    struct words words;
    struct execio *x;
    bool side_given;
};

static int set_side(struct option_scan *s, enum execio_side side)
{
    if (s->side_given)
        return bad("conflicting options");
    s->side_given = true;
    s->x->side = side;
    return 0;
}

static int take_fifo(struct option_scan *s) { return set_side(s, EXECIO_FIFO); }
static int take_lifo(struct option_scan *s) { return set_side(s, EXECIO_LIFO); }
static int take_skip(struct option_scan *s) { return set_side(s, EXECIO_SKIP); }
static int take_finis(struct option_scan *s) { return s->x->finis = true, 0; }
static int take_strip(struct option_scan *s) { return s->x->strip = true, 0; }
static int take_notype(struct option_scan *s) { return s->x->quiet = true, 0; }

static int take_case(struct option_scan *s)
{
    char word[WORD];
    words_next(&s->words, word, sizeof word, true);
    if (strcmp(word, "U") && strcmp(word, "M"))
        return bad("CASE is U or M");
    s->x->fold = *word == 'U' ? 'U' : 0;
    return 0;
}

static int take_name(struct option_scan *s, enum execio_side side)
{
    struct execio *x = s->x;
    char word[WORD];
    size_t n = words_next(&s->words, word, sizeof word, true);
    if (!n || n > EXECIO_NAME || *word == ')')
        return bad("name of a variable missing or too long");
    memcpy(x->name, word, n + 1);
    return set_side(s, side);
}

static int take_stem(struct option_scan *s) { return take_name(s, EXECIO_STEM); }
static int take_var(struct option_scan *s) { return take_name(s, EXECIO_VAR); }

static int take_string(struct option_scan *s)
{
    s->x->text = s->words.at;
    s->words.at += strlen(s->words.at);
    if (s->x->verb == EXECIO_CP) /* what is asked; the other options say where the answer goes */
        return 0;
    return set_side(s, EXECIO_STRING);
}

/* Two column numbers, of which the second may be *. */
static int take_columns(struct option_scan *s, uint32_t *first, uint32_t *last)
{
    char a[WORD], b[WORD];
    words_next(&s->words, a, sizeof a, false);
    words_next(&s->words, b, sizeof b, false);
    if (!strcmp(b, "*"))
        *last = EXECIO_EVERY;
    else if (!words_number(b, last))
        return bad("column numbers missing");
    if (!words_number(a, first) || !*first || *last < *first)
        return bad("column numbers are not valid");
    return 0;
}

static int take_zone(struct option_scan *s) { return take_columns(s, &s->x->zone_first, &s->x->zone_last); }
static int take_margins(struct option_scan *s) { return take_columns(s, &s->x->margin_first, &s->x->margin_last); }

static int take_buffer(struct option_scan *s)
{
    char word[WORD];
    uint32_t size;
    words_next(&s->words, word, sizeof word, false);
    return words_number(word, &size) && size ? 0 : bad("BUFFER is a number of bytes");
}

/* A string between two of any character but a blank. */
static int take_search(struct option_scan *s, enum execio_search search)
{
    const char *from = s->words.at, *to = *from ? strchr(from + 1, *from) : NULL;
    if (!to || to == from + 1)
        return bad("search string is not delimited");
    if (s->x->search)
        return bad("conflicting options");
    s->x->search = search;
    s->x->wanted = from + 1;
    s->x->wanted_length = (size_t)(to - from - 1);
    words_begin(&s->words, to + 1);
    return 0;
}

static int take_find(struct option_scan *s) { return take_search(s, EXECIO_FIND); }
static int take_locate(struct option_scan *s) { return take_search(s, EXECIO_LOCATE); }
static int take_avoid(struct option_scan *s) { return take_search(s, EXECIO_AVOID); }

static const struct {
    const char *name;
    uint8_t least;
    int (*take)(struct option_scan *);
} options[] = {
    {"FINIS", 3, take_finis}, {"FIFO", 2, take_fifo}, {"LIFO", 2, take_lifo}, {"SKIP", 2, take_skip},
    {"STEM", 4, take_stem}, {"VAR", 3, take_var}, {"STRING", 3, take_string}, {"FIND", 3, take_find},
    {"LOCATE", 2, take_locate}, {"AVOID", 2, take_avoid}, {"ZONE", 2, take_zone}, {"MARGINS", 2, take_margins},
    {"STRIP", 5, take_strip}, {"NOTYPE", 2, take_notype}, {"CASE", 2, take_case}, {"BUFFER", 3, take_buffer},
};

static int take_option(struct option_scan *s, const char *word)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (abbreviates(word, options[i].name, options[i].least))
            return options[i].take(s);
    return bad("option not known");
}

static int take_options(struct words *words, struct execio *x)
{
    struct option_scan s = {.words = *words, .x = x};
    char word[WORD];
    int rc = 0;
    while (!rc && words_next(&s.words, word, sizeof word, true) && *word != ')')
        rc = take_option(&s, word);
    return rc;
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint8_t least;
    bool file, from_program; /* its records come from the program */
} verbs[] = {
    [EXECIO_DISKR] = {"DISKR", 5, true, false}, [EXECIO_DISKW] = {"DISKW", 5, true, true},
    [EXECIO_CP] = {"CP", 2, false, false},      [EXECIO_CARD] = {"CARD", 2, false, false},
    [EXECIO_PUNCH] = {"PUNCH", 2, false, true}, [EXECIO_PRINT] = {"PRINT", 2, false, true},
    [EXECIO_EMSG] = {"EMSG", 2, false, true},
};

static int take_verb(const char *word, struct execio *x)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (abbreviates(word, verbs[i].name, verbs[i].least)) {
            x->verb = (enum execio_verb)i;
            return 0;
        }
    return bad("operation not known");
}

/* fn ft [fm [line [recfm [lrecl]]]] */
static int take_file(char word[][WORD], int count, struct execio *x)
{
    struct word id[3];
    for (int i = 0; i < 3 && i < count; i++) {
        id[i].raw = word[i];
        id[i].raw_length = (uint16_t)strlen(word[i]);
        memcpy(id[i].text, word[i], 8);
        id[i].text[8] = 0;
    }
    int rc = cms_file_id_read("EIO", id, count < 3 ? count : 3, x->verb == EXECIO_DISKW ? 'A' : '*', false, &x->id);
    if (!rc && (cms_file_is_pattern(&x->id) || (x->verb == EXECIO_DISKW && x->id.letter == '*')))
        rc = bad("the fileid must be that of one file");
    if (rc || count < 4)
        return rc;
    if (!words_number(word[3], &x->line))
        return bad("line number is not valid");
    if (count > 4) {
        x->recfm = *word[4];
        if (word[4][1] || (x->recfm != 'F' && x->recfm != 'V') || x->verb != EXECIO_DISKW)
            return bad("record format is not valid");
    }
    if (count > 5 && (!words_number(word[5], &x->lrecl) || !x->lrecl || x->lrecl > EXECIO_RECORD))
        return bad("record length is not valid");
    return count > 6 ? bad("too many operands") : 0;
}

static int judge(const struct execio *x)
{
    bool from = verbs[x->verb].from_program;
    if (x->side == EXECIO_STRING && !from)
        return bad("STRING gives what is written");
    if (x->side == EXECIO_VAR && x->lines != 1 && x->verb != EXECIO_CP)
        return bad("VAR takes one line");
    if (x->search && from)
        return bad("only what is read is searched");
    if (x->side == EXECIO_SKIP && from)
        return bad("only what is read is skipped");
    return 0;
}

int execio_parse(const char *line, struct execio *x)
{
    enum { OPERANDS = 8 };
    static char word[OPERANDS][WORD];
    char first[WORD], verb[WORD];
    struct words words;
    int count = 0, rc;

    *x = (struct execio){.zone_first = 1, .zone_last = EXECIO_EVERY, .margin_first = 1, .margin_last = EXECIO_EVERY};
    words_begin(&words, line);
    words_next(&words, first, sizeof first, false);
    if (!strcmp(first, "*"))
        x->lines = EXECIO_EVERY;
    else if (!words_number(first, &x->lines))
        return bad("number of lines is not valid");
    if (!words_next(&words, verb, sizeof verb, true))
        return bad("operation missing");
    if ((rc = take_verb(verb, x)))
        return rc;
    bool has_options = false;
    while (count < OPERANDS && words_next(&words, word[count], WORD, true) && !(has_options = *word[count] == '('))
        count++;
    if (verbs[x->verb].file)
        rc = take_file(word, count, x);
    else if (count)
        rc = bad("too many operands");
    if (!rc && has_options)
        rc = take_options(&words, x);
    return rc ? rc : judge(x);
}
