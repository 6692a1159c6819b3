#include <string.h>

#include "cms/minidisk/file.h"

void line_judge_begin(struct line_judge *j) { *j = (struct line_judge){.blank = true}; }

/* A line of blanks needs one more. */
static void line_ends(struct line_judge *j)
{
    j->bad |= j->length + j->blank > EDF_LRECL_MAX;
    j->length = 0;
    j->blank = true;
}

void line_judge_bytes(struct line_judge *j, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && !j->bad; i++) {
        if (bytes[i] == '\n') {
            line_ends(j);
            continue;
        }
        j->bad |= !bytes[i] || j->length >= EDF_LRECL_MAX;
        j->blank &= bytes[i] == ' ';
        j->length++;
    }
}

bool line_judge_end(const struct line_judge *j) { return !j->bad && !j->length; }

uint32_t line_of_record(const uint8_t *record, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (record[i] != ' ')
            return length;
    return length - 1;
}
