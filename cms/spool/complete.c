/* Tab: files to send, and options. */
#include "cms/command/complete.h"
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

static void peek_option(const struct arguments *t, struct candidates *c)
{
    if (!t->option_count)
        offer_options(cms_spool_peek_options, c);
}

const struct command_completion spool_completions[] = {
    {"PEEK", NULL, peek_option},       {"PRINT", one_file, NULL},        {"PUNCH", one_file, punch_option},
    {"READCARD", one_file, NULL},      {"RECEIVE", NULL, receive_option}, {"SENDFILE", one_file, NULL},
    {0},
};
