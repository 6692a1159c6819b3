/* Tab for the commands of EXECs. */
#include "cms/command/complete.h"

#include "cms/exec/exec.h"

static void execs(const struct arguments *typed, struct candidates *c)
{
    if (!typed->count)
        cms_file_complete_type("EXEC", c);
}

static void execio_operand(const struct arguments *typed, struct candidates *c)
{
    static const char *const verbs[] = {"DISKR", "DISKW", "CARD", "CP", "EMSG", "PRINT", "PUNCH", NULL};
    if (typed->count == 1)
        candidates_offer_all(c, verbs);
    else if (typed->count > 1 && (cms_word_is(&typed->operand[1], "DISKR", 5) ||
                                  cms_word_is(&typed->operand[1], "DISKW", 5)))
        cms_file_complete(typed->operand + 2, typed->count - 2, c);
}

static void execio_option(const struct arguments *typed, struct candidates *c)
{
    static const char *const options[] = {"AVOID", "BUFFER", "CASE",   "FIFO", "FIND", "FINIS", "LIFO", "LOCATE",
                                          "MARGINS", "NOTYPE", "SKIP", "STEM", "STRING", "STRIP", "VAR", "ZONE", NULL};
    (void)typed;
    candidates_offer_all(c, options);
}

static void globalv(const struct arguments *typed, struct candidates *c)
{
    static const char *const functions[] = {"GET",   "GRPLIST", "GRPSTACK", "INIT", "LIST",  "PURGE", "PUT",
                                            "PUTP",  "PUTS",    "SELECT",   "SET",  "SETL",  "SETLP", "SETLS",
                                            "SETP",  "SETS",    "STACK",    NULL};
    if (!typed->count || (typed->count == 2 && cms_word_is(&typed->operand[0], "SELECT", 6)))
        candidates_offer_all(c, functions);
}

const struct command_completion exec_completions[] = {
    {"EXEC", execs, NULL}, {"EXECIO", execio_operand, execio_option}, {"GLOBALV", globalv, NULL}, {0}};
