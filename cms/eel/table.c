/* The two tables: rules and environments. */
#include <string.h>

#include "cms/eel/eel.h"
#include "cms/kernel/cp.h"

static const struct eel_environment brought[] = {
    {"REXX", EEL_REXX, false, false, "", ""},
    {"LINUX", EEL_NATIVE, false, false, "", ""},
    {"M68K", EEL_PROGRAM, false, false, "/usr/bin/qemu-m68k-static", "%f"},
    {"PICTURE", EEL_PROGRAM, false, false, "/usr/bin/catimg", "%f"},
    {"MACHINE", EEL_MACHINE, false, false, "", ""},
};
static const struct eel_rule rules_brought[] = {
    {EEL_BY_MAGIC, "MBOOT", "MACHINE", false}, {EEL_BY_MAGIC, "BZIMAGE", "MACHINE", false},
    {EEL_BY_MAGIC, "ELF", "LINUX", false},     {EEL_BY_MAGIC, "ELF68K", "M68K", false},
    {EEL_BY_MAGIC, "SCRIPT", "LINUX", false},  {EEL_BY_MAGIC, "JPEG", "PICTURE", false},
    {EEL_BY_MAGIC, "PNG", "PICTURE", false},   {EEL_BY_MAGIC, "GIF", "PICTURE", false},
    {EEL_BY_TYPE, "EXEC", "REXX", false},      {EEL_BY_TYPE, "MODULE", "LINUX", false},
    {EEL_BY_TYPE, "JPEG", "PICTURE", false},   {EEL_BY_TYPE, "JPG", "PICTURE", false},
    {EEL_BY_TYPE, "PNG", "PICTURE", false},    {EEL_BY_TYPE, "GIF", "PICTURE", false},
    {EEL_BY_TYPE, "M68K", "M68K", false},      {EEL_BY_TYPE, "KERNEL", "MACHINE", false},
};
enum { BROUGHT = sizeof brought / sizeof *brought, RULES_BROUGHT = sizeof rules_brought / sizeof *rules_brought };

static struct eel_environment environments[EEL_ENVIRONMENTS];
static struct eel_rule rules[EEL_RULES];
static size_t environment_count, rule_count;
static char forbidden[EEL_ENVIRONMENTS][EEL_NAME + 1];
static size_t forbidden_count;

static bool is_forbidden(const char *name)
{
    for (size_t i = 0; i < forbidden_count; i++)
        if (!strcmp(forbidden[i], name))
            return true;
    return false;
}

/* Under whatever name. */
static bool is_forbidden_path(const char *path)
{
    for (size_t i = 0; i < BROUGHT; i++)
        if (*brought[i].path && !strcmp(brought[i].path, path) && is_forbidden(brought[i].name))
            return true;
    return false;
}

/* Of files that are run by a program that the user names. */
static bool is_forbidden_program(const char *name, const char *path)
{
    return is_forbidden(name) || is_forbidden("LINUX") || is_forbidden_path(path);
}

static void copy(char *to, size_t size, const char *from, size_t n)
{
    n = n < size ? n : size - 1;
    memcpy(to, from, n);
    to[n] = 0;
}

static void note_forbidden(const char *name, size_t length)
{
    char text[EEL_NAME + 1];
    copy(text, sizeof text, name, length);
    if (forbidden_count < EEL_ENVIRONMENTS && !is_forbidden(text))
        copy(forbidden[forbidden_count++], sizeof *forbidden, text, strlen(text));
}

/* Once, since the directory says it at LOGON. */
static void ask_what_is_forbidden(void)
{
    static bool asked;
    char names[CMS_CP_FORBIDDEN_MAX];
    if (asked)
        return;
    asked = true;
    cms_cp_forbidden(names);
    for (const char *at = names; *at;) {
        size_t n = 0;
        while (at[n] && at[n] != ' ')
            n++;
        if (n)
            note_forbidden(at, n);
        at += n + (at[n] == ' ');
    }
}

void cms_eel_reset(void)
{
    ask_what_is_forbidden();
    memcpy(environments, brought, sizeof brought);
    memcpy(rules, rules_brought, sizeof rules_brought);
    environment_count = BROUGHT;
    rule_count = RULES_BROUGHT;
    for (size_t i = 0; i < BROUGHT; i++)
        environments[i].forbidden = is_forbidden(environments[i].name);
}

