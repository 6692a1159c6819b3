/* GLOBALV: variables in named groups that outlive the EXEC that sets them; some outlive the session (SESSION GLOBALV)
 * or IPL too (LASTING GLOBALV). A record of these files is the group's name in 8 columns, the length of the
 * variable's name in three digits, its name, and its value; the latest counts. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/console/stack.h"
#include "cms/exec/exec.h"
#include "cms/exec/words.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/variables.h"
#include "lib/format.h"

enum { GROUP = 8, NAME = 250, VALUE = 4096, LENGTH_DIGITS = 3, HEAD = GROUP + LENGTH_DIGITS };
enum keep { KEEP_STORAGE, KEEP_SESSION, KEEP_LASTING };

static const char unnamed[] = "UNNAMED";
static const char *const file_names[] = {[KEEP_SESSION] = "SESSION", [KEEP_LASTING] = "LASTING"};

struct variable {
    struct variable *next;
    char group[GROUP + 1];
    uint16_t name_length, value_length;
    char text[]; /* the name, then the value */
};

static struct variable *variables; /* in the order in which they were first set */
static bool initialized;
static char selected[GROUP + 1] = "UNNAMED";

/* ---- the table ------------------------------------------------------------------------------------------------- */

static struct variable **find(const char *group, const char *name, size_t length)
{
    struct variable **v = &variables;
    while (*v && (strcmp((*v)->group, group) || (*v)->name_length != length || memcmp((*v)->text, name, length)))
        v = &(*v)->next;
    return v;
}

static bool store(const char *group, const char *name, size_t length, const char *value, size_t value_length)
{
    struct variable **old = find(group, name, length), *v;
    v = cms_heap_allocate_system(sizeof *v + length + value_length);
    if (!v)
        return false;
    *v = (struct variable){.next = *old ? (*old)->next : NULL, .name_length = (uint16_t)length,
                           .value_length = (uint16_t)value_length};
    memcpy(v->group, group, strlen(group) + 1);
    memcpy(v->text, name, length);
    memcpy(v->text + length, value, value_length);
    cms_heap_free(*old);
    *old = v;
    return true;
}

static void purge(const char *group)
{
    for (struct variable **v = &variables; *v;) {
        struct variable *gone = *v;
        if (group && strcmp(gone->group, group)) {
            v = &gone->next;
            continue;
        }
        *v = gone->next;
        cms_heap_free(gone);
    }
}

/* ---- the files ------------------------------------------------------------------------------------------------- */

static int failed(enum edf_status status, const struct mode *mode, enum keep keep)
{
    char text[FILE_ID_MAX];
    format_text(text, sizeof text, "%s GLOBALV A1", file_names[keep]);
    return cms_file_failed("GLB", status, mode, text);
}

/* A record of the user's own, who may have written anything there. */
static bool load_record(const char *record, size_t length)
{
    char group[GROUP + 1];
    uint32_t name_length;
    char digits[LENGTH_DIGITS + 1] = "";
    if (length < HEAD)
        return true;
    memcpy(group, record, GROUP);
    size_t n = GROUP;
    while (n && group[n - 1] == ' ')
        n--;
    group[n] = 0;
    memcpy(digits, record + GROUP, LENGTH_DIGITS);
    if (!n || !words_number(digits, &name_length) || !name_length || name_length > NAME || HEAD + name_length > length)
        return true;
    size_t value = length - HEAD - name_length;
    return store(group, record + HEAD, name_length, record + HEAD + name_length, value < VALUE ? value : VALUE);
}

static int load(enum keep keep)
{
    struct mode *mode = cms_mode_find('A');
    struct edf_reader *reader;
    struct edf_file_facts facts;
    uint32_t length;
    enum edf_status status = mode ? edf_open(mode->disk, file_names[keep], "GLOBALV", &reader) : EDF_NOT_FOUND;
    if (status)
        return status == EDF_NOT_FOUND ? 0 : failed(status, mode, keep);
    edf_reader_facts(reader, &facts);
    char *record = cms_heap_allocate(facts.lrecl + 1);
    status = record ? EDF_OK : EDF_NO_MEMORY;
    while (!status && !(status = edf_read(reader, record, facts.lrecl, &length)))
        if (!load_record(record, length))
            status = EDF_NO_MEMORY;
    cms_heap_free(record);
    edf_close(reader);
    return status == EDF_END ? 0 : failed(status, mode, keep);
}

