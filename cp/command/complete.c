/* Tab: names of commands, and what they take. In: a line up to the word that is being typed, and the format that heads
 * the help of its command. Out: the words in capitals that the format has there.
 *
 *   format: words, [what may be left out], {one of | these}; [ one | of | these ] as well. A word in small letters
 *   stands for any; what it stands for are words in a line of its own, if it has one ("  mode: R | W"). */
#include "cp/command/families.h"

#include <string.h>

#include "cp/ipl/nss.h"
#include "cp/ipl/system.h"
#include "lib/candidates.h"

struct search {
    const struct session *session;
    const struct command *command;
    struct candidates *candidates;
};

struct token { /* a word of a format */
    const char *text;
    size_t length;
};

static struct token token_at(const char *at) { return (struct token){at, strcspn(at, " {}[]|\n")}; }

static bool is_keyword(struct token t)
{
    bool small = false;
    for (size_t i = 0; i < t.length; i++)
        small |= t.text[i] >= 'a' && t.text[i] <= 'z';
    return !small && *t.text >= 'A' && *t.text <= 'Z';
}

static bool abbreviates(struct word w, struct token t)
{
    char name[CANDIDATE_MAX + 1] = "";
    memcpy(name, t.text, t.length < CANDIDATE_MAX ? t.length : CANDIDATE_MAX);
    return word_is(w, name, 1);
}

/* The end of the lines that begin with the command's name. */
static const char *format_end(const char *help)
{
    const char *at = help;
    for (size_t name = strcspn(help, " \n"); !strncmp(at, help, name); at = strchr(at, '\n') + 1) {}
    return at;
}

static bool is_in_format(const struct command *c, struct word w)
{
    const char *end = format_end(c->help);
    for (const char *at = c->help; at < end; at += strcspn(at, " {}[]|\n"), at++) {
        struct token t = token_at(at);
        if (t.length == w.length && is_keyword(t) && abbreviates(w, t))
            return true;
    }
    return false;
}

static bool fits(const struct search *s, struct token t, struct word w)
{
    return is_keyword(t) ? abbreviates(w, t) : !is_in_format(s->command, w);
}

/* ---- what is offered --------------------------------------------------------------------------------------------- */

static bool may_say(const struct search *s, const char *word)
{
    const struct user *user = s->session->user;
    if (s->command->run == command_message && !strcmp(word, "ALL"))
        return user && user->classes & CLASSES_STAFF;
    if (s->command->run == command_purge && !strcmp(word, "NSS"))
        return user && user->classes & CLASS('E');
    for (unsigned i = 0; s->command->run == command_set && i < NEST_MODES; i++)
        if (!strcmp(word, nest_mode_names[i].upper) && i > user->machine.nesting)
            return false;
    return true;
}

static void offer_keyword(const struct search *s, struct token t)
{
    char word[CANDIDATE_MAX + 1];
    if (t.length > CANDIDATE_MAX)
        return;
    memcpy(word, t.text, t.length);
    word[t.length] = 0;
    if (may_say(s, word))
        candidate_offer(s->candidates, word);
}

static void offer_commands(const struct search *s)
{
    for (const struct command *c = NULL; (c = command_next(s->session, c));)
        if (*c->name != '*')
            candidate_offer(s->candidates, c->name);
}

static void offer_systems(const struct search *s)
{
    const struct system *system;
    for (unsigned i = 0; (system = system_at(i)); i++)
        if (*system->name)
            candidate_offer(s->candidates, system->name);
    for (struct nss *n = NULL; (n = nss_next(n));)
        if (n->class == NSS_ACTIVE && !system_find(n->definition.name))
            candidate_offer(s->candidates, n->definition.name);
}

/* "  mode: R | RR": what the format means by a word. */
static void offer_meaning(const struct search *s, struct token t)
{
    const char *at = format_end(s->command->help);
    if (strncmp(at, "  ", 2) || strncmp(at + 2, t.text, t.length) || at[2 + t.length] != ':')
        return;
    at += 2 + t.length;
    if (strcspn(at, "[{") < strcspn(at, "\n")) /* pieces of a word */
        return;
    for (struct token meaning; *at != '\n'; at += meaning.length ? meaning.length : 1) {
        meaning = token_at(at);
        if (is_keyword(meaning))
            offer_keyword(s, meaning);
    }
}

static bool is(struct token t, const char *word) { return t.length == strlen(word) && !memcmp(t.text, word, t.length); }

static void offer(const struct search *s, struct token t)
{
    if (is_keyword(t))
        offer_keyword(s, t);
    else if (is(t, "command"))
        offer_commands(s);
    else if (is(t, "system"))
        offer_systems(s);
    else
        offer_meaning(s, t);
}

/* ---- where the line is in the format ----------------------------------------------------------------------------- */

/* From within brackets to behind what closes them; the end of the line if there are none. With `bar`, to the next bar
 * of the same brackets if there is one before. */
static const char *leave(const char *at, bool bar)
{
    for (unsigned depth = 0; *at != '\n'; at++) {
        if (!depth && ((bar && *at == '|') || *at == '}' || *at == ']'))
            return at + 1;
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
    }
    return at;
}

static void follow(const struct search *s, const char *at, struct call typed);

static void follow_brackets(const struct search *s, const char *at, struct call typed)
{
    const char *end = leave(at + 1, false);
    if (*at == '[')
        follow(s, end, typed);
    for (const char *one = at + 1; one != end; one = leave(one, true))
        follow(s, one, typed);
}

/* All ways on from a place of the format by what is left of the words typed. */
static void follow(const struct search *s, const char *at, struct call typed)
{
    struct word w;
    while (*at == ' ')
        at++;
    if (*at == '\n')
        return;
    if (*at == '{' || *at == '[')
        return follow_brackets(s, at, typed);
    if (*at == '|' || *at == '}' || *at == ']')
        return follow(s, leave(at, false), typed);
    struct token t = token_at(at);
    if (!call_next(&typed, &w))
        offer(s, t);
    else if (fits(s, t, w))
        follow(s, at + t.length, typed);
}

void command_complete(const struct session *session, const char *line, struct candidates *candidates)
{
    struct search s = {.session = session, .candidates = candidates};
    struct call typed = {.unread = line};
    struct word name;
    if (!command_name(&typed, &name))
        return offer_commands(&s);
    s.command = command_named(name);
    if (!s.command || !command_may_use(session, s.command))
        return;
    const char *end = format_end(s.command->help);
    for (const char *at = s.command->help; at < end; at = strchr(at, '\n') + 1)
        follow(&s, at + strcspn(at, " \n"), typed);
}
