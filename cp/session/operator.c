/* What the operator is told. In: who did what, what failed. Out: a line on OPERATOR's console, if OPERATOR is there. */
#include "cp/session/operator.h"

#include <stdarg.h>
#include <string.h>

#include "cp/device/disk.h"
#include "cp/directory/load.h"
#include "cp/directory/volume.h"
#include "cp/session/dial.h"
#include "cp/session/record.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/terminal/terminal.h"
#include "cp/time/clock_text.h"
#include "cp/vcpu/machine_check.h"
#include "lib/format.h"

/* Nobody reads: more would stop the machine of who is to be told. */
static bool is_half_full(const struct session *told)
{
    return !told->output.terminal && ring_used(&told->output.ring) >= OUTPUT_DISCONNECTED / 2;
}

/* Their machine would have to wait for the terminal. */
static bool is_behind(const struct session *told)
{
    return told->output.terminal && ring_used(&told->output.ring) >= OUTPUT_CONNECTED / 2;
}

/* Who comes and goes all the time, or dials, takes nobody's screen: of more than these only the number is told. */
static struct {
    uint64_t due; /* host TSC: when as many would have been told at a gentle pace */
    unsigned left_out;
} pace;

static bool is_too_often(void)
{
    enum { A_SECOND = 10, AT_ONCE = 100 };
    uint64_t now = clock_now(), each = clock_hz / A_SECOND;
    if (pace.due < now)
        pace.due = now;
    if (pace.due - now > (AT_ONCE - 1) * each)
        return true;
    pace.due += each;
    return false;
}

static void say(struct session *told, const char *line)
{
    if (pace.left_out)
        output_say(&told->output, "%u MORE CAME, LEFT OR DIALED", pace.left_out);
    pace.left_out = 0;
    output_say(&told->output, "%s", line);
}

static void tell(const struct session *about, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const struct session *about, const char *format, ...)
{
    struct session *told = session_find("OPERATOR");
    char now[CLOCK_TEXT], name[9], what[72], line[96];
    va_list args;
    if (!told || told == about)
        return;
    va_start(args, format);
    format_text_v(what, sizeof what, format, args);
    va_end(args);
    size_t length = format_text(line, sizeof line, "%s %-5s %s", clock_text_time(now, clock_unix_us()),
                                session_name(about, name), what);
    if (is_half_full(told) || is_behind(told))
        told->output.dropped += (uint32_t)length;
    else if (is_too_often())
        pace.left_out++;
    else
        say(told, line);
}

static void tell_deed(const struct session *about, const char *deed, unsigned users, const char *by)
{
    tell(about, "%-10s AS %-8s USERS = %u%s%s", deed, about->user->id, users, by ? "  BY " : "", by ? by : "");
}

void operator_tell(const struct session *about, const char *deed, const char *by)
{
    record_presence(about, "%s%s%s", deed, by ? " BY " : "", by ? by : "");
    tell_deed(about, deed, session_users(), by);
}

void operator_tell_logoff(const struct session *about, const char *by)
{
    tell_deed(about, by ? "FORCED" : "LOGOFF", session_users() - 1, by);
}

void operator_tell_dial(const struct session *about, const char *userid, unsigned port)
{
    record(about, "DIAL %s %04X", userid, port);
    tell(about, "%-10s TO %-8s DIALED = %u", "DIALED", userid, dial_count());
}

void operator_tell_undial(const struct session *about, const char *userid)
{
    tell(about, "%-10s FROM %-8s DIALED = %u", "DROPPED", userid, dial_count());
}

/* OPERATOR's session, or that of the first terminal; NULL: there is nobody. */
static struct session *operator_or_first(void)
{
    struct session *told = session_find("OPERATOR");
    const struct terminal *first = terminal_next(NULL);
    return told || !first ? told : first->session;
}

void operator_tell_machine_check(const struct machine_check *check, const char *outcome)
{
    struct session *told = operator_or_first();
    char what[80];

    if (!told)
        return;
    machine_check_text(check, what, sizeof what);
    response_error(&(struct response){.session = told}, "MCK", 9050, what, outcome);
}

void operator_tell_spool(unsigned damaged)
{
    struct session *told = operator_or_first();
    char number[12];

    format_text(number, sizeof number, "%u", damaged);
    if (told)
        response_error(&(struct response){.session = told}, "SPL", 9084, number);
}

void operator_tell_nss(const char *name, const char *why)
{
    struct session *told = operator_or_first();
    if (told)
        response_error(&(struct response){.session = told}, "NSS", 9102, name, why);
}

/* ---- the disk --------------------------------------------------------------------------------------------------- */

static const char *const disk_deeds[] = {
    [DISK_READ] = "a read of block", [DISK_WRITE] = "a write of block", [DISK_FLUSH] = "a flush"};

static struct disk_trouble {
    bool told; /* and none has worked since */
    bool ever;
    uint64_t when; /* the last time, by clock_now() */
} disk_trouble[sizeof disk_deeds / sizeof *disk_deeds];

/* " 2083, of ALICE 0191"; CP's own blocks are nobody's. */
static void disk_place(const struct disk_request *r, char *text, size_t size)
{
    uint64_t block = r->sector * DISK_SECTOR_BYTES / VOLUME_BLOCK;
    size_t length = format_text(text, size, " %llu", (unsigned long long)block);
    for (unsigned i = 0; i < directory.disks; i++) {
        const struct directory_disk *d = &directory.disk[i];
        if (block < d->start || block - d->start >= d->blocks)
            continue;
        format_text(text + length, size - length, ", of %s %04X", directory_user(&directory, d->user)->id, d->vdev);
        return;
    }
}

static bool is_news(const struct disk_trouble *t)
{
    enum { QUIET_SECONDS = 60 };
    return !t->told && (!t->ever || clock_now() - t->when >= QUIET_SECONDS * clock_hz);
}

static void disk_heed(const struct disk *disk, const struct disk_request *r, int status)
{
    struct disk_trouble *t = &disk_trouble[r->op];
    struct session *told;
    char what[64], place[48] = "";

    (void)disk;
    if (!status)
        t->told = false;
    if (!status || !is_news(t))
        return;
    told = operator_or_first();
    if (!told || is_half_full(told))
        return;
    *t = (struct disk_trouble){.told = true, .ever = true, .when = clock_now()};
    if (r->op != DISK_FLUSH)
        disk_place(r, place, sizeof place);
    format_text(what, sizeof what, "%s%s", disk_deeds[r->op], place);
    response_error(&(struct response){.session = told}, "ERP", 9060, *directory.volid ? directory.volid : "?", what);
}

void operator_watch_disk(struct disk *disk)
{
    memset(disk_trouble, 0, sizeof disk_trouble);
    disk->heed = disk_heed;
}

/* ---- the audit log ---------------------------------------------------------------------------------------------- */

void operator_tell_audit(enum audit_trouble trouble)
{
    static const unsigned number[] = {[AUDIT_DAMAGED] = 9071, [AUDIT_FAILING] = 9070};
    struct session *told = operator_or_first();
    if (told && !is_half_full(told))
        response_error(&(struct response){.session = told}, "AUD", number[trouble], "");
}