static int keep_on_disk(enum keep keep, const char *group, const char *name, size_t length, const char *value,
                        size_t value_length)
{
    struct mode *mode = cms_mode_find('A');
    struct edf_writer *writer = NULL;
    if (!mode || mode->read_only)
        return cms_message("GLB", MESSAGE_READ_ONLY, "A");
    char *record = cms_heap_allocate(HEAD + length + value_length + 1);
    enum edf_status status = record ? EDF_OK : EDF_NO_MEMORY;
    if (!status) {
        size_t n = format_text(record, HEAD + 1, "%-8s%03zu", group, length);
        memcpy(record + n, name, length);
        memcpy(record + n + length, value, value_length);
        status = edf_append(mode->disk, file_names[keep], "GLOBALV", &writer);
        if (status == EDF_NOT_FOUND)
            status = edf_create(mode->disk, file_names[keep], "GLOBALV", '1', 'V', 0, EDF_NEW, &writer);
        if (!status)
            status = edf_write(writer, record, (uint32_t)(n + length + value_length));
        if (status)
            edf_abort(writer);
        else
            status = edf_commit(writer);
    }
    cms_heap_free(record);
    return status ? failed(status, mode, keep) : 0;
}

static int initialize(void)
{
    if (initialized)
        return 0;
    initialized = true;
    int rc = load(KEEP_LASTING);
    return rc ? rc : load(KEEP_SESSION);
}

/* ---- functions ------------------------------------------------------------------------------------------------- */

struct request {
    struct words words;
    const char *group;
    enum keep keep;
};

static int set_one(const struct request *r, const char *name, size_t length, const char *value, size_t value_length)
{
    if (length > NAME || value_length > VALUE)
        return cms_message("GLB", MESSAGE_INVALID_OPERAND, "list");
    if (!store(r->group, name, length, value, value_length))
        return cms_message("GLB", MESSAGE_VIRTUAL_STORAGE);
    return r->keep ? keep_on_disk(r->keep, r->group, name, length, value, value_length) : 0;
}

/* name value pairs; a last name alone has no value */
static int set(struct request *r)
{
    char name[NAME + 2], value[NAME + 2];
    size_t length;
    int rc = 0;
    while (!rc && (length = words_next(&r->words, name, sizeof name, true))) {
        size_t value_length = words_next(&r->words, value, sizeof value, false);
        rc = set_one(r, name, length, value, value_length < sizeof value ? value_length : sizeof value - 1);
    }
    return rc;
}

/* One name; all the rest is its value. */
static int set_literally(struct request *r)
{
    char name[NAME + 2];
    size_t length = words_next(&r->words, name, sizeof name, true);
    return length ? set_one(r, name, length, r->words.at, strlen(r->words.at))
                  : cms_message("GLB", MESSAGE_PARAMETER_MISSING, "SETL");
}

static int no_program(void)
{
    return cms_message("GLB", MESSAGE_NO_REXX);
}

/* A name that was never put has a null value. */
static int get(struct request *r)
{
    char name[NAME + 2];
    size_t length;
    while ((length = words_next(&r->words, name, sizeof name, true))) {
        const struct variable *v = length <= NAME ? *find(r->group, name, length) : NULL;
        enum cms_variable_status status = cms_variable_set(name, v ? v->text + length : "", v ? v->value_length : 0);
        if (status)
            return status == VARIABLE_NO_PROGRAM ? no_program() : cms_message("GLB", MESSAGE_NO_VARIABLE, name);
    }
    return 0;
}

static int put(struct request *r)
{
    char name[NAME + 2];
    size_t length, value_length;
    int rc = 0;
    char *value = cms_heap_allocate(VALUE);
    if (!value)
        return cms_message("GLB", MESSAGE_VIRTUAL_STORAGE);
    while (!rc && (length = words_next(&r->words, name, sizeof name, true))) {
        enum cms_variable_status status = cms_variable_get(name, value, VALUE, &value_length);
        if (status == VARIABLE_NO_PROGRAM)
            rc = no_program();
        else if (status == VARIABLE_UNSET)
            rc = set_one(r, name, length, name, length);
        else
            rc = set_one(r, name, length, value, value_length);
    }
    cms_heap_free(value);
    return rc;
}

