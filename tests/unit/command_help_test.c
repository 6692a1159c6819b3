/* What HELP advertises of CP's commands is accepted: each word in capitals in the format of a command stands in a line
 * here, which is obeyed. */
#include "tests/unit/command_scene.h"

#include "cp/message/message.h"
#include "lib/candidates.h"
#include "tests/unit/sources.h"

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct tried {
    const char *who; /* a user, whose machine asks; "#1": typed at that terminal, which then shows no message */
    const char *text;
    unsigned code; /* where a machine asks */
};

static const struct tried lines[] = {
    {"BOB", "* text", 0},
    {"BOB", "HELP", 0},
    {"BOB", "HELP HELP", 0},
    /* ---- questions and settings ---- */
    {"BOB", "QUERY CPLEVEL", 0},
    {"BOB", "QUERY FILES", 0},
    {"BOB", "QUERY RDR ALL", 0},
    {"BOB", "QUERY PRT CLASS A", 0},
    {"BOB", "QUERY PUN 1", 0},
    {"BOB", "QUERY PUN HOLD", 0},
    {"BOB", "QUERY PUN ALL NOHOLD", 0},
    {"OPERATOR", "QUERY RDR SYSTEM", 3}, /* not of class D */
    {"BOB", "QUERY TAG DEV PRT", 0},
    {"BOB", "QUERY TAG DEV PUN", 0},
    {"BOB", "QUERY TAG FILE 1", 42},
    {"BOB", "QUERY LINKS 191", 0},
    {"BOB", "QUERY NAMES", 0},
    {"BOB", "QUERY NEST", 0},
    {"BOB", "QUERY NSS", 0},
    {"BOB", "QUERY SET", 0},
    {"#2", "QUERY AUDIT 5", 0},
    {"#2", "QUERY AUDIT ALL", 0},
    {"BOB", "QUERY SHARE", 0},
    {"OPERATOR", "QUERY SHARE BOB", 0},
    {"OPERATOR", "SET SHARE BOB RELATIVE 200", 0},
    {"OPERATOR", "SET SHARE BOB ABSOLUTE 12.5%", 0},
    {"OPERATOR", "SET SHARE BOB INITIAL", 0},
    {"BOB", "QUERY STORAGE", 0},
    {"BOB", "QUERY TERMINAL", 0},
    {"BOB", "QUERY TIME", 0},
    {"BOB", "QUERY USERID", 0},
    {"BOB", "QUERY USERS", 0},
    {"BOB", "QUERY ALICE", 0},
    {"BOB", "QUERY VIRTUAL", 0},
    {"BOB", "QUERY VIRTUAL ALL", 0},
    {"BOB", "QUERY VIRTUAL CONSOLE", 0},
    {"BOB", "QUERY VIRTUAL CPUS", 0},
    {"BOB", "QUERY VIRTUAL DASD", 0},
    {"BOB", "QUERY VIRTUAL ISA", 40}, /* none was granted */
    {"BOB", "QUERY VIRTUAL LINES", 9047},
    {"BOB", "QUERY VIRTUAL STORAGE", 0},
    {"BOB", "QUERY VIRTUAL 191", 0},
    {"BOB", "QUERY CONSOLE", 0},
    {"BOB", "QUERY CPUS", 0},
    {"BOB", "QUERY DASD", 0},
    {"BOB", "QUERY ISA", 40},
    {"BOB", "QUERY LAN", 0},
    {"BOB", "QUERY NIC", 0},
    {"BOB", "QUERY VIRTUAL NIC 600", 0},
    {"BOB", "QUERY LINES", 9047},
    {"BOB", "QUERY UR", 0},
    {"BOB", "QUERY 191", 0},
    {"BOB", "INDICATE LOAD", 0},
    {"BOB", "INDICATE USER *", 0},
    {"BOB", "INDICATE NEST *", 0},
    {"BOB", "INDICATE LONGEST", 0},
    {"BOB", "SET MSG OFF", 0},
    {"BOB", "SET MSG ON", 0},
    {"BOB", "SET WNG ON", 0},
    {"BOB", "SET IMSG ON", 0},
    {"BOB", "SET SMSG ON", 0},
    {"BOB", "SET RUN OFF", 0},
    {"BOB", "SET EMSG OFF", 0},
    {"BOB", "SET EMSG CODE", 0},
    {"BOB", "SET EMSG TEXT", 0},
    {"BOB", "SET EMSG ON", 0},
    {"BOB", "SET NESTED OFF", 0},
    {"BOB", "SET NESTED TRAP", 0},
    {"BOB", "SET NESTED SHADOW", 0},
    {"BOB", "SET NESTED MEMORY", 0},
    {"BOB", "SET NESTED CHAIN", 9018}, /* the directory allows memory */
    {"BOB", "TERMINAL LINESIZE 100", 0},
    {"BOB", "TERMINAL PAGELENGTH 50", 0},
    {"BOB", "TERMINAL PAGELENGTH OFF", 0},
    {"BOB", "TERMINAL LINESIZE OFF", 0},
    {"BOB", "TRACE VMX ON", 0},
    {"BOB", "TRACE VMX OFF", 0},
    {"OPERATOR", "DIRECTORY CHECK", 9039}, /* none was given */
    {"OPERATOR", "DIRECTORY REPLACE", 9039},
    /* ---- networks ---- */
    {"ALICE", "DEFINE LAN PLAY", 0},
    {"BOB", "UNCOUPLE 600", 0},
    {"BOB", "COUPLE 600 ALICE PLAY", 0},
    {"ALICE", "DETACH LAN PLAY", 0},
    {"BOB", "COUPLE 600 TO SYSTEM NET1", 0},
    /* ---- minidisks ---- */
    {"BOB", "DETACH 191", 0},
    {"BOB", "LINK TO BOB 191 AS 300 R", 0},
    {"BOB", "DETACH 300", 0},
    {"BOB", "LINK BOB 191 300 RR", 0},
    {"BOB", "DETACH 300", 0},
    {"BOB", "LINK BOB 191 300 W", 0},
    {"BOB", "DETACH 300", 0},
    {"BOB", "LINK BOB 191 300 WR", 0},
    {"BOB", "DETACH 300", 0},
    {"BOB", "LINK BOB 191 300 M", 0},
    {"BOB", "DETACH 300", 0},
    {"BOB", "LINK BOB 191 300 MR", 0},
    {"BOB", "DETACH 300", 0},
    {"BOB", "LINK BOB 191 300 MW", 0},
    {"BOB", "SNAPSHOT TAKE 191 FIRST", 0},
    {"BOB", "SNAPSHOT LIST 191", 0},
    {"BOB", "SNAPSHOT LINK 191 FIRST AS 302", 0},
    {"BOB", "DETACH 302", 0},
    {"BOB", "SNAPSHOT LINK 191 1 302 EDIT", 0},
    {"BOB", "SNAPSHOT ROLLBACK 191 EDITED", 9113}, /* as 300 he has it */
    {"BOB", "DETACH 300", 0},
    {"BOB", "SNAPSHOT ROLLBACK 191 EDITED", 0},
    {"BOB", "DETACH 302", 0},
    {"BOB", "SNAPSHOT ROLLBACK 191 FIRST", 0},
    {"BOB", "SNAPSHOT DELETE 191 FIRST", 0},
    {"BOB", "SNAPSHOT DELETE 191 ALL", 0},
    {"BOB", "LINK BOB 191 300 MW", 0},
    {"BOB", "LINK MAINT 190 301 RR PASS=ALL", 0},
    /* ---- the machine ---- */
    {"#1", "IPL TEST CLEAR PARM text", 0},
    {"#1", "#CP", 0},
    {"#1", "BEGIN", 0},
    {"#1", "#CP STOP", 0},
    {"#1", "SYSTEM RESTART", 0},
    {"#1", "#CP SYSTEM END", 9043},
    {"#1", "#CP", 0},
    {"#1", "#CP SYSTEM CLEAR", 0},
    {"#1", "SYSTEM RESET", 0},
    {"#1", "RESET SYSTEM", 0},
    {"#1", "DEFINE STORAGE 2M", 0},
    {"OPERATOR", "DEFSYS POINT 0-3F EW 40-4F EN", 0},
    {"OPERATOR", "DEFSYS POINT 0-3F EN 40-4F EW MINSIZE= 2M PARMREGS=NONE", 0},
    {"OPERATOR", "DEFSYS POINT 0-3F EW MINSIZE=1024K PARMREGS= NONE RSTD", 0},
    {"#2", "IPL TEST\r#CP", 0},
    {"OPERATOR", "SAVESYS POINT", 0},
    {"OPERATOR", "PURGE NSS POINT", 0},
    {"BOB", "DISPLAY G", 0},
    {"BOB", "DISPLAY X", 0},
    {"BOB", "DISPLAY PSW", 0},
    {"BOB", "DISPLAY V0.10", 0},
    {"BOB", "DISPLAY T0-1F", 0},
    {"BOB", "STORE 1000 4142", 0},
    {"#1", "STORE RIP 1000", 0},
    {"#1", "STORE RFLAGS 2", 0},
    {"#1", "STORE RAX 2", 0},
    {"#1", "SLEEP 1 SEC\r", 0},
    {"#1", "SLEEP 1 MIN\r", 0},
    {"#1", "SLEEP 1 HOUR\r", 0},
    /* ---- the spool ---- */
    {"BOB", "SPOOL PUN CLASS B COPY 2 TO ALICE", 0},
    {"BOB", "SPOOL PRT OFF", 0},
    {"BOB", "SPOOL PUN HOLD KEEP", 0},
    {"BOB", "SPOOL PRT NOHOLD NOKEEP", 0},
    {"BOB", "SPOOL PRT CONT FOR ALICE", 0},
    {"BOB", "SPOOL PUN NOCONT FOR BOB", 0},
    {"BOB", "SPOOL PRT CLOSE", 0},
    {"BOB", "SPOOL PUN PURGE", 0},
    {"BOB", "SPOOL RDR CLASS *", 0},
    {"BOB", "CLOSE PUN HOLD PURGE TO ALICE NAME A B", 0},
    {"BOB", "CLOSE PRT NOHOLD", 0},
    {"BOB", "CLOSE RDR KEEP", 0},
    {"BOB", "CLOSE RDR HOLD", 0},
    {"BOB", "TAG DEV PUN text", 0},
    {"BOB", "TAG DEV PRT", 0},
    {"BOB", "TAG FILE 1 text", 42},
    {"BOB", "TAG QUERY DEV PUN", 0},
    {"BOB", "TAG QUERY DEV PRT", 0},
    {"BOB", "TAG QUERY FILE 1", 42},
    {"BOB", "PURGE RDR ALL", 0},
    {"BOB", "PURGE PRT CLASS A", 0},
    {"BOB", "PURGE PUN 1", 42},
    {"BOB", "PURGE ALL", 0},
    {"BOB", "CHANGE RDR ALL TOCLASS B COPY 2", 0},
    {"BOB", "CHANGE RDR ALL HOLD NAME A B", 0},
    {"BOB", "CHANGE PRT CLASS A NOHOLD", 0},
    {"BOB", "CHANGE PUN ALL KEEP", 0},
    {"BOB", "CHANGE PUN ALL NOKEEP", 0},
    {"BOB", "TRANSFER RDR ALL TO ALICE PRT", 0},
    {"BOB", "TRANSFER PRT CLASS A FROM ALICE RDR", 0},
    {"BOB", "TRANSFER PUN ALL TO ALICE PUN", 0},
    {"BOB", "ORDER RDR 1", 42},
    {"BOB", "ORDER PRT 1", 42},
    {"BOB", "ORDER PUN 1", 42},
    /* ---- words to others, coming and going ---- */
    {"BOB", "MESSAGE * text", 0},
    {"BOB", "MSG OPERATOR text", 0},
    {"OPERATOR", "MESSAGE ALL text", 0},
    {"BOB", "MESSAGE OPERATOR text", 0},
    {"OPERATOR", "MSGNOH ALL text", 0},
    {"OPERATOR", "WARNING ALL text", 0},
    {"OPERATOR", "WNG BOB text", 0},
    {"BOB", "SMSG BOB text", 0},
    {"OPERATOR", "XAUTOLOG MAINT", 0},
    {"OPERATOR", "SEND CP MAINT QUERY TIME", 0},
    {"OPERATOR", "FORCE ALICE", 0},
    {"#0", "LOGON BOB HERE\rvmn", 0},
    {"#0", "DISCONNECT", 0},
    {"#0", "LOGIN BOB NOIPL\rvmn", 0},
    {"#0", "DISCONNECT HOLD", 0},
    {"#0", "LOGON BOB\rvmn", 0},
    {"#0", "LOGOFF", 0},
    {"#0", "LOGON BOB NOIPL\rvmn", 0},
    {"#0", "LOGOFF HOLD", 0},
    {"#0", "LOGON ALICE NOIPL\rvmn", 0},
    {"#0", "LOGOUT", 0},
    {"#0", "DIAL OPERATOR 2F8", 0},
    {"#0", "#CP UNDIAL", 0},
    {"OPERATOR", "SHUTDOWN", 0},
};

