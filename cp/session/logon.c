/* LOGON. In: a user ID and a password. Out: a session with a machine, or a terminal that has waited for its refusal.
 *
 * Neither the answer nor its time tells whether there is such a user: a name nobody can log on by is tried against
 * another user's verifier, and what makes a refusal wait longer is counted for names, whosever they are. */
#include "cp/session/logon.h"

#include <string.h>

#include "cp/directory/load.h"
#include "cp/message/level.h"
#include "cp/minidisk/link.h"
#include "cp/session/carrier.h"
#include "cp/session/life.h"
#include "cp/session/operator.h"
#include "cp/session/record.h"
#include "cp/session/replace.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/verify.h"
#include "cp/terminal/terminal.h"
#include "cp/time/clock_text.h"
#include "lib/format.h"

/* Refusals for each name; some names share a row. */
static struct refusals {
    uint64_t until; /* host TSC: what it counts is forgotten then */
    unsigned count;
} refusals[LOGON_NAMES];

static void back_to_prompt(struct session *s)
{
    session_enter(s, SESSION_LOGON);
    session_prompt(s);
}

void logon_abandon(struct session *s) { back_to_prompt(s); }

/* ---- whose verifier --------------------------------------------------------------------------------------------- */

/* A number that nobody can foretell who has not read the directory, the same for the same name. */
static uint32_t number_of(const char *secret, const char *id)
{
    struct sha512 s;
    uint8_t digest[SHA512_BYTES];
    uint32_t number;
    sha512_begin(&s);
    sha512_add(&s, secret, strlen(secret));
    sha512_add(&s, id, strlen(id));
    sha512_end(&s, digest);
    memcpy(&number, digest, sizeof number);
    return number;
}

/* The verifier to hash against: the user's own, and *own is set; or that of another user, picked by the name. So a name
 * nobody can log on by always takes as long as some real name does. All of it is done for every name. */
static const char *find_verifier(const char *id, bool *own, uint32_t *number)
{
    static const char nobodys[] = "$6$rounds=5000$nobody$......................................................"
                                  "................................";
    const struct user *user = directory_find(&directory, id);
    *number = number_of(directory.secret ? directory.secret : nobodys, id);
    const char *picked = directory_verifier_for(&directory, *number);
    *own = user && directory_has_verifier(user);
    return *own ? user->password : picked ? picked : nobodys;
}

/* Over SSH, which is how people dial in, a user with keys logs on by one of them only (logon_known), whatever name they
 * came by. */
static bool needs_key(const struct session *s)
{
    const struct user *user = directory_find(&directory, s->logon.id);
    return s->output.terminal->dialled && user && user->ssh_keys;
}

void logon_password(struct session *s)
{
    struct editor *typed = &s->typing.editor;
    uint32_t number;
    const char *verifier = find_verifier(s->logon.id, &s->logon.own, &number);
    s->logon.own &= !needs_key(s);
    format_text(s->logon.verifier, sizeof s->logon.verifier, "%s", verifier);
    s->logon.name = (number >> 16) % LOGON_NAMES;
    session_enter(s, SESSION_VERIFY);
    verify_begin(s, verifier, typed->text, typed->keys.line.length);
    editor_forget(typed);
}

/* ---- a wrong password ------------------------------------------------------------------------------------------- */

static unsigned count_refusal(struct refusals *r)
{
    uint64_t now = clock_now();
    r->count = now < r->until ? r->count + 1 : 1;
    r->until = now + LOGON_FORGET_SECONDS * clock_hz;
    return r->count;
}

static void refuse(struct session *s)
{
    const struct user *user = directory_find(&directory, s->logon.id);
    unsigned tries = ++s->output.terminal->refusals, of_name = count_refusal(&refusals[s->logon.name]), seconds = 1;
    record_vain(s, "LOGON %s REFUSED", s->logon.id);
    if (user)
        ++user->kept->refused;
    if (of_name > tries)
        tries = of_name;
    while (--tries && seconds < LOGON_PENALTY_MAX)
        seconds *= 2;
    session_enter(s, SESSION_PENALTY);
    session_wait(s, seconds);
    carrier_quiet(s->output.terminal->number, true);
}

void logon_end_penalty(struct session *s)
{
    struct response response = {.session = s};
    response_error(&response, "LGA", 50, "");
    if (s->output.terminal->refusals < LOGON_TRIES) {
        carrier_quiet(s->output.terminal->number, false);
        back_to_prompt(s);
        return;
    }
    response_error(&response, "LGA", 9020, "");
    session_enter(s, SESSION_QUIET);
    session_wait(s, LOGON_QUIET_SECONDS);
}

void logon_end_quiet(struct session *s)
{
    if (s->output.terminal->refusals >= LOGON_TRIES)
        s->output.terminal->refusals = 0;
    carrier_quiet(s->output.terminal->number, false);
    session_welcome(s);
}

/* What was to be waited for is waited for by whoever comes, but they are not told why. */
void logon_forsake(struct session *s)
{
    uint64_t until = s->timer.deadline;
    bool waits = (s->state == SESSION_PENALTY || s->state == SESSION_QUIET) && s->timer.armed;
    if (s->state == SESSION_PENALTY && s->output.terminal->refusals >= LOGON_TRIES)
        until += LOGON_QUIET_SECONDS * clock_hz;
    session_reset(s);
    output_forget(&s->output);
    if (!waits)
        return;
    session_enter(s, SESSION_QUIET);
    timer_arm(&s->timer, until);
}

