#include "cms/command/session.h"

#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/complete.h"
#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/command/settings.h"
#include "cms/command/synonym.h"
#include "cms/command/version.h"
#include "cms/console/console.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { SYSTEM_DISK = 0x190, USER_DISK = 0x191, DEPTH_MAX = 8, RETURN_ABEND = 256, RETURN_UNKNOWN = -3 };

static struct clock_time last; /* when the CPU clocks were read for the last Ready */
static int depth;

bool cms_halted(void)
{
    return cms_console_halted();
}

static int tell_too_long(void)
{
    return cms_message("INT", MESSAGE_LINE_TOO_LONG, cms_console_typed(), LINE_TEXT_MAX);
}

int cms_read(char *line, size_t size)
{
    static char text[LINE_TEXT_MAX + 1];
    int length;
    while ((length = cms_console_read(text, sizeof text, CONSOLE_ANSWER)) == CONSOLE_TOO_LONG)
        tell_too_long();
    if (length >= 0 && size) {
        length = (size_t)length < size ? length : (int)size - 1;
        memcpy(line, text, (size_t)length);
        line[length] = 0;
    }
    return length;
}

static int run(const struct command *c, const struct arguments *a)
{
    if (a->too_many && c->reads == READS_WORDS)
        return cms_message("INT", MESSAGE_INVALID_OPERAND, "list");
    return c->run(a);
}

static int obey_named(const struct arguments *a)
{
    const struct command *c;
    int rc;
    if (cms_settings.impex == SWITCH_ON && cms_implied_exec(a, &rc))
        return rc;
    if ((c = cms_command_of(&a->name, cms_settings.abbrev == SWITCH_ON)))
        return run(c, a);
    return cms_implied_file(a, &rc) ? rc : cms_cp_implied(a);
}

/* The line with the command for which its first word is the user's own name. */
static int obey_synonym(const struct arguments *a, const char *command)
{
    struct arguments meant;
    const char *rest = a->name.raw + a->name.raw_length;
    size_t n = strlen(command), size = n + strlen(rest) + 1;
    if (size > COMMAND_LINE_MAX + 1)
        return cms_message("INT", MESSAGE_LINE_TOO_LONG, size - 1, COMMAND_LINE_MAX);
    char *line = cms_heap_allocate(COMMAND_LINE_MAX + 1);
    if (!line)
        return cms_message("INT", MESSAGE_VIRTUAL_STORAGE);
    memcpy(line, command, n);
    memcpy(line + n, rest, size - n);
    int rc = cms_parse(line, &meant) ? obey_named(&meant) : 0;
    cms_heap_free(line);
    return rc;
}

/* An EXEC goes before a synonym of its name. */
static int obey_typed(const struct arguments *a)
{
    const char *command = cms_synonym_find(&a->name, cms_settings.abbrev == SWITCH_ON);
    int rc;
    if (!command)
        return obey_named(a);
    if (cms_settings.impex == SWITCH_ON && cms_implied_exec(a, &rc))
        return rc;
    return obey_synonym(a, command);
}

static int obey_command(const struct arguments *a)
{
    const struct command *c = cms_command_of(&a->name, false);
    int rc;
    if (c)
        return run(c, a);
    return cms_implied_file(a, &rc) || cms_implied_program(a, &rc) ? rc : RETURN_UNKNOWN;
}

/* A line without a word, or a comment, does nothing. */
static int obey(const char *line, int (*way)(const struct arguments *))
{
    struct arguments a;
    if (!cms_parse(line, &a) || *a.name.text == '*')
        return 0;
    if (depth == DEPTH_MAX)
        return cms_message("INT", MESSAGE_TOO_DEEP);
    depth++;
    int rc = way(&a);
    depth--;
    return rc;
}

int cms_obey(const char *line)
{
    return obey(line, obey_typed);
}

int cms_obey_command(const char *line)
{
    return obey(line, obey_command);
}

/* CPU time in seconds and hundredths, rounded up: what took any time never shows as none */
static void seconds(char text[24], uint64_t ns)
{
    uint64_t hundredths = (ns + 9999999) / 10000000;
    format_text(text, 24, "%lu.%02lu", hundredths / 100, hundredths % 100);
}

static void ready(int return_code)
{
    char code[16] = "", line[80], virtual_time[24], total_time[24];
    size_t n;

    if (return_code)
        format_text(code, sizeof code, return_code < 0 ? "(-%04d)" : "(%05d)",
                    return_code < 0 ? -return_code : return_code);
    if (cms_settings.rdymsg == RDYMSG_SMSG) {
        n = format_text(line, sizeof line, "Ready%s;", code);
    } else {
        struct clock_time now = cms_clock_now();
        struct clock_date d = cms_clock_split(now.unix_seconds);
        seconds(virtual_time, now.virtual_ns - last.virtual_ns);
        seconds(total_time, now.total_ns - last.total_ns);
        last = now;
        n = format_text(line, sizeof line, "Ready%s; T=%s/%s %02d:%02d:%02d", code, virtual_time, total_time, d.hour,
                        d.minute, d.second);
    }
    cms_console_line(line, n);
}

/* HX is what the user wanted, no error. */
static void end_command(int return_code)
{
    cms_exec_line_ends();
    cms_console_command_ends();
    cms_heap_free_commands();
    ready(return_code == COMMAND_HALTED ? 0 : return_code);
}

/* 0, or what it returned. */
static int run_profile(void)
{
    struct arguments a;
    int rc = 0;
    cms_parse("PROFILE", &a);
    cms_console_command_begins();
    cms_implied_exec(&a, &rc);
    return rc;
}

void cms_session_start(bool disks, bool profile)
{
    static const char banner[] = CMS_PRODUCT " CMS Version " CMS_VERSION;
    int rc = 0;

    cms_console_start(cms_command_complete);
    cms_console_line(banner, sizeof banner - 1);
    if (disks) {
        cms_access_disk(SYSTEM_DISK, 'S', 'S', true);
        rc = cms_access_disk(USER_DISK, 'A', 'A', false);
    }
    if (disks && profile && !rc)
        rc = run_profile();
    end_command(rc);
}

static bool is_blank(const char *line)
{
    while (*line == ' ')
        line++;
    return !*line;
}

/* With CP the times are those since the last Ready; without it they run on while nobody types, so they begin anew. */
void cms_session_step(void)
{
    static char line[LINE_TEXT_MAX + 1];

    if (cms_console_read(line, sizeof line, CONSOLE_COMMAND) < 0) {
        cms_console_command_begins();
        end_command(tell_too_long());
        return;
    }
    if (is_blank(line)) {
        cms_console_line("CMS", 3);
        return;
    }
    if (!cms_cp_present())
        last = cms_clock_now();
    cms_console_command_begins();
    end_command(cms_obey(line));
}

void cms_session_recover(const char *exception, uint64_t address)
{
    depth = 0;
    cms_program_recover();
    cms_console_recover();
    cms_message("ITP", MESSAGE_EXCEPTION, exception, address);
    cms_heap_free_commands();
    cms_mode_recover();
    end_command(RETURN_ABEND);
}

void cms_session_elsewhere(void)
{
    depth = 0;
    last = cms_clock_now(); /* the machine's own times, not those of the one that was saved */
    cms_program_recover();
    cms_console_recover();
    cms_message("INI", MESSAGE_ELSEWHERE);
    cms_heap_free_commands();
    cms_mode_recover();
    end_command(0);
}
