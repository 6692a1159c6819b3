/* Pipelines of anything: the scanner, the planner, the dispatcher and every stage, on a CMS with one disk. Bytes from
 * 128 on stand for a word of the language, two of them for one of the later words. Whatever comes of it, nothing may be
 * left on the heap, and what runs without an end is ended by HX. Of a network of stages that only pass records on no
 * record may be lost or made: its last byte says how it is laid. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cms/command/command.h"
#include "cms/console/console.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/mode.h"
#include "tests/unit/fake/cms_machine.h"

enum { PATIENCE = 2000, RECORDS = 23 };

static const char *const words[] = {
    "| ", "? ", "a: ", "b: ", "c: ", "/a/ ", "/e/EE/ ", "w2 ", "1-3 ", "3.2 ", "-3;-1 ", "(1-2 w3) ", "* ", "1 ",
    "2 ", "9 ", "x6162 ", "b01000001 ", "anycase ", "anyof ", "literal ", "console ", "< FRUIT LIST A", "> X Y A ",
    ">> FRUIT LIST A ", "locate ", "nlocate ", "find ", "nfind ", "between ", "inside ", "notinside ", "outside ",
    "frlabel ", "tolabel ", "take ", "drop ", "last ", "fanout ", "fanin ", "faninany ", "fanintwo ", "gate ",
    "strict ", "append ", "preface ", "prefix ", "not ", "buffer ", "elastic ", "copy ", "sort ", "unique ", "count ",
    "merge ", "collate ", "lookup ", "overlay ", "juxtapose ", "change ", "split ", "join ", "tokenise ",
    "duplicate ", "snake ", "chop ", "pad ", "strip ", "reverse ", "xlate ", "translate ", "timestamp ", "block ",
    "fblock ", "deblock ", "spill ", "specs ", "next ", "nextword ", "number ", "c2x ", "x2c ", "c2d ", "d2c ",
    "b2c ", "c2b ", "v2c ", "c2v ", "read ", "write ", "select ", "outstream ", "readstop ", "stop ", "anyeof ",
    "master ", "detail ", "autoadd ", "chars words lines ", "fixed ", "linend ", "string ", "crlf ", "cms ", "|| ",
    "literal a b c", "literal 1 2 3", "right ", "left ", "singles ", "multiples ", "first ", "before ", "after ",
    "upper ", "pad . ", "hole ", "insert ", "starmsg ",
    "before ", "after ", "query ", "state ", "getfiles ", "reader ", "punch ", "printer ",
    "stem x. ", "var x ", "rexx x ", "strliteral ", "terminal ", "help ", "runpipe ", "command ", "cp ",
};

static size_t add(char *line, size_t n, const char *text)
{
    while (*text && n < COMMAND_LINE_MAX)
        line[n++] = *text++;
    return n;
}

static int obey(const char *line)
{
    fake_cms_forget();
    fake_cms_patience = PATIENCE;
    cms_console_command_begins();
    int rc = cms_obey(line);
    cms_console_command_ends();
    size_t left = cms_heap_in_use();
    cms_heap_free_commands();
    if (left != cms_heap_in_use())
        abort(); /* a pipeline clears away what is its own: it may run within another */
    return rc;
}

static void wild(const uint8_t *data, size_t size)
{
    static char line[COMMAND_LINE_MAX + 1];
    size_t n = add(line, 0, "PIPE (end ?) ");
    for (size_t i = 0; i < size; i++) {
        const char one[2] = {(char)data[i], 0};
        size_t word = data[i] - 0x80u;
        if (word == 0x7f && i + 1 < size)
            word += data[++i] & 7u;
        n = add(line, n, data[i] < 0x80 && word > 0x80 ? one : word < sizeof words / sizeof *words ? words[word] : "");
    }
    line[n] = 0;
    obey(line);
}

/* Records part at each fork by a letter, go their ways, and come together. */
static void conserves(const uint8_t *data, size_t size)
{
    static const char *const ways[] = {"copy", "elastic", "buffer", "not not locate 1", "sort", "append hole",
                                       "preface hole", "specs 1-* 1", "change /x/x/", "take *"};
    static char line[COMMAND_LINE_MAX + 1];
    char number[80];
    size_t n = add(line, 0, "PIPE (end ?) literal a | dup 22 | specs 1 1 number 2 | ");
    size_t forks = size % 5;
    for (size_t i = 0; i < forks; i++) {
        snprintf(number, sizeof number, "f%zu: locate /%d/ | %s | g%zu: faninany | ", i, data[i] % 10,
                 ways[data[i] / 10 % 10], i);
        n = add(line, n, number);
    }
    n = add(line, n, "count lines | > COUNTED DATA A ");
    for (size_t i = 0; i < forks; i++) {
        snprintf(number, sizeof number, "? f%zu: | %s | g%zu: ", i, ways[data[i] / 3 % 10], i);
        n = add(line, n, number);
    }
    line[n] = 0;
    if (obey(line))
        abort();
    obey("PIPE < COUNTED DATA A | console");
    if (atoi(fake_cms_shown()) != RECORDS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mode_problem problem;
    if (!size || size > 1024 || memchr(data, 0, size))
        return 0;
    fake_cms_reset();
    cms_console_start(NULL);
    fake_cms_attach(0x191, false);
    if (!cms_mode_format(0x191, 1024, "FUZZ", &problem) || !cms_mode_access(0x191, 'A', 'A', false, &problem))
        abort();
    obey("PIPE literal apple red,pear green,cherry red| split at ,| > FRUIT LIST A");
    if (data[size - 1] % 8 == 7)
        conserves(data, size - 1);
    else
        wild(data, size);
    cms_mode_release('A');
    if (cms_heap_in_use())
        abort();
    return 0;
}
