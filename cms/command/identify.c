/* IDENTIFY: who, where and when. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/command/stacked.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "lib/format.h"

static const char *const date_forms[] = {"SHORTDATE", "FULLDATE", "ISODATE"};
enum date_form { SHORT_DATE, FULL_DATE, ISO_DATE, DATE_FORMS };

static void date_text(char text[12], const struct clock_date *d, enum date_form form)
{
    if (form == ISO_DATE)
        format_text(text, 12, "%04d-%02d-%02d", d->year, d->month, d->day);
    else if (form == FULL_DATE)
        format_text(text, 12, "%d/%02d/%04d", d->month, d->day, d->year);
    else
        format_text(text, 12, "%02d/%02d/%02d", d->month, d->day, d->year % 100);
}

static int identify(enum date_form form)
{
    static const char *const days[] = {"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"};
    struct clock_date d = cms_clock_split(cms_clock_now().unix_seconds);
    char date[12];
    date_text(date, &d, form);
    cms_text("%-8s AT %-8s VIA %-8s %s %02d:%02d:%02d %-8s %s", cms_cp_user(), CMS_NODE, "*", date, d.hour, d.minute,
             d.second, "UTC", days[d.weekday]);
    return 0;
}

int cms_identify(const struct arguments *a)
{
    enum date_form form = DATE_FORMS;
    struct stacked stacked;
    bool stacks, lifo;
    if (a->count)
        return cms_message("IDE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[0]));
    for (enum date_form f = SHORT_DATE; a->option_count && f < DATE_FORMS; f++)
        if (cms_word_is(&a->option[0], date_forms[f], 3))
            form = f;
    int rc = cms_stacked_options("IDE", a, form != DATE_FORMS, &stacks, &lifo);
    if (rc || !stacks)
        return rc ? rc : identify(form);
    cms_stacked_begin(&stacked, lifo);
    return cms_stacked_end(&stacked, "IDE", identify(form));
}