/* ---- a good one ------------------------------------------------------------------------------------------------- */

static void tell_failures(struct session *s, const struct user *user)
{
    char count[12];
    if (!user->kept->refused)
        return;
    format_text(count, sizeof count, "%u", user->kept->refused);
    user->kept->refused = 0;
    response_error(&(struct response){.session = s}, "LGA", 9021, count, user->id, strcmp(count, "1") ? "s" : "");
}

void logon_complete(struct session *s, const struct user *user)
{
    char now[CLOCK_TEXT];
    output_say(&s->output, "%s", CP_LEVEL);
    output_say(&s->output, "There is no logmsg data");
    tell_failures(s, user);
    output_say(&s->output, "LOGON AT %s", clock_text_full(now, clock_unix_us()));
    terminal_look(); /* what was said, and the machine to come, take longer than a UART's sixteen bytes */
    if (!session_logon(s, user)) {
        response_error(&(struct response){.session = s}, "LGA", 9022, user->id);
        back_to_prompt(s);
        return;
    }
    operator_tell(s, "LOGON", NULL);
    if (user->ipl && !s->logon.noipl)
        deed_note_ipl(s, user->ipl, user->parm);
    else
        session_enter_cp(s);
}

static void begin_rejoin(struct session *s, const struct user *user)
{
    char now[CLOCK_TEXT];
    tell_failures(s, user);
    output_say(&s->output, "RECONNECTED AT %s", clock_text_full(now, clock_unix_us()));
    session_enter(s, SESSION_REJOIN);
}

/* What is typed at the other terminal was for the machine, not for the prompt it finds itself at. */
static bool take_from(struct session *there)
{
    terminal_forget(there->output.terminal);
    return session_disconnect(there, true);
}

/* Who comes while the directory is being replaced is asked for in the next one too. */
static void accept(struct session *s)
{
    const struct user *user = directory_find(&directory, s->logon.id);
    struct session *there = session_find(s->logon.id);
    char name[9];
    if (!there && replace_holds()) {
        session_enter(s, SESSION_HELD);
        return;
    }
    s->output.terminal->refusals = 0;
    if (!there) {
        user->kept->links_refused = 0;
        logon_complete(s, user);
    } else if (!there->output.terminal || (s->logon.here && take_from(there))) {
        begin_rejoin(s, user);
    } else {
        response_error(&(struct response){.session = s}, "LGA", 54, session_name(there, name));
        output_say(&s->output, "LOGON %s HERE takes the session to this terminal", user->id);
        back_to_prompt(s);
    }
}

/* They have a key of that user's. */
static void admit(struct session *s)
{
    record_presence(s, "LOGON %s BY KEY", s->logon.id);
    *s->logon.verifier = 0;
    if (directory_find(&directory, s->logon.id)) {
        accept(s);
        return;
    }
    response_error(&(struct response){.session = s}, "LGA", 53, s->logon.id);
    back_to_prompt(s);
}

/* The key by which they came may have been taken out of the directory since: by another one they come anew. */
static bool is_known(const struct terminal *t, const char *id)
{
    return !strcmp(t->known, id) && t->known_by == directory_changes;
}

void logon_begin(struct session *s, const char *id, bool here, bool noipl)
{
    format_text(s->logon.id, sizeof s->logon.id, "%s", id);
    s->logon.here = here;
    s->logon.noipl = noipl;
    s->typing.next_command = 0;
    if (is_known(s->output.terminal, s->logon.id)) {
        admit(s);
        return;
    }
    session_enter(s, SESSION_PASSWORD);
    output_say(&s->output, "ENTER PASSWORD  (IT WILL NOT APPEAR WHEN TYPED):");
    session_prompt(s);
}

void logon_known(struct session *s)
{
    struct terminal *t = s->output.terminal;
    format_text(s->logon.id, sizeof s->logon.id, "%s", t->known);
    t->arrives = false;
    t->known_by = directory_changes;
    s->logon.here = true;
    s->logon.noipl = false;
    output_say(&s->output, "LOGON %s", s->logon.id);
    admit(s);
}

/* The user may have left, or somebody else may have come, while the last words went out. */
void logon_rejoin(struct session *s)
{
    struct session *there = session_find(s->logon.id);
    if (there && !there->output.terminal)
        session_reconnect(there, s);
    else
        back_to_prompt(s);
}

/* What was their password, or they themselves, may be so no more. */
static void accept_still(struct session *s)
{
    const struct user *user = directory_find(&directory, s->logon.id);
    if (user && (!*s->logon.verifier || !strcmp(user->password, s->logon.verifier)))
        accept(s);
    else
        refuse(s);
}

void logon_held(struct session *s)
{
    if (!replace_holds())
        accept_still(s);
}

void logon_verified(struct session *s)
{
    if (sha512_crypt_matches(&s->crypt) && s->logon.own)
        accept_still(s);
    else
        refuse(s);
}
