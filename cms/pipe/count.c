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
    bool wanted[COUNTERS];
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
    return 0;
}

static int count_end(struct stage *stage)
{
    struct count *c = stage->state;
    char line[COUNTERS * 21];
    size_t n = 0;
    if (!c->value[LINES])
        c->value[MINLINE] = 0;
    for (int i = 0; i < COUNTERS; i++)
        if (c->wanted[i])
            n += format_text(line + n, sizeof line - n, "%s%llu", n ? " " : "", (unsigned long long)c->value[i]);
    return cms_pipe_put(stage, line, n);
}

const struct stage_kind cms_stage_count = {
    "COUNT", 5, PLACE_LATER, false, sizeof(struct count), count_prepare, NULL, count_record, count_end, NULL};
