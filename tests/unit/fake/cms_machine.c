#include "tests/unit/fake/cms_machine.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cms/console/terminal.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/disk.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/sleep.h"

enum { SCRIPT_MAX = 16384, SCREEN_MAX = 65536, HEAP = 1 << 20, DISKS = 6 };

static char script[SCRIPT_MAX + 1], screen[SCREEN_MAX + 1];
static size_t script_length, script_at, screen_length;
static _Alignas(16) char heap[HEAP];

static struct {
    struct disk disk;
    uint8_t data[FAKE_DISK_SECTORS * DISK_SECTOR];
} disks[DISKS];

enum cms_spool_status fake_cms_spool;
const char *fake_cms_cp_when;
uint8_t fake_cms_punched[65536];
size_t fake_cms_punched_bytes;
static uint8_t reader[sizeof fake_cms_punched];
static size_t reader_bytes, reader_at;
static struct cms_spool_file in_reader; /* spoolid 0: none is */

static bool cp_there;
static char cp_response[32768];
static int cp_return_code;
char fake_cms_cp_asked[256];
const char *fake_cms_special[4];
void (*fake_cms_no_more)(void);
bool fake_cms_loses_interrupts, fake_cms_disks_fail;
unsigned fake_cms_ticks, fake_cms_sectors_left, fake_cms_patience;

void fake_cms_reset(void)
{
    script_length = script_at = 0;
    memset(disks, 0, sizeof disks);
    cp_there = false;
    fake_cms_cp_asked[0] = 0;
    fake_cms_loses_interrupts = fake_cms_disks_fail = false;
    fake_cms_ticks = fake_cms_patience = 0;
    fake_cms_width = fake_cms_height = 0;
    fake_cms_sectors_left = UINT_MAX;
    fake_cms_spool = CMS_SPOOL_OK;
    fake_cms_directory_status = CMS_DIRECTORY_OK;
    fake_cms_directory_bytes = 0;
    fake_cms_punched_bytes = 0;
    in_reader = (struct cms_spool_file){0};
    cms_heap_start(heap, sizeof heap);
    fake_cms_forget();
}

void fake_cms_type(const char *bytes)
{
    size_t n = strlen(bytes);
    if (script_at == script_length)
        script_at = script_length = 0;
    assert(script_length + n <= SCRIPT_MAX);
    memcpy(script + script_length, bytes, n);
    script_length += n;
}

bool fake_cms_typed_all(void)
{
    return script_at == script_length;
}

const char *fake_cms_shown(void)
{
    return screen;
}

void fake_cms_forget(void)
{
    screen_length = 0;
    screen[0] = 0;
}

/* A screen that is full begins again. */
void cms_terminal_write(const char *data, size_t length)
{
    if (screen_length + length > SCREEN_MAX)
        fake_cms_forget();
    assert(length <= SCREEN_MAX);
    memcpy(screen + screen_length, data, length);
    screen_length += length;
    screen[screen_length] = 0;
}

int cms_terminal_read(void)
{
    if (script_at == script_length && fake_cms_patience && !--fake_cms_patience)
        fake_cms_type("HX\r");
    return script_at < script_length ? (unsigned char)script[script_at++] : -1;
}

void cms_terminal_wait(void)
{
    if (fake_cms_patience) {
        fake_cms_type("HX\r");
        return;
    }
    if (fake_cms_no_more)
        fake_cms_no_more();
    fputs("the user has nothing more to type\n", stderr);
    abort();
}

void cms_terminal_drain(void)
{
}

size_t fake_cms_width;

size_t cms_terminal_width(void)
{
    return fake_cms_width;
}

size_t fake_cms_height;
bool fake_cms_watches, fake_cms_rings;

void cms_terminal_watch(bool on) { fake_cms_watches = on; }

bool cms_terminal_rang(void)
{
    bool rings = fake_cms_watches && fake_cms_rings;
    fake_cms_rings = false;
    return rings;
}

size_t cms_terminal_height(void)
{
    return fake_cms_height;
}

void fake_cms_attach(uint16_t vdev, bool read_only)
{
    for (int i = 0; i < DISKS; i++)
        if (!disks[i].disk.device) {
            disks[i].disk = (struct disk){vdev, read_only, FAKE_DISK_SECTORS, disks[i].disk.generation + 1, &disks[i]};
            return;
        }
    assert(!"room for another disk");
}