/* Until somebody asks there is nothing to keep. */
static void need_tables(void)
{
    if (environment_count)
        return;
    cms_eel_reset();
}

const struct eel_rule *cms_eel_rule(size_t index)
{
    need_tables();
    return index < rule_count ? &rules[index] : NULL;
}

const struct eel_environment *cms_eel_environment(size_t index)
{
    need_tables();
    return index < environment_count ? &environments[index] : NULL;
}

static struct eel_environment *find(const char *name)
{
    need_tables();
    for (size_t i = 0; i < environment_count; i++)
        if (!strcmp(environments[i].name, name))
            return &environments[i];
    return NULL;
}

const struct eel_environment *cms_eel_find(const char *name)
{
    return find(name);
}

static struct eel_rule *find_rule(enum eel_by by, const char *name)
{
    need_tables();
    for (size_t i = 0; i < rule_count; i++)
        if (rules[i].by == by && !strcmp(rules[i].name, name))
            return &rules[i];
    return NULL;
}

bool cms_eel_set_rule(enum eel_by by, const char *name, const char *environment)
{
    struct eel_rule *r = find_rule(by, name);
    if (!r && rule_count == EEL_RULES)
        return false;
    if (!r)
        r = &rules[rule_count++];
    *r = (struct eel_rule){.by = by, .own = true};
    copy(r->name, sizeof r->name, name, strlen(name));
    copy(r->environment, sizeof r->environment, environment, strlen(environment));
    return true;
}

/* The user's rule as CMS brings it, or gone. */
static void reset_rule(struct eel_rule *r)
{
    for (size_t i = 0; i < RULES_BROUGHT; i++)
        if (rules_brought[i].by == r->by && !strcmp(rules_brought[i].name, r->name)) {
            *r = rules_brought[i];
            return;
        }
    rule_count--;
    memmove(r, r + 1, (size_t)(rules + rule_count - r) * sizeof *r);
}

bool cms_eel_reset_rule(enum eel_by by, const char *name)
{
    struct eel_rule *r = find_rule(by, name);
    bool own = r && r->own;
    if (own)
        reset_rule(r);
    return own;
}

bool cms_eel_define(const char *name, const char *path, const char *arguments)
{
    struct eel_environment *e = find(name);
    if (!e && environment_count == EEL_ENVIRONMENTS)
        return false;
    if (!e)
        e = &environments[environment_count++];
    *e = (struct eel_environment){.kind = EEL_PROGRAM, .own = true, .forbidden = is_forbidden_program(name, path)};
    copy(e->name, sizeof e->name, name, strlen(name));
    copy(e->path, sizeof e->path, path, strlen(path));
    copy(e->arguments, sizeof e->arguments, arguments, strlen(arguments));
    return true;
}

bool cms_eel_reset_environment(const char *name)
{
    struct eel_environment *e = find(name);
    if (!e || !e->own)
        return false;
    for (size_t i = 0; i < BROUGHT; i++)
        if (!strcmp(brought[i].name, name)) {
            *e = brought[i];
            e->forbidden = is_forbidden(name);
            return true;
        }
    for (size_t i = rule_count; i--;)
        if (rules[i].own && !strcmp(rules[i].environment, name))
            reset_rule(&rules[i]);
    environment_count--;
    memmove(e, e + 1, (size_t)(environments + environment_count - e) * sizeof *e);
    return true;
}

void cms_eel_forbid(const char *name)
{
    struct eel_environment *e = find(name);
    note_forbidden(name, strlen(name));
    if (e)
        e->forbidden = true;
}

bool cms_eel_forbids(const char *name)
{
    need_tables();
    return is_forbidden(name);
}

static const struct eel_environment *by_rule(enum eel_by by, const char *name)
{
    const struct eel_rule *r = name ? find_rule(by, name) : NULL;
    return r ? find(r->environment) : NULL;
}

struct eel_verdict cms_eel_judge(const void *first, size_t bytes, const char *type)
{
    struct eel_verdict v = {.magic = cms_eel_magic(first, bytes), .by_type = by_rule(EEL_BY_TYPE, type)};
    const struct eel_environment *by_magic = by_rule(EEL_BY_MAGIC, v.magic);
    v.environment = by_magic ? by_magic : v.by_type;
    v.by = by_magic ? EEL_BY_MAGIC : v.by_type ? EEL_BY_TYPE : EEL_BY_NOTHING;
    v.disagree = by_magic && v.by_type && by_magic != v.by_type;
    return v;
}