static void each(struct request *r, void (*act)(const char *name, size_t length, const struct variable *))
{
    char name[NAME + 2];
    size_t length;
    if (!*r->words.at)
        for (const struct variable *v = variables; v; v = v->next)
            if (!strcmp(v->group, r->group))
                act(v->text, v->name_length, v);
    while ((length = words_next(&r->words, name, sizeof name, true)))
        act(name, length, length <= NAME ? *find(r->group, name, length) : NULL);
}

static void show(const char *name, size_t length, const struct variable *v)
{
    char line[NAME + VALUE + 8];
    size_t n = format_text(line, sizeof line, " %.*s=", (int)(length < NAME ? length : NAME), name);
    if (v)
        memcpy(line + n, v->text + v->name_length, v->value_length);
    cms_line(line, n + (v ? v->value_length : 0));
}

static int list(struct request *r)
{
    cms_text("SELECTED TABLE IS: %s", r->group);
    each(r, show);
    return 0;
}

static void stack_value(const char *name, size_t length, const struct variable *v)
{
    (void)name, (void)length;
    cms_stack_push(v ? v->text + v->name_length : "", v ? v->value_length : 0, true);
}

static int stack(struct request *r)
{
    each(r, stack_value);
    return 0;
}

static int purge_group(struct request *r)
{
    purge(r->group);
    return 0;
}

void cms_globalv_forget(void)
{
    purge(NULL);
    initialized = false;
}

static int initialize_again(struct request *r)
{
    (void)r;
    cms_globalv_forget();
    return initialize();
}

/* Each group's name once, where its first variable stands. */
static int each_group(void (*act)(const char *group))
{
    for (const struct variable *v = variables; v; v = v->next) {
        const struct variable *first = variables;
        while (strcmp(first->group, v->group))
            first = first->next;
        if (first == v)
            act(v->group);
    }
    return 0;
}

static void show_group(const char *group) { cms_text(" %s", group); }
static void stack_group(const char *group) { cms_stack_push(group, strlen(group), true); }

static int list_groups(struct request *r)
{
    (void)r;
    cms_text("GLOBAL GROUPS DEFINED ARE:");
    return each_group(show_group);
}

static int stack_groups(struct request *r) { return (void)r, each_group(stack_group); }

static const struct {
    const char *name;
    int (*run)(struct request *);
    enum keep keep;
} functions[] = {
    {"SET", set, KEEP_STORAGE},  {"SETS", set, KEEP_SESSION},  {"SETP", set, KEEP_LASTING},
    {"SETL", set_literally, KEEP_STORAGE},  {"SETLS", set_literally, KEEP_SESSION},
    {"SETLP", set_literally, KEEP_LASTING}, {"GET", get, KEEP_STORAGE}, {"PUT", put, KEEP_STORAGE},
    {"PUTS", put, KEEP_SESSION}, {"PUTP", put, KEEP_LASTING},  {"LIST", list, KEEP_STORAGE},
    {"STACK", stack, KEEP_STORAGE}, {"PURGE", purge_group, KEEP_STORAGE}, {"INIT", initialize_again, KEEP_STORAGE},
    {"GRPLIST", list_groups, KEEP_STORAGE}, {"GRPSTACK", stack_groups, KEEP_STORAGE},
};

static int run(struct request *r, const char *function)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].name, function)) {
            r->keep = functions[i].keep;
            return functions[i].run(r);
        }
    return cms_message("GLB", MESSAGE_INVALID_PARAMETER, function);
}

/* SELECT group alone stays for the calls that follow; with a function behind it, it is this call's. */
int cms_globalv(const struct arguments *a)
{
    struct request r = {.group = selected};
    char word[NAME], group[NAME];
    int rc = initialize();
    words_begin(&r.words, a->rest);
    if (rc)
        return rc;
    if (!words_next(&r.words, word, sizeof word, true))
        return cms_message("GLB", MESSAGE_NO_OPERANDS);
    if (strcmp(word, "SELECT"))
        return run(&r, word);
    size_t length = words_next(&r.words, group, sizeof group, true);
    if (length > GROUP)
        return cms_message("GLB", MESSAGE_INVALID_OPERAND, group);
    r.group = length ? group : unnamed;
    if (words_next(&r.words, word, sizeof word, true))
        return run(&r, word);
    memcpy(selected, r.group, strlen(r.group) + 1);
    return 0;
}
