/* NAMES. In: records of the user's NAMES file. Out: who is meant by a nickname; and the file with another entry. */
#include "cms/spool/names.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/spool/spool.h"
#include "lib/format.h"

enum { LINE = 255 };

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static struct file_id names_id(void)
{
    struct file_id id = {.type = "NAMES", .letter = '*'};
    format_text(id.name, sizeof id.name, "%s", cms_cp_user());
    return id;
}

/* False: there is none. */
static bool find(struct file_found *found)
{
    struct file_search search = {.id = names_id()};
    return cms_file_next(&search, found);
}

struct names_file {
    struct file_found found;
    struct edf_reader *reader;
    uint8_t *record;
    uint32_t length;
};

static int failed(const char *module, enum edf_status status, const struct file_found *f)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(f, text);
    return cms_file_failed(module, status, f->mode, text);
}

static int open(const char *module, struct names_file *f)
{
    enum edf_status status = edf_open(f->found.mode->disk, f->found.facts.name, f->found.facts.type, &f->reader);
    f->record = status ? NULL : cms_heap_allocate(f->found.facts.lrecl + 1);
    if (!status && !f->record)
        status = EDF_NO_MEMORY;
    return status ? failed(module, status, &f->found) : 0;
}

static void close(struct names_file *f)
{
    if (f->reader)
        edf_close(f->reader);
    cms_heap_free(f->record);
}

/* The next record, as text. False: there is none, or *rc says why not. */
static bool read(const char *module, struct names_file *f, int *rc)
{
    enum edf_status status = edf_read(f->reader, f->record, f->found.facts.lrecl, &f->length);
    if (cms_halted())
        *rc = COMMAND_HALTED;
    else if (status && status != EDF_END)
        *rc = failed(module, status, &f->found);
    if (status || *rc)
        return false;
    f->record[f->length] = 0;
    return true;
}

/* ---- tags -------------------------------------------------------------------------------------------------------- */

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

/* The length of the tag that begins at `at`, with its colon and full stop; 0: none does. */
static size_t tag_at(const char *line, const char *at)
{
    size_t n = 1;
    if (*at != ':' || (at > line && at[-1] != ' '))
        return 0;
    while (upper(at[n]) >= 'A' && upper(at[n]) <= 'Z')
        n++;
    return n > 1 && at[n] == '.' ? n + 1 : 0;
}

static bool tag_is(const char *at, size_t length, const char *name)
{
    size_t i = 0;
    while (name[i] && upper(at[i + 1]) == name[i])
        i++;
    return !name[i] && i + 2 == length;
}

static void take(char *to, size_t most, const char *text, size_t length, bool fold)
{
    while (length && text[length - 1] == ' ')
        length--;
    for (; length && *text == ' '; length--)
        text++;
    size_t n = length < most ? length : most;
    for (size_t i = 0; i < n; i++)
        to[i] = fold ? upper(text[i]) : text[i];
    to[n] = 0;
}

static void take_tag(struct nickname *n, const char *tag, size_t length, const char *value, size_t bytes)
{
    if (tag_is(tag, length, "NICK"))
        take(n->nick, 8, value, bytes, true);
    else if (tag_is(tag, length, "USERID"))
        take(n->userid, 8, value, bytes, true);
    else if (tag_is(tag, length, "NODE"))
        take(n->node, 8, value, bytes, true);
    else if (tag_is(tag, length, "NAME"))
        take(n->name, NAMES_TEXT, value, bytes, false);
}

/* The tags of a line; an entry that ends with it goes to `entry`. False: no more are wanted. */
static bool take_line(const char *line, struct nickname *n, bool (*entry)(void *, const struct nickname *),
                      void *context)
{
    for (const char *at = line; *at;) {
        size_t tag = tag_at(line, at);
        const char *value = at + (tag ? tag : 1), *end = value;
        while (*end && !tag_at(line, end))
            end++;
        if (tag && tag_is(at, tag, "NICK")) {
            if (*n->nick && !entry(context, n))
                return false;
            *n = (struct nickname){0};
        }
        if (tag)
            take_tag(n, at, tag, value, (size_t)(end - value));
        at = end;
    }
    return true;
}

int names_each(const char *module, bool (*entry)(void *, const struct nickname *), void *context)
{
    struct names_file f = {0};
    struct nickname n = {0};
    if (!find(&f.found))
        return 0;
    int rc = open(module, &f);
    bool more = !rc;
    while (more && read(module, &f, &rc))
        more = take_line((const char *)f.record, &n, entry, context);
    if (!rc && more && *n.nick)
        entry(context, &n);
    close(&f);
    return rc;
}

/* ---- who is meant ------------------------------------------------------------------------------------------------ */

struct wanted {
    const char *nick;
    struct nickname found;
    unsigned count;
};

static bool compare(void *context, const struct nickname *n)
{
    struct wanted *w = context;
    bool same = !strcmp(n->nick, w->nick);
    if (same)
        w->found = *n;
    w->count += same;
    return !same;
}

