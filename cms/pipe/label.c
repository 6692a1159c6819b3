/* In: an element of a row. Out: the label or connector that it begins with. */
#include "cms/pipe/label.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/pipe/pipeline.h"

static bool in_label(char c)
{
    return c > ' ' && c < 0x7f && c != ':' && c != '.' && c != '/' && c != '(' && c != ')' && c != '*';
}

/* *: or *.INPUT.n: and the like. */
static int read_connector(struct scan *element, struct label *label)
{
    char shown[40], side[8] = "";
    const char *colon = memchr(element->at, ':', (size_t)(element->end - element->at));
    const char *dot = memchr(element->at, '.', (size_t)(colon - element->at));
    const char *second = dot ? memchr(dot + 1, '.', (size_t)(colon - dot - 1)) : NULL;
    struct scan word = {dot ? dot + 1 : colon, second ? second : colon};
    bool sound = !dot || cms_scan_upper(&word, side, sizeof side);
    label->input = sound && dot && cms_abbreviates(side, "INPUT", 2);
    label->said = dot;
    sound = sound && (!dot || label->input || cms_abbreviates(side, "OUTPUT", 3)) && !cms_scan_more(&word);
    for (const char *at = second ? second + 1 : colon; sound && at < colon; at++) {
        sound = *at >= '0' && *at <= '9' && label->number < PIPE_STREAMS_MAX;
        label->number = label->number * 10 + *at - '0';
    }
    label->connector = true;
    struct scan rest = {colon + 1, element->end};
    if (sound && !cms_scan_more(&rest)) {
        element->at = element->end;
        return 0;
    }
    return cms_message("PIP", MESSAGE_PIPE_CONNECTOR,
                       cms_scan_shown(element->at, (size_t)(element->end - element->at), shown, sizeof shown));
}

int cms_pipe_read_label(struct scan *element, struct label *label)
{
    char shown[40];
    size_t n = 0, m = 0;
    *label = (struct label){0};
    if (!cms_scan_more(element))
        return 0;
    const char *at = element->at, *dot = NULL;
    if (*at == '*' && memchr(at, ':', (size_t)(element->end - at)) && at + 1 < element->end &&
        (at[1] == ':' || at[1] == '.'))
        return read_connector(element, label);
    while (at < element->end && in_label(*at))
        at++, n++;
    if (at < element->end && *at == '.')
        for (dot = ++at; at < element->end && in_label(*at); at++)
            m++;
    if (at == element->end || *at != ':')
        return 0;
    if (!n)
        return cms_message("PIP", MESSAGE_PIPE_NULL_LABEL);
    if (n > sizeof label->name - 1 || m > sizeof label->stream - 1)
        return cms_message("PIP", MESSAGE_PIPE_LABEL, cms_scan_shown(element->at, n, shown, sizeof shown));
    memcpy(label->name, element->at, n);
    if (dot)
        memcpy(label->stream, dot, m);
    label->given = true;
    element->at = at + 1;
    return 0;
}
