/* NAMES as a command: shows entries, and writes the file with another one. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/cp.h"
#include "cms/spool/names.h"
#include "cms/spool/sent.h"
#include "cms/spool/spool.h"
#include "lib/format.h"

enum { LINE = 512 };

/* ---- what there is ----------------------------------------------------------------------------------------------- */

struct wanted {
    const char *nick; /* NULL: all */
    unsigned count;
};

static bool show(void *context, const struct nickname *n)
{
    struct wanted *w = context;
    bool list = *n->list;
    if (w->nick && strcmp(w->nick, n->nick))
        return true;
    if (!w->count++)
        cms_text("Nickname Userid   Node     Name");
    cms_text("%-8s %-8s %-8s %s%s%s", n->nick, *n->userid || !list ? n->userid : "(list)",
             *n->node || (list && !*n->userid) ? n->node : CMS_NODE, n->name, *n->name && list ? ": " : "", n->list);
    return !cms_halted();
}

/* ---- another file ------------------------------------------------------------------------------------------------ */

/* What of a line belongs to whom: from `at`, of `length` bytes, to the entry of a nickname (*its) or not. An entry may
 * begin and end within a line. */
static size_t part_of_line(const char *line, const char *at, const char *nick, bool *its)
{
    const char *end = at;
    size_t tag = names_tag_at(line, at);
    if (tag && names_tag_is(at, tag, "NICK")) {
        char word[9];
        names_word(word, at + tag, strlen(at + tag));
        *its = !strcmp(word, nick);
    }
    do {
        end++;
        tag = names_tag_at(line, end);
    } while (*end && !(tag && names_tag_is(end, tag, "NICK")));
    return (size_t)(end - at);
}

/* The line without what is the entry's. False: nothing stays of one that had something of it. */
static bool take_out(char *line, const char *nick, bool *its, bool *any)
{
    char *to = line;
    bool had = *its;
    for (const char *at = line; *at;) {
        size_t length = part_of_line(line, at, nick, its);
        had |= *its;
        if (!*its) {
            memmove(to, at, length);
            to += length;
        }
        at += length;
    }
    *to = 0;
    *any |= had;
    return to > line || !had;
}

struct taking_out {
    struct spool_target *to;
    const char *nick;
    bool its, any; /* the line before ended with what is the entry's; there was such an entry */
};

/* A record with a NUL goes as a whole: no tag stands behind that. */
static int copy_other(void *context, uint8_t *record, size_t length)
{
    struct taking_out *t = context;
    char *line = (char *)record;
    bool whole = strlen(line) != length;
    if (whole)
        return t->its ? 0 : cms_spool_store(t->to, record, length);
    return take_out(line, t->nick, &t->its, &t->any) ? cms_spool_store(t->to, record, strlen(line)) : 0;
}

/* The file's records but what is the entry's; *any: there was one. */
static int copy_others(struct spool_target *to, const char *nick, bool *any)
{
    struct taking_out t = {.to = to, .nick = nick};
    struct file_found found;
    struct file_id id;
    struct sent file;
    *any = false;
    if (!names_file(&id, &found))
        return 0;
    int rc = sent_open(&file, "NAM", &found);
    if (!rc)
        rc = sent_each(&file, copy_other, &t);
    sent_close(&file);
    *any = t.any;
    return rc;
}

/* `line` NULL: the entry goes. */
static int change(const char *nick, const char *line)
{
    struct file_found found;
    struct spool_target t = {.module = "NAM", .recfm = 'V', .replace = EDF_REPLACE};
    bool any;
    t.id.letter = names_file(&t.id, &found) ? found.mode->letter : 'A';
    t.id.number = '0';
    int rc = cms_spool_target(&t);
    if (rc)
        return rc;
    rc = copy_others(&t, nick, &any);
    if (!rc && line)
        rc = cms_spool_store(&t, (const uint8_t *)line, strlen(line));
    if (!rc && !line && !any)
        rc = cms_message("NAM", MESSAGE_NO_NICKNAME, nick);
    return cms_spool_stored(&t, rc);
}

/* The words from `at` on, as typed. False: they have what would be another tag. */
static bool add_text(char *line, size_t used, const struct arguments *a, int at)
{
    const struct word *last = &a->operand[a->count - 1];
    const char *text = a->operand[at].raw, *end = last->raw + last->raw_length;
    for (int i = at; i < a->count; i++)
        if (names_tag_at(a->line, a->operand[i].raw))
            return false;
    size_t length = (size_t)(end - text) < LINE - 1 - used ? (size_t)(end - text) : LINE - 1 - used;
    memcpy(line + used, text, length);
    line[used + length] = 0;
    return true;
}

/* NAMES ADD nick userid [AT node] [name ...], NAMES ADD nick LIST name ... */
static int add(const struct arguments *a)
{
    const struct word *nick = &a->operand[1], *userid = &a->operand[2], *node = NULL;
    bool list = a->count > 3 && cms_word_is(userid, "LIST", 4);
    int at = 3;
    char line[LINE];
    if (a->count < 3)
        return cms_message("NAM", MESSAGE_PARAMETER_MISSING, "ADD");
    if (a->count > 4 && !list && cms_word_is(&a->operand[3], "AT", 2))
        node = &a->operand[4], at = 5;
    for (int i = 1; i < (list ? a->count : at); i++)
        if (a->operand[i].raw_length > 8 || strchr(a->operand[i].text, ':'))
            return cms_message("NAM", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[i]));
    size_t n = list ? format_text(line, sizeof line, ":nick.%-8s :list.", nick->text)
                    : format_text(line, sizeof line, ":nick.%-8s :userid.%-8s :node.%-8s :name.", nick->text,
                                  userid->text, node ? node->text : CMS_NODE);
    if (a->count > at && !add_text(line, n, a, at))
        return cms_message("NAM", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[at]));
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
    if (rc || w.count)
        return rc;
    return w.nick ? cms_message("NAM", MESSAGE_NO_NICKNAME, w.nick) : cms_message("NAM", MESSAGE_NO_NICKNAMES);
}
