/* See edf_check_ledger.h. */
#include "cms/edf/edf_check_ledger.h"
#include "lib/format.h"

void edf_check_note(struct check *c, const char *where, const char *format, ...)
{
    char text[160];
    va_list args;
    c->report->faults++;
    if (!c->fault)
        return;
    va_start(args, format);
    format_text_v(text, sizeof text, format, args);
    va_end(args);
    c->fault(c->ctx, where, text);
}

void edf_check_owner(const struct check *c, uint32_t owner, char name[CHECK_NAME])
{
    static const char *const fixed[] = {"nobody", "the reserved blocks", "the directory", "the map"};
    struct edf_file_facts facts;
    if (owner < OWNER_FILES) {
        format_text(name, CHECK_NAME, "%s", fixed[owner]);
        return;
    }
    edf_fst_facts(c->disk, directory_entry(c->disk, owner - OWNER_FILES), &facts);
    format_text(name, CHECK_NAME, "%s %s", facts.name, facts.type);
}

enum edf_status edf_check_claim(struct check *c, const char *where, uint32_t block, uint32_t owner)
{
    char other[CHECK_NAME];
    if (c->owners[block - 1] == OWNER_NONE) {
        c->owners[block - 1] = owner;
        return EDF_OK;
    }
    edf_check_owner(c, c->owners[block - 1], other);
    edf_check_note(c, where, "block %u is also used by %s", block, other);
    return edf_fail(c->disk, EDF_DAMAGED, NULL, block);
}