static bool is_accepted(const struct tried *l)
{
    char typed[64];
    if (*l->who != '#') {
        unsigned code = run(l->who, l->text);
        turn();
        return code == l->code;
    }
    unsigned terminal = (unsigned)l->who[1] - '0';
    shown(terminal);
    snprintf(typed, sizeof typed, "%s\r", l->text);
    type(terminal, typed);
    return !!strstr(strcpy(answer, shown(terminal)), "HCP") == !!l->code;
}

static void every_line_is_accepted(void **state)
{
    bool all = true;
    (void)state;
    vm_of("OPERATOR")->config.uarts = 2;
    vm_of("OPERATOR")->machine.uart[1].modem_control = UART_MCR_DTR;
    for (const struct tried *l = lines; l < lines + sizeof lines / sizeof *lines; l++) {
        if (is_accepted(l))
            continue;
        print_error("%s: %s\n", l->text, answer);
        all = false;
    }
    assert_true(all);
}

/* A line is of the command, by one of its names, and has the word. */
static bool has_line(const struct command *c, const char *word, size_t length)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, " %.*s", (int)length, word);
    for (const struct tried *l = lines; l < lines + sizeof lines / sizeof *lines; l++) {
        const char *text = !strncmp(l->text, "#CP ", 4) ? l->text + 4 : l->text;
        struct word name = {text, (unsigned)strcspn(text, " \r")};
        const struct command *of = name.length ? command_named(name) : NULL;
        if (of && of->run == c->run && (!length || strstr(text, wanted)))
            return true;
    }
    return false;
}

