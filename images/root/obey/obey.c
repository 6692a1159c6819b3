/* CMS' commands from a program of Linux:
 *
 *     cms [-r] [-s] [command]
 *
 * has CMS obey the command, or the line read where none is given, and writes what that shows. -s: CMS shows it itself,
 * on a cleared screen. -r: the return code is written first, as a line, and the exit status is 0; else it is the return
 * code, 255 for those that it has no room for. What the command stacks is CMS' afterwards. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images/root/device.h"

enum { LINE_MAX_BYTES = 65536, NO_DEVICE = 255 };

/* ---- what is stacked meanwhile --------------------------------------------------------------------------------- */

static struct stacked {
    struct stacked *next;
    size_t length;
    char text[];
} *first_line;
static unsigned long lines;

static void push(const char *line, size_t length, bool first)
{
    struct stacked *s = malloc(sizeof *s + length), **at = &first_line;
    if (!s)
        return;
    s->length = length;
    memcpy(s->text, line, length);
    while (!first && *at)
        at = &(*at)->next;
    s->next = *at;
    *at = s;
    lines++;
}

static bool pull(char **line, size_t *length)
{
    struct stacked *s = first_line;
    if (!s)
        return false;
    *length = s->length;
    *line = device_value(s->text, s->length);
    first_line = s->next;
    lines--;
    free(s);
    return *line;
}

static unsigned long count(void)
{
    return lines;
}

static void give_stack_to_cms(void)
{
    for (struct stacked *s = first_line; s; s = s->next)
        device_stack(s->text, s->length, false);
}

/* ---- what is shown --------------------------------------------------------------------------------------------- */

static char *shown;
static size_t shown_length;

static void told(const char *text, size_t length, bool ends)
{
    char *larger = realloc(shown, shown_length + length + 1);
    if (!larger)
        return;
    shown = larger;
    memcpy(shown + shown_length, text, length);
    shown_length += length;
    if (ends)
        shown[shown_length++] = '\n';
}

static bool get(const char *name, size_t name_length, char **value, size_t *length)
{
    (void)name, (void)name_length, (void)value, (void)length;
    return false;
}

static bool set(const char *name, size_t name_length, const char *value, size_t length)
{
    (void)name, (void)name_length, (void)value, (void)length;
    return false;
}

static const struct device_variables variables = {get, set, push, pull, count, told};

/* ---- the command ----------------------------------------------------------------------------------------------- */

static char line[LINE_MAX_BYTES + 1];

/* False: it is too long. */
static bool read_command(char *const *words)
{
    size_t used = 0;
    if (!*words && fgets(line, sizeof line, stdin))
        line[strcspn(line, "\n")] = 0;
    for (; *words; words++) {
        int n = snprintf(line + used, sizeof line - used, used ? " %s" : "%s", *words);
        if (n < 0 || (size_t)n >= sizeof line - used)
            return false;
        used += (size_t)n;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *environment = "TOLD";
    bool tells_code = false;
    long rc;
    for (int option; (option = getopt(argc, argv, "+rs")) != -1;)
        if (option == 's')
            environment = "SHOWN";
        else if (option == 'r')
            tells_code = true;
        else
            return fprintf(stderr, "usage: cms [-r] [-s] [command]\n"), NO_DEVICE;
    device_open();
    if (!read_command(argv + optind) || !device_obey(environment, line, strlen(line), &variables, &rc)) {
        fprintf(stderr, "cms: CMS cannot be asked\n");
        return NO_DEVICE;
    }
    give_stack_to_cms();
    if (tells_code)
        printf("%ld\n", rc);
    fwrite(shown, 1, shown_length, stdout);
    if (fflush(stdout))
        return NO_DEVICE;
    return tells_code ? 0 : rc < 0 || rc > NO_DEVICE ? NO_DEVICE : (int)rc;
}
