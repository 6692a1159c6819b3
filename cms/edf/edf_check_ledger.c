/* See edf_check_ledger.h. */
#include "cms/edf/edf_check_ledger.h"
#include "lib/format.h"

static void tell(struct check *c, const char *where, bool fault, const char *format, va_list args)
{
    char text[160];
    if (!c->finding)
        return;
    format_text_v(text, sizeof text, format, args);
    c->finding(c->ctx, where, text, fault);
}

void edf_check_note(struct check *c, const char *where, const char *format, ...)
{
    va_list args;
    c->report->faults++;
    va_start(args, format);
    tell(c, where, true, format, args);
    va_end(args);
}

void edf_check_remark(struct check *c, const char *where, const char *format, ...)
{
    va_list args;
    c->report->notes++;
    va_start(args, format);
    tell(c, where, false, format, args);
    va_end(args);
}

void edf_check_owner(const struct check *c, uint32_t owner, char name[CHECK_NAME])
{
    static const char *const fixed[] = {"no file", "the reserved blocks", "the directory", "the map"};
    struct edf_file_facts facts;
    if (owner < OWNER_FILES) {
        format_text(name, CHECK_NAME, "%s", fixed[owner]);
        return;
    }
    const uint8_t *entry = directory_entry(c->disk, owner - OWNER_FILES);
    if (edf_fst_is_own(entry, OWN_ERASED)) {
        format_text(name, CHECK_NAME, "an erased file");
        return;
    }
    edf_fst_facts(c->disk, entry, &facts);
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
