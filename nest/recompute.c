/* The one place where what is kept and what it should be are compared.  Host build only. */
#include "nest/recompute.h"

#ifdef VMN_HOST
/* There is a libc here, but headers of it are not for this folder. */
int dprintf(int file, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void abort(void);

bool nest_recomputes = true;

static _Noreturn void differs(const char *what, const char *field, uint64_t kept, uint64_t made)
{
    dprintf(2, "out of date and nobody said so: %s: %s %#llx, not %#llx\n", what, field, (unsigned long long)kept,
           (unsigned long long)made);
    abort();
}

void nest_must_equal(const char *what, const struct vmcs *kept, const struct vmcs *made, const struct vmcs_set *fields)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_set_has(fields, i) && vmcs_get(kept, i) != vmcs_get(made, i))
            differs(what, vmcs_field_name(vmcs_field_rows[i].encoding), vmcs_get(kept, i), vmcs_get(made, i));
}

void nest_must_be_within(const char *what, const struct vmcs_set *differ, const struct vmcs_set *stale)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_set_has(differ, i) && !vmcs_set_has(stale, i))
            differs(what, vmcs_field_name(vmcs_field_rows[i].encoding), 0, 1);
}

void nest_must(const char *what, bool holds)
{
    if (!holds)
        differs(what, "", false, true);
}
#endif
