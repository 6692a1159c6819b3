/* What HELP says stands in the source beside what it explains, and goes to HELP files when VM/N is built
 * (images/help): the nucleus has none of it. */
#pragma once

#ifdef VMN_HOST
#define HELP_TEXT(...) __VA_ARGS__
#else
#define HELP_TEXT(...) (void *)0
#endif
