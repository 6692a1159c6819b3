/* SET: how CP treats this session. */
#include "cp/command/families.h"
#include "cp/command/share.h"

const char command_set_help[] =
    "SET {MSG | WNG | IMSG | SMSG | RUN} {ON | OFF}\n"
    "SET EMSG {ON | OFF | CODE | TEXT}\n"
    "SET NESTED {OFF | TRAP | SHADOW | MEMORY | CHAIN}\n"
    "SET SHARE userid {RELATIVE n | ABSOLUTE n% | INITIAL}\n"
    "MSG, WNG, IMSG: receive messages, warnings, CP's information. SMSG ON: special\n"
    "messages, for a program that takes them. RUN ON: #CP does not stop the machine.\n"
    "EMSG: what of an error message is shown. NESTED: the virtual VMX the machine is\n"
    "offered from its next reset, up to what the directory allows. SHARE (class A):\n"
    "what a user gets of the processor while others want it too: n of 1 to 10000\n"
    "parts (100 is usual), so much of all, or what the directory says.\n";

struct choice {
    const char *name;
    unsigned least;
    uint8_t clear, set;
};

struct setting {
    const char *name;
    const struct choice *choice;
};

#define ON_OFF(bit)                                                                                                    \
    (const struct choice[])                                                                                            \
    {                                                                                                                  \
        {"ON", 2, 0, bit}, {"OFF", 3, bit, 0}, { 0 }                                                                   \
    }
enum { BOTH = SET_EMSG_CODE | SET_EMSG_TEXT };

static const struct setting settings[] = {
    {"MSG", ON_OFF(SET_MSG)},
    {"WNG", ON_OFF(SET_WNG)},
    {"IMSG", ON_OFF(SET_IMSG)},
    {"SMSG", ON_OFF(SET_SMSG)},
    {"RUN", ON_OFF(SET_RUN)},
    {"EMSG", (const struct choice[]){{"ON", 2, 0, BOTH},
                                     {"OFF", 3, BOTH, 0},
                                     {"CODE", 4, BOTH, SET_EMSG_CODE},
                                     {"TEXT", 4, BOTH, SET_EMSG_TEXT},
                                     {0}}},
    {0},
};

static unsigned refuse(struct call *c, struct word w)
{
    char text[32];
    word_upper(w, text, sizeof text);
    return w.length ? FAIL(c, "CFS", 2, text) : FAIL(c, "CFS", 26, "");
}

static unsigned set_nested(struct call *c, struct word value)
{
    unsigned most = c->session->user->machine.nesting, failed = call_end(c, "CFS");
    for (unsigned i = 0; i < NEST_MODES && !failed; i++) {
        if (!word_is(value, nest_mode_names[i].upper, 2))
            continue;
        if (i > most)
            return FAIL(c, "CFS", 9018, nest_mode_names[i].upper, nest_mode_names[most].upper);
        c->session->nested = i;
        return 0;
    }
    return failed ? failed : refuse(c, value);
}

unsigned command_set(struct call *c)
{
    struct word name, value;
    call_next(c, &name);
    if (word_is(name, "SHARE", 4))
        return command_set_share(c);
    call_next(c, &value);
    if (word_is(name, "NESTED", 4))
        return set_nested(c, value);
    const struct setting *s = settings;
    while (s->name && !word_is(name, s->name, 3))
        s++;
    if (!s->name)
        return refuse(c, name);
    for (const struct choice *choice = s->choice; choice->name; choice++) {
        if (!word_is(value, choice->name, choice->least))
            continue;
        unsigned failed = call_end(c, "CFS");
        if (!failed)
            c->session->settings = (c->session->settings & ~choice->clear) | choice->set;
        return failed;
    }
    return refuse(c, value);
}
