/* COUNT: how many characters, words, lines; one record at the end. */
#include "cms/command/messages.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

enum { CHARS, WORDS, LINES, MINLINE, MAXLINE, COUNTERS };

static const struct {
    const char *name;
    uint8_t abbreviation;
    uint8_t counter;
} names[] = {{"CHARACTERS", 4, CHARS}, {"CHARS", 4, CHARS}, {"BYTES", 4, CHARS},     {"WORDS", 4, WORDS},
             {"LINES", 4, LINES},      {"RECORDS", 6, LINES}, {"MINLINE", 4, MINLINE}, {"MAXLINE", 4, MAXLINE}};

struct count {
    uint64_t value[COUNTERS];
    bool wanted[COUNTERS], told;
};

static int count_prepare(struct stage *stage, struct scan *operands)
{
    struct count *c = stage->state;
    char word[20];
    size_t found = 0;
    while (cms_scan_upper(operands, word, sizeof word)) {
        size_t i = 0;
        while (i < sizeof names / sizeof *names && !cms_abbreviates(word, names[i].name, names[i].abbreviation))
            i++;
        if (i == sizeof names / sizeof *names)
            return cms_message("PIP", MESSAGE_PIPE_OPERAND, word);
        c->wanted[names[i].counter] = true;
        found++;
    }
    c->value[MINLINE] = UINT64_MAX;
    return found ? 0 : cms_message("PIP", MESSAGE_PIPE_MISSING);
}

static int count_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct count *c = stage->state;
    c->value[CHARS] += length;
    c->value[LINES]++;
    for (size_t i = 0; i < length; i++)
        c->value[WORDS] += data[i] != ' ' && (i == 0 || data[i - 1] == ' ');
    if (length < c->value[MINLINE])
        c->value[MINLINE] = length;
    if (length > c->value[MAXLINE])
        c->value[MAXLINE] = length;
    return cms_pipe_wanted(stage, 1) ? cms_pipe_put(stage, 0, data, length) : 0;
}

/* If there is a stream 1 the records pass, and the counts go there. */
static int count_end(struct stage *stage)
{
    struct count *c = stage->state;
    char line[COUNTERS * 21];
    size_t n = 0;
    if (c->told)
        return 0;
    c->told = true;
    if (!c->value[LINES])
        c->value[MINLINE] = 0;
    for (int i = 0; i < COUNTERS; i++)
        if (c->wanted[i])
            n += format_text(line + n, sizeof line - n, "%s%llu", n ? " " : "", (unsigned long long)c->value[i]);
    int rc = cms_pipe_put(stage, cms_pipe_wanted(stage, 1) ? 1 : 0, line, n);
    return rc ? rc : PIPE_AGAIN;
}

const struct stage_kind cms_stage_count = {
    .name = "COUNT", .abbreviation = 5, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct count),
    .format = "COUNT [CHARS] [WORDS] [LINES] [MINLINE] [MAXLINE]",
    .help = HELP_TEXT("One record at the end: how many characters, words, records; the length of the\n"
                      "shortest and the longest.  If there is a stream 1 that goes there, and the\n"
                      "input passes.\n"),
    .prepare = count_prepare, .record = count_record, .end = count_end};
