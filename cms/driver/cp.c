/* DIAGNOSE calls. CP is given guest-physical addresses. */
#include "cms/driver/cp.h"

#include <string.h>

#include "cms/console/terminal.h"
#include "cms/cpu/cpu.h"
#include "cms/driver/change.h"
#include "cms/driver/uart.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/sleep.h"
#include "cp/diagnose.h"

_Static_assert((int)CMS_CP_COMMAND_MAX == (int)DIAGNOSE_COMMAND_MAX, "what CMS lets pass, CP takes");
_Static_assert((int)CMS_CP_FORBIDDEN_MAX == (int)DIAGNOSE_FORBIDDEN_BYTES &&
                   (int)CMS_CP_LINE_MAX == (int)DIAGNOSE_LINE_MAX,
               "the contract's");
_Static_assert((int)CMS_CP_SPECIAL_MAX == (int)sizeof(struct diagnose_special), "what CP gives, CMS has room for");

enum { HYPERVISOR_BIT = 31 }; /* CPUID leaf 1 ECX */
enum { SPINS = 200 }; /* a disk that answers at once is worth more looks than a sleep */

static bool present;
static uint32_t assists, khz;
static char user[9] = "CMSUSER";

static bool call(struct cpu_diagnose *d)
{
    cpu_diagnose(d);
    return d->rax == DIAGNOSE_OK;
}

void cp_call(struct cpu_diagnose *d)
{
    const struct cpu_diagnose asked = *d;

    for (unsigned spins = 0;; spins++) {
        *d = asked;
        cpu_diagnose(d);
        if (d->rax != DIAGNOSE_BUSY)
            return;
        if (spins >= SPINS)
            cms_sleep(true);
    }
}

void cp_name(char to[9], const char padded[8])
{
    size_t n = 0;

    for (; n < 8 && padded[n] != ' '; n++)
        to[n] = padded[n];
    to[n] = 0;
}

static void identify(void)
{
    struct diagnose_identity identity;
    struct cpu_diagnose d = {.rax = DIAGNOSE_IDENTIFY, .rbx = cms_physical(&identity), .rcx = sizeof identity};

    if (call(&d))
        cp_name(user, identity.user);
}

void cp_find(void)
{
    char signature[12];

    if (!(cpu_id(1).ecx >> HYPERVISOR_BIT & 1))
        return;
    struct cpu_leaf l = cpu_id(DIAGNOSE_LEAF_SIGNATURE);
    memcpy(signature, &l.ebx, 4);
    memcpy(signature + 4, &l.ecx, 4);
    memcpy(signature + 8, &l.edx, 4);
    present = !memcmp(signature, DIAGNOSE_SIGNATURE, sizeof signature);
    if (!present)
        return;
    if (l.eax >= DIAGNOSE_LEAF_ASSISTS)
        assists = cpu_id(DIAGNOSE_LEAF_ASSISTS).eax;
    if (l.eax >= DIAGNOSE_LEAF_CLOCK)
        khz = cpu_id(DIAGNOSE_LEAF_CLOCK).eax;
}

bool cp_is_there(void)
{
    return present;
}

void cp_start(void)
{
    if (present)
        identify();
}

uint32_t cp_tsc_khz(void)
{
    return khz;
}

bool cp_times(struct clock_time *now)
{
    struct diagnose_times t;
    struct cpu_diagnose d = {.rax = DIAGNOSE_TIMES, .rbx = cms_physical(&t), .rcx = sizeof t};

    if (!(assists & DIAGNOSE_ASSIST_TIMES) || !call(&d))
        return false;
    *now = (struct clock_time){t.unix_seconds + (uint64_t)(int64_t)t.zone_seconds, t.microseconds, t.virtual_ns,
                               t.total_ns};
    return true;
}

bool cp_offers(uint32_t assist)
{
    return assists & assist;
}

int32_t cp_console(const void *bytes, uint32_t count)
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_CONSOLE, .rbx = cms_physical(bytes), .rcx = count};

    return cp_offers(DIAGNOSE_ASSIST_CONSOLE) && call(&d) ? (int32_t)d.rcx : -1;
}

bool cms_cp_present(void)
{
    return assists & DIAGNOSE_ASSIST_COMMAND;
}

const char *cms_cp_user(void)
{
    return user;
}

bool cms_cp_command(const char *text, size_t length, char *response, size_t size, struct cms_cp_answer *answer)
{
    struct cpu_diagnose d = {
        .rax = DIAGNOSE_COMMAND, .rbx = cms_physical(text), .rcx = length, .rdx = cms_physical(response), .rsi = size,
    };
    uart_flush();
    if (!cms_cp_present() || !call(&d))
        return false;
    change_note();
    *answer = (struct cms_cp_answer){(int)d.rbx, d.rcx <= size ? d.rcx : size, d.rdx & 1};
    return true;
}

void cms_cp_forbidden(char names[CMS_CP_FORBIDDEN_MAX])
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_FORBIDDEN, .rbx = cms_physical(names), .rcx = CMS_CP_FORBIDDEN_MAX};

    memset(names, 0, CMS_CP_FORBIDDEN_MAX);
    if (present)
        call(&d);
    names[CMS_CP_FORBIDDEN_MAX - 1] = 0;
}

enum cms_cp_machine cms_cp_machine(const void *image, size_t bytes, const char *line, uint64_t *code)
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_MACHINE, .rbx = cms_physical(image), .rcx = bytes,
                             .rdx = cms_physical(line), .rsi = strlen(line)};
    if (!present)
        return CMS_MACHINE_ABSENT;
    uart_flush();
    cp_call(&d);
    change_note();
    *code = d.rbx;
    return d.rax == DIAGNOSE_OK            ? CMS_MACHINE_ENDED
           : d.rax == DIAGNOSE_NO_MACHINE  ? CMS_MACHINE_NO_ROOM
           : d.rax == DIAGNOSE_BAD_CODE    ? CMS_MACHINE_ABSENT
           : d.rax == DIAGNOSE_NOT_OFFERED ? CMS_MACHINE_FORBIDDEN
                                           : CMS_MACHINE_REFUSED;
}

size_t cms_cp_special(char message[CMS_CP_SPECIAL_MAX])
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_SPECIAL, .rbx = cms_physical(message), .rcx = CMS_CP_SPECIAL_MAX};

    return cp_offers(DIAGNOSE_ASSIST_SPECIAL) && call(&d) && d.rcx <= CMS_CP_SPECIAL_MAX ? d.rcx : 0;
}

size_t cms_terminal_width(void)
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_LINE, .rbx = uart_port()};

    return cp_offers(DIAGNOSE_ASSIST_LINE) && call(&d) ? d.rcx : 0;
}

/* A CP that does not know leaves RDX alone. */
size_t cms_terminal_height(void)
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_LINE, .rbx = uart_port()};

    return cp_offers(DIAGNOSE_ASSIST_LINE) && call(&d) ? d.rdx : 0;
}
