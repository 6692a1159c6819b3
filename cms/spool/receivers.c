/* In: words, and the NAMES file. Out: user IDs; CP's answers about them. */
#include "cms/spool/receivers.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/cp.h"
#include "cms/spool/names.h"
#include "lib/format.h"

/* ---- who is meant ------------------------------------------------------------------------------------------------ */

static int add(const char *module, const char *userid, struct receivers *r)
{
    for (unsigned i = 0; i < r->count; i++)
        if (!strcmp(r->userid[i], userid))
            return 0;
    if (r->count == RECEIVERS_MOST)
        return cms_message(module, MESSAGE_MANY_RECEIVERS, RECEIVERS_MOST);
    format_text(r->userid[r->count++], 9, "%s", userid);
    return 0;
}

static int at_node(const char *module, const char *who, const char *node)
{
    return *node && strcmp(node, CMS_NODE) ? cms_message(module, MESSAGE_OTHER_NODE, who, node) : 0;
}

struct walk {
    const char *module;
    struct receivers *to;
    struct receivers names; /* as they were typed, or lists have them: each is looked up once, so that circles end */
};

/* The next word of a list at *at, folded; false: there is none, or it is too long (*bad). */
static bool next_word(const char **at, char word[9], bool *bad)
{
    while (**at == ' ')
        ++*at;
    size_t n = strcspn(*at, " ");
    *bad |= n > 8;
    for (size_t i = 0; i < n && i < 8; i++)
        word[i] = names_upper((*at)[i]);
    word[n < 8 ? n : 8] = 0;
    *at += n;
    return n && n <= 8;
}

/* "BOB EVE AT VMN TEAM"; whom a list calls as the list itself is called is that user. */
static int take_list(struct walk *w, const char *nick, const char *list)
{
    char word[9], next[9];
    bool bad = false;
    int rc = 0;
    while (!rc && next_word(&list, word, &bad)) {
        const char *behind = list;
        bool at = next_word(&behind, next, &bad) && !strcmp(next, "AT") && next_word(&behind, next, &bad);
        if (at) {
            rc = at_node(w->module, word, next);
            list = behind;
        }
        if (!rc)
            rc = add(w->module, word, at || !strcmp(word, nick) ? w->to : &w->names);
    }
    return bad ? cms_message(w->module, MESSAGE_NAMES_ENTRY, nick) : rc;
}

static int resolve(struct walk *w, const char *who)
{
    struct nickname found;
    int rc = names_find(w->module, who, &found);
    if (rc || !*found.nick)
        return rc ? rc : add(w->module, who, w->to);
    if (found.cut)
        return cms_message(w->module, MESSAGE_NAMES_ENTRY, who);
    if ((rc = at_node(w->module, who, found.node)))
        return rc;
    if (*found.userid || !*found.list)
        rc = add(w->module, *found.userid ? found.userid : who, w->to);
    return rc ? rc : take_list(w, who, found.list);
}

/* BOB@VMN is BOB AT VMN; without our node, a word that may be a user ID is one. */
static bool has_node(const struct word *word, char userid[9], char node[9])
{
    const char *at = memchr(word->raw, '@', word->raw_length);
    size_t before = at ? (size_t)(at - word->raw) : 0, behind = at ? word->raw_length - before - 1u : 0;
    if (!before || before > 8 || !behind || behind > 8)
        return false;
    for (size_t i = 0; i < behind; i++)
        node[i] = names_upper(at[1 + i]);
    memcpy(userid, word->text, before);
    userid[before] = node[behind] = 0;
    return word->raw_length > 8 || !strcmp(node, CMS_NODE);
}

static int take_word(struct walk *w, const struct word *word)
{
    char userid[9], node[9];
    if (!has_node(word, userid, node))
        return word->raw_length > 8 ? cms_message(w->module, MESSAGE_INVALID_OPERAND, cms_typed(word))
                                    : add(w->module, word->text, &w->names);
    int rc = at_node(w->module, userid, node);
    return rc ? rc : add(w->module, userid, w->to);
}

int receivers_read(const char *module, const struct word *words, int count, struct receivers *r)
{
    struct walk w = {.module = module, .to = r};
    int rc = 0;
    r->count = 0;
    for (int i = 0; !rc && i < count; i++) {
        bool at = i + 2 < count && cms_word_is(&words[i + 1], "AT", 2) && words[i].raw_length <= 8;
        rc = !at ? take_word(&w, &words[i]) : at_node(module, words[i].text, words[i + 2].text);
        if (at && !rc)
            rc = add(module, words[i].text, r);
        i += at ? 2 : 0;
    }
    for (unsigned i = 0; !rc && i < w.names.count; i++)
        rc = resolve(&w, w.names.userid[i]);
    return rc;
}

/* ---- what CP says ------------------------------------------------------------------------------------------------ */

/* SPOOL takes all of its operands or none: the last here is none of them, and the punch stays as it is. */
static int check(const char *userid)
{
    enum { NO_SUCH_OPERAND = 2 };
    char command[32], response[200];
    struct cms_cp_answer answer;
    size_t length = format_text(command, sizeof command, "SPOOL PUN TO %s ?", userid);
    if (!cms_cp_command(command, length, response, sizeof response, &answer) || answer.return_code == NO_SUCH_OPERAND)
        return 0;
    if (answer.return_code && answer.length)
        cms_line(response, answer.length - (response[answer.length - 1] == '\n'));
    return answer.return_code;
}

int receivers_check(const struct receivers *r)
{
    int rc = 0;
    for (unsigned i = 0; i < r->count; i++) {
        int failed = check(r->userid[i]);
        rc = failed ? failed : rc;
    }
    return rc;
}