int names_resolve(const char *module, const struct word *who, char userid[9])
{
    struct wanted w = {.nick = who->text};
    if (who->raw_length > 8)
        return cms_message(module, MESSAGE_INVALID_OPERAND, cms_typed(who));
    int rc = names_each(module, compare, &w);
    if (!rc && *w.found.node && strcmp(w.found.node, CMS_NODE))
        rc = cms_message(module, MESSAGE_OTHER_NODE, w.nick, w.found.node);
    format_text(userid, 9, "%s", w.count && *w.found.userid ? w.found.userid : who->text);
    return rc;
}

/* ---- NAMES ------------------------------------------------------------------------------------------------------- */

static bool show(void *context, const struct nickname *n)
{
    struct wanted *w = context;
    if (w->nick && strcmp(w->nick, n->nick))
        return true;
    if (!w->count++)
        cms_text("Nickname Userid   Node     Name");
    cms_text("%-8s %-8s %-8s %s", n->nick, n->userid, *n->node ? n->node : CMS_NODE, n->name);
    return !cms_halted();
}

static bool begins_entry(const char *line, const char *nick, bool *its)
{
    const char *at = line;
    while (*at == ' ')
        at++;
    size_t tag = tag_at(line, at);
    char name[9] = "";
    if (!tag || !tag_is(at, tag, "NICK"))
        return false;
    take(name, 8, at + tag, strcspn(at + tag, " "), true);
    *its = !strcmp(name, nick);
    return true;
}

/* The file's records but those of the entry; *any: there was one. */
static int copy_others(const char *module, struct spool_target *t, const char *nick, bool *any)
{
    struct names_file f = {0};
    bool its = false;
    *any = false;
    if (!find(&f.found))
        return 0;
    int rc = open(module, &f);
    while (!rc && read(module, &f, &rc)) {
        begins_entry((const char *)f.record, nick, &its);
        *any |= its;
        if (!its)
            rc = cms_spool_store(t, f.record, f.length);
    }
    close(&f);
    return rc;
}

/* `line` NULL: the entry goes. */
static int change(const char *nick, const char *line)
{
    struct file_found found;
    struct spool_target t = {.module = "NAM", .id = names_id(), .recfm = 'V', .replace = EDF_REPLACE};
    bool any;
    t.id.letter = find(&found) ? found.mode->letter : 'A';
    t.id.number = '0';
    int rc = cms_spool_target(&t);
    if (rc)
        return rc;
    rc = copy_others("NAM", &t, nick, &any);
    if (!rc && line)
        rc = cms_spool_store(&t, (const uint8_t *)line, strlen(line));
    if (!rc && !line && !any)
        rc = cms_message("NAM", MESSAGE_NO_NICKNAME, nick);
    return cms_spool_stored(&t, rc);
}

/* NAMES ADD nick userid [AT node] [name ...] */
static int add(const struct arguments *a)
{
    const struct word *nick = &a->operand[1], *userid = &a->operand[2], *node = NULL;
    int at = 3;
    char line[LINE];
    if (a->count < 3)
        return cms_message("NAM", MESSAGE_PARAMETER_MISSING, "ADD");
    if (a->count > 4 && cms_word_is(&a->operand[3], "AT", 2))
        node = &a->operand[4], at = 5;
    for (int i = 1; i < at; i++)
        if (a->operand[i].raw_length > 8 || strchr(a->operand[i].text, ':'))
            return cms_message("NAM", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[i]));
    size_t n = format_text(line, sizeof line, ":nick.%-8s :userid.%-8s :node.%-8s :name.", nick->text, userid->text,
                           node ? node->text : CMS_NODE);
    if (a->count > at) {
        const struct word *last = &a->operand[a->count - 1];
        const char *name = a->operand[at].raw, *end = last->raw + last->raw_length;
        size_t length = (size_t)(end - name) < NAMES_TEXT ? (size_t)(end - name) : NAMES_TEXT;
        memcpy(line + n, name, length);
        line[n + length] = 0;
    }
    return change(nick->text, line);
}

int cms_spool_names(const struct arguments *a)
{
    struct wanted w = {.nick = a->count ? a->operand[0].text : NULL};
    bool adds = a->count && cms_word_is(&a->operand[0], "ADD", 3);
    bool deletes = a->count && cms_word_is(&a->operand[0], "DELETE", 3);
    int most = adds ? COMMAND_WORDS_MAX : deletes ? 2 : 1;
    if (a->option_count)
        return cms_message("NAM", MESSAGE_INVALID_OPTION, cms_typed(&a->option[0]));
    if (a->count > most)
        return cms_message("NAM", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[most]));
    if (adds)
        return add(a);
    if (deletes)
        return a->count < 2 ? cms_message("NAM", MESSAGE_PARAMETER_MISSING, "DELETE")
                            : change(a->operand[1].text, NULL);
    int rc = names_each("NAM", show, &w);
    return rc || w.count || !w.nick ? rc : cms_message("NAM", MESSAGE_NO_NICKNAME, w.nick);
}
