/* Tab: files to send, and options. */
#include "cms/command/complete.h"
#include "cms/spool/names.h"
#include "cms/spool/spool.h"

static void one_file(const struct arguments *typed, struct candidates *c)
{
    cms_file_complete(typed->operand, typed->count, c);
}

static void offer_options(const struct file_option *table, struct candidates *c)
{
    for (; table->name; table++)
        candidate_offer(c, table->name);
}

static void punch_option(const struct arguments *t, struct candidates *c)
{
    (void)t;
    offer_options(cms_spool_punch_options, c);
}

static void receive_option(const struct arguments *t, struct candidates *c)
{
    (void)t;
    offer_options(cms_spool_receive_options, c);
}

static void sendfile_option(const struct arguments *t, struct candidates *c)
{
    (void)t;
    offer_options(cms_spool_sendfile_options, c);
}

static void peek_option(const struct arguments *t, struct candidates *c)
{
    if (!t->option_count)
        offer_options(cms_spool_peek_options, c);
}

static void names_verb(const struct arguments *t, struct candidates *c)
{
    if (t->count)
        return;
    candidate_offer(c, "ADD");
    candidate_offer(c, "DELETE");
}

static bool offer_nickname(void *candidates, const struct nickname *n)
{
    candidate_offer(candidates, n->nick);
    return true;
}

static void nicknames(const struct arguments *t, struct candidates *c)
{
    (void)t;
    names_each("NAM", offer_nickname, c);
}

static void nickname(const struct arguments *t, struct candidates *c)
{
    if (!t->count)
        nicknames(t, c);
}

static void note_option(const struct arguments *t, struct candidates *c)
{
    (void)t;
    candidate_offer(c, "FILE");
    candidate_offer(c, "REPLACE");
    candidate_offer(c, "NOTEBOOK");
    candidate_offer(c, "NONOTEBOOK");
}

const struct command_completion spool_completions[] = {
    {"NAMES", names_verb, NULL},       {"NOTE", nicknames, note_option},
    {"TELL", nickname, NULL},
    {"PEEK", NULL, peek_option},       {"PRINT", one_file, NULL},        {"PUNCH", one_file, punch_option},
    {"READCARD", one_file, NULL},      {"RECEIVE", NULL, receive_option}, {"SENDFILE", one_file, sendfile_option},
    {"SFILE", one_file, sendfile_option},
    {0},
};