/* Words in capitals of the lines that begin with the command's name or a blank: its format. */
static unsigned check_words(const struct command *c)
{
    unsigned words = 0;
    for (const char *at = c->help; *at == ' ' || !strncmp(at, c->name, strlen(c->name)); at = strchr(at, '\n') + 1) {
        const char *end = strchr(at, '\n');
        for (const char *word = *at == ' ' ? at : at + strlen(c->name); word < end;) {
            size_t length = strspn(word, CAPITALS), lower = strspn(word, "abcdefghijklmnopqrstuvwxyz");
            if (length && !(word[length] >= 'a' && word[length] <= 'z') && (++words, !has_line(c, word, length)))
                fail_msg("no line has %.*s of %s", (int)length, word, c->name);
            word += length ? length : lower ? lower + strspn(word + lower, CAPITALS) : 1;
        }
    }
    return words;
}

/* Somebody who may use the command. */
static const struct session *user_of(const struct command *c)
{
    static const struct user everything = {.classes = 0xFF, .machine.nesting = NEST_MODES - 1};
    static struct session anybody = {.user = &everything}, nobody, dialed = {.dial.to = &anybody};
    return c->when & WHEN_LOGGED_ON ? &anybody : c->when & WHEN_LOGGED_OFF ? &nobody : &dialed;
}

