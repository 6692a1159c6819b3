/* The rule of links. In: a mode, and what others have. Out: read, write, or no. */
#include "cp/minidisk/link.h"

/* z/VM CP "LINK", what each mode gives when nobody has the disk, others read it, or others write it. */
enum grant { NO, READ, WRITE, FORCED };
static const enum grant grants[LINK_MODES][3] = {
    [LINK_R] = {READ, READ, NO},         [LINK_RR] = {READ, READ, READ}, [LINK_W] = {WRITE, NO, NO},
    [LINK_WR] = {WRITE, FORCED, FORCED}, [LINK_M] = {WRITE, WRITE, NO},  [LINK_MR] = {WRITE, WRITE, FORCED},
    [LINK_MW] = {WRITE, WRITE, WRITE},
};

enum link_result link_decide(enum link_mode mode, struct link_others others, bool *write)
{
    enum grant grant = grants[mode][others.writers ? 2 : others.readers ? 1 : 0];
    *write = grant == WRITE;
    return grant == NO ? LINK_REFUSED : grant == FORCED ? LINK_FORCED_READ : LINK_OK;
}
