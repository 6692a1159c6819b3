#include "cms/kernel/sleep.h"

void cms_sleep_until(bool (*done)(void *context), void *context)
{
    while (!done(context))
        cms_sleep(true);
}
