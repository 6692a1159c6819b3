/* All stages, and the PIPE command. */
#include "cms/pipe/stages.h"

const struct stage_kind *const cms_pipe_stages[] = {
    &cms_stage_read,    &cms_stage_append, &cms_stage_write,  &cms_stage_between, &cms_stage_change, &cms_stage_command,
    &cms_stage_console, &cms_stage_count,  &cms_stage_cp,     &cms_stage_drop,    &cms_stage_hole,   &cms_stage_join,
    &cms_stage_literal, &cms_stage_locate, &cms_stage_nlocate, &cms_stage_sort,   &cms_stage_specs,  &cms_stage_split,
    &cms_stage_starmsg, &cms_stage_take,    &cms_stage_unique, &cms_stage_xlate,  NULL,
};

const struct command pipe_commands[] = {
    {"PIPE", 4, cms_pipe, "PIPE [(STAGESEP c)] stage | stage ...",
     "Passes records through a row of stages.  A doubled | is the character itself.\n"
     "  < fn ft [fm]            the records of a file\n"
     "  > fn ft fm [F [n]|V]    replace a file, once the whole pipeline ended well\n"
     "  >> fn ft fm [F [n]|V]   add to a file\n"
     "  LITERAL text            one record, then the input\n"
     "  CONSOLE                 first: what you type, till a null line; else show it\n"
     "  CMS command             the lines a command shows; so CP command\n"
     "  STARMSG                 first: special messages (see CP) that wait, up to the\n"
     "                          last; it waits for none to come, so ask again later:\n"
     "                          8 characters of kind, 8 of who sent it, and the text\n"
     "  HOLE                    nothing\n"
     "  LOCATE [range] /text/   records that contain it; NLOCATE: those that do not\n"
     "  BETWEEN /a/ /b/|n       from one that begins with a to one with b, or n\n"
     "  TAKE [FIRST|LAST] n     the first or last records; DROP: all but those\n"
     "  SORT [UNIQUE|COUNT] [ANYCASE] [range [A|D]]...\n"
     "  UNIQUE [COUNT] [ANYCASE] [range] [LAST|FIRST|SINGLES|MULTIPLES]\n"
     "  COUNT [CHARS] [WORDS] [LINES] [MINLINE] [MAXLINE]\n"
     "  CHANGE [ANYCASE] [range] /from/to/ [n]\n"
     "  XLATE [UPPER|LOWER]     fold to upper or lower case\n"
     "  SPLIT [AT|BEFORE|AFTER] [c|STRING /text/|ANYOF /characters/]\n"
     "  JOIN [n|*] [/text/] [max]\n"
     "  SPECS input [STRIP] [C2X] output [LEFT|CENTER|RIGHT] ...\n"
     "     input: a range, /text/ or NUMBER;\n"
     "     output: n, n-m, n.m, NEXT[.m], NEXTWORD[.m]\n"
     "A range is n, n-m, n-*, n.m (m columns from n), or Wn, Wn-m (words).\n"
     "Text stands between any two delimiters, or is X and hexadecimal digits.\n", READS_REST},
    {0},
};
