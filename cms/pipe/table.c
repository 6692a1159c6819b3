/* All stages, what HELP says of them, and the PIPE command. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/help/help.h"
#include "cms/pipe/stages.h"

const struct stage_kind *const cms_pipe_stages[] = {
#define STAGE(name) &cms_stage_##name,
#include "cms/pipe/stages.def"
#undef STAGE
    NULL,
};

const struct stage_kind *cms_pipe_kind(const char *name)
{
    for (const struct stage_kind *const *kind = cms_pipe_stages; *kind; kind++)
        if (cms_abbreviates(name, (*kind)->name, (*kind)->abbreviation))
            return *kind;
    return NULL;
}

/* ---- NOT: plan.c puts another in its place --------------------------------------------------------------------- */

const struct stage_kind cms_stage_not = {
    .name = "NOT", .abbreviation = 3,
    .format = "NOT stage",
    .help = HELP_TEXT("The stage with its streams 0 and 1 exchanged: NOT LOCATE is NLOCATE.\n")};

/* ---- HELP -------------------------------------------------------------------------------------------------------- */

int cms_pipe_explain(const char *name)
{
    const struct stage_kind *kind = cms_pipe_kind(name);
    int rc;
    if (cms_help_show(kind ? kind->name : name, HELP_PIPE, NULL, &rc))
        return rc;
    return kind ? cms_help_missing(name) : cms_message("PIP", MESSAGE_PIPE_ENTRY_POINT, name);
}

struct helped {
    char name[20];
};

static int help_prepare(struct stage *stage, struct scan *operands)
{
    struct helped *h = stage->state;
    if (!cms_scan_upper(operands, h->name, sizeof h->name))
        strcpy(h->name, "HELP");
    return cms_scan_end(operands);
}

static int help_begin(struct stage *stage)
{
    return cms_pipe_explain(((struct helped *)stage->state)->name);
}

const struct stage_kind cms_stage_help = {
    .name = "HELP", .abbreviation = 4, .place = PLACE_FIRST, .size = sizeof(struct helped),
    .format = "HELP [stage]",
    .help = HELP_TEXT("Shows what a stage does.  HELP PIPE stage is the same as PIPE HELP stage.\n"),
    .prepare = help_prepare, .begin = help_begin};

const struct command pipe_commands[] = {
    {"PIPE", 4, cms_pipe, HELP_TEXT("PIPE [(options)] stage | stage ... [endchar stage | stage ...] ..."),
     HELP_TEXT("Passes records through rows of stages.  HELP PIPE stage tells what one does:\n"
               "  < > >> APPEND BETWEEN BLOCK BUFFER CHANGE CHOP CMS COLLATE COMMAND CONSOLE\n"
               "  COPY COUNT CP DEBLOCK DROP DUPLICATE ELASTIC FANIN FANINANY FANINTWO FANOUT\n"
               "  FBLOCK FIND FRLABEL GATE GETFILES HELP HOLE INSERT INSIDE JOIN JUXTAPOSE\n"
               "  LITERAL LOCATE LOOKUP MERGE NFIND NLOCATE NOT NOTINSIDE OUTSIDE OVERLAY PAD\n"
               "  PREFACE PREFIX PRINTER PUNCH QUERY READER REVERSE REXX RUNPIPE SNAKE SORT\n"
               "  SPECS SPILL SPLIT STARMSG STATE STEM STRIP STRLITERAL TAKE TERMINAL\n"
               "  TIMESTAMP TOKENISE TOLABEL TRANSLATE UNIQUE VAR XLATE\n"
               "A doubled | is the character itself.  Options, in parentheses:\n"
               "  STAGESEP c    c is between stages instead of |\n"
               "  ENDCHAR c     c is between rows, each of which begins afresh\n"
               "  ESCAPE c      what follows c is only a character\n"
               "  NAME name     what messages call it\n"
               "  TRACE         shows each record that a stage puts\n"
               "  LISTERR       shows the return code, if it is not 0\n"
               "A label, a: before a stage, names it; alone it is its next stream, from 1 on:\n"
               "  PIPE (ENDCHAR ?) < ONE DATA | x: LOCATE /1/ | CONSOLE ? x: | > TWO DATA A\n"
               "shows the records that have a 1 and writes the others to a file.\n"
               "A range is n, n-m, n-*, n.m (m columns from n) or n;m (negative: from the\n"
               "end), of columns, WORDS n or Wn of words, FIELDS n or Fn of what lies between\n"
               "tabs; WORDSEPARATOR c, FIELDSEPARATOR c before it name others.  Several stand\n"
               "in parentheses.\n"
               "Text stands between any two delimiters, or is X and hexadecimal digits or B\n"
               "and binary ones.\n"), READS_REST},
    {0},
};
