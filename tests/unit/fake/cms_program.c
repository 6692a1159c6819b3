/* Programs and EXECs where there is no processor to run them: what was to be run is kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cms/eel/eel.h"
#include "cms/exec/exec.h"
#include "cms/help/root.h"
#include "cms/kernel/clock.h"
#include "tests/unit/fake/cms_machine.h"

/* Weak: a test of timers has a clock of its own. */
__attribute__((weak)) uint64_t cms_clock_ns(void)
{
    return 1000000000;
}

/* ---- EXECs: what was to be interpreted, and a program whose variables are a table ------------------------------ */

char fake_cms_interpreted[512];

int cms_exec_interpret(const struct file_found *found, const char *argument)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    snprintf(fake_cms_interpreted, sizeof fake_cms_interpreted, "%s: %s", text, argument);
    return 0;
}

/* ---- the root image: one HELP file, or none ---------------------------------------------------------------------- */

const char *fake_cms_root_help, *fake_cms_root_text;

int64_t cms_help_root_read(const char *file, void *bytes, size_t size)
{
    if (!fake_cms_root_help || strcmp(file, fake_cms_root_help))
        return -ENOENT;
    size_t length = strlen(fake_cms_root_text);
    memcpy(bytes, fake_cms_root_text, length < size ? length : size);
    return (int64_t)(length < size ? length : size);
}

/* ---- programs: what was to be run -------------------------------------------------------------------------------- */

char fake_cms_started[1024];
bool fake_program_unreadable;

void cms_program_path(const struct file_found *found, char path[PROGRAM_PATH])
{
    snprintf(path, PROGRAM_PATH, "/%c/%s.%s", found->mode->letter | 0x20, found->facts.name, found->facts.type);
    for (char *p = path; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
}

/* Its records, one behind the other. */
int cms_program_peek(const struct file_found *found, void *bytes, size_t size)
{
    struct edf_reader *file;
    size_t used = 0;
    uint32_t length;
    if (fake_program_unreadable || edf_open(found->mode->disk, found->facts.name, found->facts.type, &file))
        return -EIO;
    while (used < size && !edf_read(file, (uint8_t *)bytes + used, size - used, &length))
        used += length < size - used ? length : size - used;
    edf_close(file);
    return (int)used;
}

bool fake_cms_has_editor;

bool cms_program_find(const char *typed, char path[PROGRAM_FOUND])
{
    if (!strcmp(typed, "/usr/bin/the"))
        return fake_cms_has_editor;
    strcpy(path, "/bin/program");
    return !strcmp(typed, "program") || !strcmp(typed, "PROGRAM");
}

int cms_program_start(const char *path, const char *const arguments[])
{
    size_t n = (size_t)snprintf(fake_cms_started, sizeof fake_cms_started, "%s:", path);
    for (; *arguments && n < sizeof fake_cms_started; arguments++)
        n += (size_t)snprintf(fake_cms_started + n, sizeof fake_cms_started - n, " [%s]", *arguments);
    return 5;
}

int cms_program_machine(const struct file_found *found, const char *argument)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    snprintf(fake_cms_started, sizeof fake_cms_started, "machine %s: %s", text, argument);
    return 6;
}

void cms_program_recover(void)
{
}

int cms_query_program(const struct arguments *a)
{
    (void)a;
    return 0;
}
