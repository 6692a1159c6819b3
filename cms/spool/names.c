/* NAMES. In: records of the user's NAMES file. Out: its entries, and who is meant by a nickname. */
#include "cms/spool/names.h"

#include <string.h>

#include "cms/kernel/cp.h"
#include "cms/spool/sent.h"
#include "lib/format.h"

/* ---- tags -------------------------------------------------------------------------------------------------------- */

char names_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

size_t names_tag_at(const char *line, const char *at)
{
    size_t n = 1;
    if (*at != ':' || (at > line && at[-1] != ' '))
        return 0;
    while (names_upper(at[n]) >= 'A' && names_upper(at[n]) <= 'Z')
        n++;
    return n > 1 && at[n] == '.' ? n + 1 : 0;
}

bool names_tag_is(const char *at, size_t length, const char *name)
{
    size_t i = 0;
    while (name[i] && names_upper(at[i + 1]) == name[i])
        i++;
    return !name[i] && i + 2 == length;
}

bool names_word(char to[9], const char *text, size_t length)
{
    for (; length && *text == ' '; length--)
        text++;
    size_t word = 0;
    while (word < length && text[word] != ' ')
        word++;
    for (size_t i = 0; i < word && i < 8; i++)
        to[i] = names_upper(text[i]);
    to[word < 8 ? word : 8] = 0;
    return word <= 8;
}

/* The first counts. */
static void take_word(struct nickname *n, char to[9], const char *text, size_t length)
{
    if (!*to && !names_word(to, text, length))
        n->cut = true;
}

/* Without the blanks around it: its length. */
static size_t trim(const char **text, size_t length)
{
    while (length && (*text)[length - 1] == ' ')
        length--;
    for (; length && **text == ' '; length--)
        ++*text;
    return length;
}

static void take_name(char to[NAMES_TEXT + 1], const char *text, size_t length)
{
    length = trim(&text, length);
    size_t n = length < NAMES_TEXT ? length : NAMES_TEXT;
    if (!*to)
        memcpy(to, text, n);
}

/* Behind what is there, since it may go over several records. */
static void take_list(struct nickname *n, const char *text, size_t length)
{
    size_t at = strlen(n->list);
    length = trim(&text, length);
    if (length && at && at < NAMES_LIST)
        n->list[at++] = ' ';
    size_t room = NAMES_LIST - at;
    n->cut |= length > room;
    memcpy(n->list + at, text, length < room ? length : room);
}

static void take_tag(struct nickname *n, const char *tag, size_t length, const char *value, size_t bytes)
{
    bool list = names_tag_is(tag, length, "LIST");
    n->lists = list && !*n->list;
    if (names_tag_is(tag, length, "NICK"))
        take_word(n, n->nick, value, bytes);
    else if (names_tag_is(tag, length, "USERID"))
        take_word(n, n->userid, value, bytes);
    else if (names_tag_is(tag, length, "NODE"))
        take_word(n, n->node, value, bytes);
    else if (names_tag_is(tag, length, "NAME"))
        take_name(n->name, value, bytes);
    else if (n->lists)
        take_list(n, value, bytes);
}

/* The tags of a line; an entry that ends with it goes to `entry`. False: no more are wanted. */
static bool take_line(const char *line, struct nickname *n, bool (*entry)(void *, const struct nickname *),
                      void *context)
{
    for (const char *at = line; *at;) {
        size_t tag = names_tag_at(line, at);
        const char *value = at + tag, *end = value + !tag;
        while (*end && !names_tag_at(line, end))
            end++;
        if (tag && names_tag_is(at, tag, "NICK")) {
            if (*n->nick && !entry(context, n))
                return false;
            *n = (struct nickname){0};
        }
        if (tag)
            take_tag(n, at, tag, value, (size_t)(end - value));
        else if (n->lists && *line != '*')
            take_list(n, value, (size_t)(end - value));
        at = end;
    }
    return true;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

bool names_file(struct file_id *id, struct file_found *found)
{
    struct file_search search;
    *id = (struct file_id){.type = "NAMES", .letter = '*'};
    format_text(id->name, sizeof id->name, "%s", cms_cp_user());
    search = (struct file_search){.id = *id};
    return cms_file_next(&search, found);
}

enum { ENOUGH = 1 };

struct entries {
    bool (*entry)(void *, const struct nickname *);
    void *context;
    struct nickname now;
};

static int take_record(void *context, uint8_t *record, size_t length)
{
    struct entries *e = context;
    (void)length;
    return take_line((const char *)record, &e->now, e->entry, e->context) ? 0 : ENOUGH;
}

int names_each(const char *module, bool (*entry)(void *context, const struct nickname *), void *context)
{
    struct entries e = {.entry = entry, .context = context};
    struct file_found found;
    struct file_id id;
    struct sent file;
    if (!names_file(&id, &found))
        return 0;
    int rc = sent_open(&file, module, &found);
    if (!rc)
        rc = sent_each(&file, take_record, &e);
    if (!rc && *e.now.nick)
        entry(context, &e.now);
    sent_close(&file);
    return rc == ENOUGH ? 0 : rc;
}

struct wanted {
    const char *nick;
    struct nickname *found;
};

static bool compare(void *context, const struct nickname *n)
{
    struct wanted *w = context;
    bool same = !strcmp(n->nick, w->nick);
    if (same)
        *w->found = *n;
    return !same;
}

int names_find(const char *module, const char *nick, struct nickname *found)
{
    struct wanted w = {.nick = nick, .found = found};
    *found = (struct nickname){0};
    return names_each(module, compare, &w);
}