static void every_word_of_a_format_is_in_a_line(void **state)
{
    static const struct command on = {.when = WHEN_LOGGED_ON}, off = {.when = WHEN_LOGGED_OFF},
                                dialed = {.when = WHEN_DIALED}, *const kinds[] = {&on, &off, &dialed};
    unsigned words = 0;
    (void)state;
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (const struct command *c = NULL; (c = command_next(user_of(kinds[i]), c));) {
            if (!has_line(c, "", 0))
                fail_msg("no line has %s", c->name);
            if (sources_width(c->help) > 79)
                fail_msg("the help of %s is wider than a terminal", c->name);
            words += check_words(c);
        }
    assert_true(words > 70);
}

/* Tab offers the word, first letter and all, where it stands in the line. */
static bool is_offered(const struct session *s, const char *line, const char *word, size_t length)
{
    static struct candidates candidates;
    char before[64], wanted[32];
    snprintf(before, sizeof before, "%.*s", (int)(word - line), line);
    snprintf(wanted, sizeof wanted, "%.*s", (int)length, word);
    candidates_begin(&candidates, word, length ? 1 : 0);
    command_complete(s, before, &candidates);
    for (size_t i = 0; i < candidates.count; i++)
        if (!strcmp(candidates.text[i], wanted))
            return true;
    return false;
}