void fake_cms_detach(uint16_t vdev)
{
    struct disk *disk = cms_disk_find(vdev);
    assert(disk);
    disk->device = NULL;
}

struct disk *cms_disk_find(uint16_t vdev)
{
    for (int i = 0; i < DISKS; i++)
        if (disks[i].disk.device && disks[i].disk.vdev == vdev)
            return &disks[i].disk;
    return NULL;
}

bool cms_disk_is_there(struct disk *disk) { return disk->device; }

/* A disk answers while CMS sleeps for it. */
static bool answered;

static bool is_answered(void *context) { return (void)context, answered; }

__attribute__((weak)) void cms_sleep(bool bounded)
{
    answered = true;
    if (!fake_cms_loses_interrupts)
        return;
    if (!bounded) {
        fputs("the interrupt is lost, and nothing ends this sleep\n", stderr);
        abort();
    }
    fake_cms_ticks++;
}

static void wait_for_answer(void)
{
    answered = false;
    cms_sleep_until(is_answered, NULL);
}

static uint8_t *place(struct disk *disk, uint64_t sector, uint32_t count)
{
    assert(disk->device && count && sector < FAKE_DISK_SECTORS && count <= FAKE_DISK_SECTORS - sector);
    return disks[((char *)disk - (char *)disks) / sizeof *disks].data + sector * DISK_SECTOR;
}

int cms_disk_read(struct disk *disk, uint64_t sector, void *buffer, uint32_t count)
{
    wait_for_answer();
    if (fake_cms_disks_fail)
        return -EIO;
    memcpy(buffer, place(disk, sector, count), (size_t)count * DISK_SECTOR);
    return 0;
}

int cms_disk_write(struct disk *disk, uint64_t sector, const void *buffer, uint32_t count)
{
    assert(!disk->read_only);
    wait_for_answer();
    if (fake_cms_disks_fail)
        return -EIO;
    uint32_t fits = count < fake_cms_sectors_left ? count : fake_cms_sectors_left;
    memcpy(place(disk, sector, count), buffer, (size_t)fits * DISK_SECTOR);
    fake_cms_sectors_left -= fake_cms_sectors_left == UINT_MAX ? 0 : fits;
    return fits == count ? 0 : -EIO;
}

int cms_disk_flush(struct disk *disk)
{
    assert(disk->device);
    wait_for_answer();
    return 0;
}

void fake_cms_cp(const char *response, int return_code)
{
    cp_there = response;
    fake_cms_cp_when = NULL;
    strncpy(cp_response, response ? response : "", sizeof cp_response - 1);
    cp_return_code = return_code;
}

bool cms_cp_present(void)
{
    return cp_there;
}

const char *cms_cp_user(void)
{
    return "TESTER";
}

bool cms_cp_command(const char *text, size_t length, char *response, size_t size, struct cms_cp_answer *answer)
{
    if (!cp_there || length > 240)
        return false;
    memcpy(fake_cms_cp_asked, text, length);
    fake_cms_cp_asked[length] = 0;
    if (fake_cms_cp_when && strncmp(fake_cms_cp_asked, fake_cms_cp_when, strlen(fake_cms_cp_when))) {
        *answer = (struct cms_cp_answer){0};
        return true;
    }
    size_t n = strlen(cp_response);
    if (!strncmp(fake_cms_cp_asked, "CLOSE RDR", 9))
        reader_at = 0;
    bool truncated = n > size;
    n = truncated ? size : n;
    memcpy(response, cp_response, n);
    *answer = (struct cms_cp_answer){cp_return_code, n, truncated};
    return true;
}

size_t cms_cp_special(char message[CMS_CP_SPECIAL_MAX])
{
    const char *first = *fake_cms_special;

    memmove(fake_cms_special, fake_cms_special + 1, sizeof fake_cms_special - sizeof *fake_cms_special);
    fake_cms_special[3] = NULL;
    return first ? strlen(memcpy(message, first, strlen(first) + 1)) : 0;
}

/* 2026-11-21 14:05:31 */
struct clock_time cms_clock_now(void)
{
    return (struct clock_time){1795269931, 0, 20000000, 30000000};
}

