/* The rule of links. In: a mode, and what others have. Out: read, write, or no. */
#include "cp/minidisk/link.h"

/* z/VM CP "LINK", what each mode gives when nobody has the disk, others read it, or others write it. */
enum given { NO, READ, WRITE, FORCED };
static const enum given rule[LINK_MODES][3] = {
    [LINK_R] = {READ, READ, NO},         [LINK_RR] = {READ, READ, READ}, [LINK_W] = {WRITE, NO, NO},
    [LINK_WR] = {WRITE, FORCED, FORCED}, [LINK_M] = {WRITE, WRITE, NO},  [LINK_MR] = {WRITE, WRITE, FORCED},
    [LINK_MW] = {WRITE, WRITE, WRITE},
};

enum link_result link_decide(enum link_mode mode, struct link_others others, bool *write)
{
    enum given given = rule[mode][others.writers ? 2 : others.readers ? 1 : 0];
    *write = given == WRITE;
    return given == NO ? LINK_REFUSED : given == FORCED ? LINK_FORCED_READ : LINK_OK;
}