/* Whether the lines that check_words looks at have the word. */
static bool has_word(const struct command *c, const char *word, size_t length)
{
    size_t name = strcspn(c->help, " \n");
    for (const char *at = c->help; *at == ' ' || !strncmp(at, c->help, name); at = strchr(at, '\n') + 1)
        for (const char *in = *at == ' ' ? at : at + name; in < strchr(at, '\n'); in++)
            if (strchr(" [{|", in[-1]) && !strncmp(in, word, length) && strchr(" ]}|\n", in[length]))
                return true;
    return false;
}

static void every_word_of_a_line_that_its_format_has_is_offered_by_tab(void **state)
{
    unsigned words = 0, names = 0;
    (void)state;
    for (const struct tried *l = lines; l < lines + sizeof lines / sizeof *lines; l++) {
        struct call call = {.unread = l->text};
        struct word name, w;
        assert_true(command_name(&call, &name) || !strcmp(l->text, "#CP"));
        const struct command *c = command_named(name);
        if (!c || *l->text == '*')
            continue;
        names++;
        const struct session *s = user_of(c);
        if (!is_offered(s, l->text, name.text, name.length))
            fail_msg("%s: not its name", l->text);
        while (call_next(&call, &w)) {
            size_t length = strcspn(w.text, " \r");
            if (!strncmp(w.text, "PASS=", 5))
                length = 5;
            bool capital = *w.text >= 'A' && *w.text <= 'Z';
            if (capital && has_word(c, w.text, length) && ++words && !is_offered(s, l->text, w.text, length))
                fail_msg("%s: not %.*s", l->text, (int)length, w.text);
        }
    }
    assert_in_range(words, 71, 300);
    assert_in_range(names, 86, 200);
}