/* ---- spooled devices --------------------------------------------------------------------------------------------- */

void fake_cms_deliver_lines(const char *name, const char *type)
{
    fake_cms_deliver(name, type);
    in_reader.device = CMS_READER;
}

void fake_cms_deliver(const char *name, const char *type)
{
    memcpy(reader, fake_cms_punched, fake_cms_punched_bytes);
    reader_bytes = fake_cms_punched_bytes;
    reader_at = fake_cms_punched_bytes = 0;
    in_reader = (struct cms_spool_file){.spoolid = 7, .class = 'A', .device = CMS_PUNCH, .created = 1795269931,
                                        .records = 1, .origin = "SENDER"};
    strcpy(in_reader.name, name);
    strcpy(in_reader.type, type);
}

void fake_cms_hold(bool hold) { in_reader.hold = hold; }

enum cms_spool_status cms_spool_write(enum cms_device device, const void *records, size_t bytes)
{
    assert(device != CMS_READER && bytes && bytes <= CMS_SPOOL_CALL);
    if (fake_cms_spool)
        return fake_cms_spool;
    if (bytes > sizeof fake_cms_punched - fake_cms_punched_bytes)
        return CMS_SPOOL_FULL;
    memcpy(fake_cms_punched + fake_cms_punched_bytes, records, bytes);
    fake_cms_punched_bytes += bytes;
    return CMS_SPOOL_OK;
}

/* A record or two a call. */
enum cms_spool_status cms_spool_read(struct cms_spool_read *read, void *records)
{
    if (fake_cms_spool || !in_reader.spoolid)
        return fake_cms_spool ? fake_cms_spool : CMS_SPOOL_NONE;
    if (in_reader.hold && !read->spoolid)
        return CMS_SPOOL_NONE;
    *read = (struct cms_spool_read){.spoolid = in_reader.spoolid};
    for (int i = 0; i < 2 && reader_at < reader_bytes; i++) {
        uint16_t length;
        memcpy(&length, reader + reader_at, sizeof length);
        size_t size = sizeof length + length;
        if (read->bytes + size > CMS_SPOOL_CALL)
            break;
        memcpy((uint8_t *)records + read->bytes, reader + reader_at, size);
        read->bytes += size;
        reader_at += size;
    }
    read->end = reader_at == reader_bytes;
    return CMS_SPOOL_OK;
}

enum cms_spool_status cms_spool_file(enum cms_device device, unsigned spoolid, struct cms_spool_file *file)
{
    if (fake_cms_spool)
        return fake_cms_spool;
    if (device != CMS_READER || spoolid || !in_reader.spoolid)
        return CMS_SPOOL_NONE;
    *file = in_reader;
    return CMS_SPOOL_OK;
}

/* ---- CP's directory ---------------------------------------------------------------------------------------------- */

enum cms_directory_status fake_cms_directory_status;
uint8_t fake_cms_directory[65536];
size_t fake_cms_directory_bytes;

enum cms_directory_status cms_directory_get(void **blob, size_t *bytes)
{
    if (fake_cms_directory_status || !fake_cms_directory_bytes)
        return fake_cms_directory_status ? fake_cms_directory_status : CMS_DIRECTORY_ABSENT;
    *blob = cms_heap_allocate(fake_cms_directory_bytes);
    assert(*blob);
    memcpy(*blob, fake_cms_directory, fake_cms_directory_bytes);
    *bytes = fake_cms_directory_bytes;
    return CMS_DIRECTORY_OK;
}

enum cms_directory_status cms_directory_put(const void *blob, size_t bytes)
{
    if (fake_cms_directory_status || bytes > sizeof fake_cms_directory)
        return fake_cms_directory_status ? fake_cms_directory_status : CMS_DIRECTORY_LONG;
    memcpy(fake_cms_directory, blob, bytes);
    fake_cms_directory_bytes = bytes;
    return CMS_DIRECTORY_OK;
}

const char *fake_cms_forbidden = "";

void cms_cp_forbidden(char names[CMS_CP_FORBIDDEN_MAX])
{
    snprintf(names, CMS_CP_FORBIDDEN_MAX, "%s", fake_cms_forbidden);
}
