/* What SET sets and QUERY tells, for one user, from IPL to IPL. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum setting_emsg { EMSG_ON, EMSG_OFF, EMSG_CODE, EMSG_TEXT };
enum setting_rdymsg { RDYMSG_LMSG, RDYMSG_SMSG };
enum setting_switch { SWITCH_ON, SWITCH_OFF };

struct settings {
    uint8_t abbrev, emsg, fullscreen, impcp, impex, rdymsg; /* one of the enums above */
};

extern struct settings cms_settings;
