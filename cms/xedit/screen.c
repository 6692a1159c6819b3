/* Panels: lists and texts shown full screen by THE. A panel is a profile in the root image, /etc/NAME.the, which has
 * CMS obey what is typed in it, by the program cms (images/root/obey). */
#include <string.h>

#include "cms/command/settings.h"
#include "cms/console/output.h"
#include "cms/console/terminal.h"
#include "cms/eel/eel.h"
#include "cms/xedit/xedit.h"
#include "lib/format.h"

static const char editor[] = "/usr/bin/the";

bool cms_has_full_screen(void)
{
    char found[PROGRAM_FOUND];
    return cms_settings.fullscreen == SWITCH_ON && cms_terminal_height() && cms_terminal_width() &&
           cms_output_shows() && cms_program_find(editor, found);
}

bool cms_full_screen(const char *panel, const char *line, int *rc)
{
    char profile[32];
    if (!cms_has_full_screen())
        return false;
    format_text(profile, sizeof profile, "/etc/%s.the", panel);
    /* THE wants a file: it has one that is there, so that it says nothing of a new one, and that nobody can change */
    const char *const words[] = {"the", "-p", profile, "-a", line, profile, NULL};
    *rc = cms_program_start(editor, words);
    return true;
}