static void help_explains_commands_and_messages(void **state)
{
    (void)state;
    assert_answer("BOB", "HELP", 0, "  LINK [TO] userid vdev1 [AS] vdev2");
    assert_null(strstr(answer, "SHUTDOWN"));
    assert_answer("BOB", "HELP", 0, "  SPOOL {RDR | PRT | PUN} [CLASS c] [COPY n] [TO userid | OFF] ...\n");
    assert_answer("BOB", "HELP", 0, "  TAG {DEV {PRT | PUN} | FILE spoolid} [text] ...\n");
    assert_answer("BOB", "HELP", 0, "  TERMINAL {LINESIZE | PAGELENGTH} {number | OFF}\n");
    assert_answer("BOB", "HELP", 0, "} userid [dev]\n");
    assert_in_range(sources_width(answer), 70, 79);
    assert_answer("OPERATOR", "HELP", 0, "  SHUTDOWN\n");
    assert_answer("BOB", "HELP LINK", 0, "RR always");
    assert_answer("BOB", "HELP HCPLNM104E", 0,
                  "HCP...104E userid vdev not linked; R/W by userid\nAnother user writes on it.");
    assert_answer("BOB", "HELP HCPGIR9002W", 0, "\nor when others need it. ");
    assert_answer("BOB", "HELP 45", 0, "not logged on");
    assert_answer("BOB", "HELP 45E", 0, "not logged on");
    assert_answer("BOB", "HELP HCP9003W", 0, "HCP...9003W CP entered; exit");
    assert_answer("BOB", "HELP hcp045e", 0, "HCP...045E userid not logged on\n");
    assert_answer("BOB", "HELP HCP", 9026, "HCPHLP9026E");
    assert_answer("BOB", "HELP HCPLNM", 9026, "HCPHLP9026E");
    assert_answer("BOB", "HELP Q NAMES", 0, "QUERY {CPLEVEL");
    assert_answer("BOB", "HELP LINK", 0, "Privilege class: G.\n");
    assert_answer("BOB", "HELP DIS", 0, "May be abbreviated to D.\n");
    assert_answer("BOB", "HELP QUERY", 0, "May be abbreviated to Q.\n");
    assert_answer("BOB", "HELP MSG", 0, "May be abbreviated to MS.\n");
    assert_answer("BOB", "HELP STOP", 0, "BEGIN goes on.\nPrivilege"); /* it may not */
    assert_answer("BOB", "HELP SHUTDOWN", 0, "Privilege class: A, which you have not; yours: G.\n");
    assert_answer("OPERATOR", "HELP INDICATE", 0, "Privilege class: B, C, E or G.\n");
    assert_answer("BOB", "HELP HELP", 0, "Privilege class: any.\n");
    assert_answer("BOB", "HELP NOTHING", 9026, "HCPHLP9026E There is no help for NOTHING; HELP lists the commands\n");
    for (const struct command *c = NULL; (c = command_next(session_find("OPERATOR"), c));)
        assert_true(strlen(c->help) > 10 && c->help[strlen(c->help) - 1] == '\n');
}

static void help_shows_every_message_with_words_in_the_places_of_its_texts(void **state)
{
    unsigned messages = 0;
    (void)state;
    for (unsigned number = 1; number <= 9999; number++) {
        char command[16];
        const struct message *m = message_lookup(number);
        if (!m)
            continue;
        messages++;
        assert_in_range(strlen(m->text), 1, MESSAGE_BYTES - 1);
        for (const char *at = m->text; (at = strchr(at, '{')); at++)
            assert_true(at[1] >= '1' && at[1] <= '0' + MESSAGE_TEXTS && at[2] == ' ' &&
                        at[3 + strcspn(at + 3, "{} ")] == '}');
        snprintf(command, sizeof command, "HELP %u", number);
        assert_int_equal(run("BOB", command), 0);
        assert_null(strpbrk(answer, "{}%"));
    }
    assert_true(messages > 60);
    assert_answer("BOB", "HELP 9008", 0, "check number, at address\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_a_format_is_in_a_line),
        cmocka_unit_test(every_word_of_a_line_that_its_format_has_is_offered_by_tab),
        cmocka_unit_test_setup(help_explains_commands_and_messages, everybody),
        cmocka_unit_test_setup(help_shows_every_message_with_words_in_the_places_of_its_texts, everybody),
        cmocka_unit_test_setup(every_line_is_accepted, everybody), /* the last: it ends in SHUTDOWN */
    };
    scene_snapshots = scene_nics = true;
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
