/* /dev/cms: how a program has CMS and CP obey commands, and how CMS reaches into the program meanwhile.
 *
 * A message is one write(2) or one read(2): its first byte says what it is. The program asks:
 *     C line   obey as CMS does what is typed       K line   as ADDRESS COMMAND: CMS' own commands only, by whole names
 *     P line   have CP obey                         D line   have CP obey, and give its answer back
 *     O line   as C, what it shows is told          S line   as C, what it shows is typed on a cleared screen
 *     B line   as a stage of a pipeline, of which CMS_STAGE says that the program is one
 *     E name   where is the EXEC of that name       U        the stack's lines that the program does not have yet
 *     F text, L text   onto CMS' stack, last or first        X rc     what EXEC is to return
 * and reads until the message that ends the request:
 *     R rc     done                                 A rc text   done: CP's answer; for E: the path, NUL, the fileid
 * and before it, while a command runs that wants something of the program:
 *     G name   which value has the variable   -> V value, or N
 *     S length name value   set the variable  -> V, or N
 *     F text, L text   onto the program's stack, last or first (no answer)
 *     T        take the stack's next line     -> V line, or N
 *     Q        how many lines are stacked     -> V number
 *     O text   a line that is shown, or the end of one (no answer); o text: a part of one
 * All numbers are decimal text ended by a blank. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* What CMS may do with the program while one of its commands runs. */
struct device_variables {
    bool (*get)(const char *name, size_t name_length, char **value, size_t *length); /* *value: RexxFreeMemory's */
    bool (*set)(const char *name, size_t name_length, const char *value, size_t length);
    void (*push)(const char *line, size_t length, bool first);
    bool (*pull)(char **line, size_t *length); /* *line: RexxFreeMemory's */
    unsigned long (*lines)(void);
    void (*told)(const char *text, size_t length, bool ends); /* of TOLD: a line, or a part of one that goes on */
};

/* Without the device all below answers that it cannot be done. The descriptor may be given: CMS_DEVICE=number. */
void device_open(void);
/* A value as get and pull give it. */
char *device_value(const char *text, size_t length);
/* `environment` is CMS, COMMAND, CP, TOLD (O), SHOWN (S) or PIPE (B); false: there is no such one. */
bool device_obey(const char *environment, const char *line, size_t length, const struct device_variables *, long *rc);
bool device_ask_cp(const char *line, size_t length, char **answer, size_t *answer_length, long *rc); /* free() it */
bool device_find_exec(const char *name, char **path, char **fileid);                                 /* free() both */
/* Lines of CMS' stack, until false; and back to it. */
bool device_unstack(char **line, size_t *length); /* free() it */
void device_stack(const char *line, size_t length, bool first);
void device_end(long rc);
