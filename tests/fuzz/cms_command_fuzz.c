/* A user who types anything. Each line of the input is a command on a CMS with two small disks; whatever the commands
 * make of it, the disks must be clean afterwards and nothing may be left on the heap once they are released. A command
 * that asks is answered in turn with 1, a word, lists, a null line and HX. Bytes from 80 on stand for the words of the
 * language, so that short inputs go far. */
#include <stdlib.h>
#include <string.h>

#include "cms/console/stack.h"
#include "cms/exec/exec.h"
#include "cms/command/command.h"
#include "cms/command/synonym.h"
#include "cms/console/console.h"
#include "cms/console/terminal.h"
#include "cms/edf/edf_check.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/directory.h"
#include "cms/kernel/disk.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/mode.h"
#include "cms/kernel/spool.h"

enum { SECTORS = 256, DISKS = 2, HEAP = 1 << 20, LINES_MAX = 12, PATIENCE = 20000 };

static struct disk disks[DISKS];
static uint8_t bytes[DISKS][SECTORS * DISK_SECTOR], fresh[SECTORS * DISK_SECTOR];
static _Alignas(16) char heap[HEAP];
static const char *answer_left = "";
static unsigned answers, looks;

void cms_terminal_write(const char *data, size_t length)
{
    volatile char sum = 0;
    for (size_t i = 0; i < length; i++)
        sum = (char)(sum ^ data[i]);
}

int cms_terminal_read(void)
{
    if (!*answer_left && ++looks == PATIENCE) /* he has waited long enough: a pipeline need not have an end */
        answer_left = "HX\r";
    return *answer_left ? *answer_left++ : -1;
}

void cms_terminal_wait(void)
{
    static const char *const answer[] = {"1\r", "WORD\r", "1-3 2 /x/ 9 H1B 1\r", "\r", "a b++\r", "HX\r"};
    answer_left = answer[answers++ % 6];
}

void cms_terminal_drain(void) {}
size_t cms_terminal_width(void) { return 80; }
size_t cms_terminal_height(void) { return 24; }
void cms_terminal_watch(bool on) { (void)on; }
bool cms_terminal_rang(void) { return false; }

struct disk *cms_disk_find(uint16_t vdev)
{
    return vdev - 0x191u < DISKS ? &disks[vdev - 0x191] : NULL;
}

int cms_disk_read(struct disk *disk, uint64_t sector, void *buffer, uint32_t count)
{
    memcpy(buffer, bytes[disk - disks] + sector * DISK_SECTOR, (size_t)count * DISK_SECTOR);
    return 0;
}

int cms_disk_write(struct disk *disk, uint64_t sector, const void *buffer, uint32_t count)
{
    memcpy(bytes[disk - disks] + sector * DISK_SECTOR, buffer, (size_t)count * DISK_SECTOR);
    return 0;
}

bool cms_disk_is_there(struct disk *disk) { return disk->device; }
int cms_disk_flush(struct disk *disk)
{
    (void)disk;
    return 0;
}

bool cms_cp_present(void) { return false; }
const char *cms_cp_user(void) { return ""; }
void cms_cp_forbidden(char names[CMS_CP_FORBIDDEN_MAX]) { *names = 0; }

size_t cms_cp_special(char message[CMS_CP_SPECIAL_MAX])
{
    memset(message, 'M', CMS_CP_SPECIAL_MAX);
    return answers++ % 3 ? CMS_CP_SPECIAL_MAX : 0;
}

bool cms_cp_command(const char *text, size_t length, char *response, size_t size, struct cms_cp_answer *answer)
{
    (void)text;
    (void)length;
    (void)response;
    (void)size;
    (void)answer;
    return false;
}

/* What is written to a device is the one file in the reader. */
static uint8_t spooled[16384];
static size_t spooled_bytes, spooled_at;

enum cms_spool_status cms_spool_write(enum cms_device device, const void *records, size_t count)
{
    (void)device;
    if (count > sizeof spooled - spooled_bytes)
        return CMS_SPOOL_FULL;
    memcpy(spooled + spooled_bytes, records, count);
    spooled_bytes += count;
    return CMS_SPOOL_OK;
}

enum cms_spool_status cms_spool_read(struct cms_spool_read *read, void *records)
{
    uint16_t length;
    *read = (struct cms_spool_read){.spoolid = 1};
    if (spooled_at < spooled_bytes) {
        memcpy(&length, spooled + spooled_at, sizeof length);
        read->bytes = sizeof length + length;
        memcpy(records, spooled + spooled_at, read->bytes);
        spooled_at += read->bytes;
    }
    read->end = spooled_at == spooled_bytes;
    return CMS_SPOOL_OK;
}

enum cms_spool_status cms_spool_file(enum cms_device device, unsigned spoolid, struct cms_spool_file *file)
{
    spooled_at = 0;
    *file = (struct cms_spool_file){.spoolid = 1, .origin = "BOB", .name = "FRUIT", .type = "LIST"};
    return device == CMS_READER && !spoolid ? CMS_SPOOL_OK : CMS_SPOOL_NONE;
}

/* What is given is what there is. */
static uint8_t directory[16384];
static size_t directory_bytes;

enum cms_directory_status cms_directory_get(void **blob, size_t *bytes)
{
    *blob = directory_bytes ? cms_heap_allocate(directory_bytes) : NULL;
    if (!*blob)
        return CMS_DIRECTORY_ABSENT;
    memcpy(*blob, directory, directory_bytes);
    *bytes = directory_bytes;
    return CMS_DIRECTORY_OK;
}

enum cms_directory_status cms_directory_put(const void *blob, size_t bytes)
{
    if (bytes > sizeof directory)
        return CMS_DIRECTORY_LONG;
    memcpy(directory, blob, bytes);
    directory_bytes = bytes;
    return CMS_DIRECTORY_OK;
}

struct clock_time cms_clock_now(void)
{
    return (struct clock_time){1795269931, 0, 20000000, 30000000};
}

/* ---- the check --------------------------------------------------------------------------------------------------- */

static int check_read(void *ctx, uint64_t sector, void *buffer, uint32_t count)
{
    memcpy(buffer, (uint8_t *)ctx + sector * EDF_SECTOR, (size_t)count * EDF_SECTOR);
    return 0;
}

static void *check_get(void *ctx, size_t size) { (void)ctx; return malloc(size); }
static void check_put(void *ctx, void *memory, size_t size) { (void)ctx; (void)size; free(memory); }

static void check(int i)
{
    const struct edf_device device = {bytes[i], SECTORS, true, check_read, NULL, NULL};
    const struct edf_host host = {.get = check_get, .put = check_put};
    struct edf_check_report report;
    enum edf_status status = edf_check(&device, &host, NULL, NULL, &report);
    if (status != EDF_NOT_CMS && (status || report.faults))
        abort();
}

static void start(void)
{
    struct mode_problem problem;
    cms_heap_start(heap, sizeof heap);
    for (int i = 0; i < DISKS; i++) {
        disks[i].vdev = (uint16_t)(0x191 + i);
        disks[i].sectors = SECTORS;
        disks[i].generation++;
        disks[i].device = bytes[i];
        memcpy(bytes[i], fresh, sizeof fresh);
        if (!fresh[EDF_SECTOR] && !cms_mode_format(disks[i].vdev, 512, "FUZZ", &problem))
            abort();
        if (!cms_mode_access(disks[i].vdev, (char)('A' + i), (char)('A' + i), false, &problem))
            abort();
    }
    cms_console_start(NULL);
    if (fresh[EDF_SECTOR])
        return;
    cms_obey("PIPE literal apple red,pear green,cherry red| split at ,| > FRUIT LIST A");
    cms_obey("COPYFILE FRUIT LIST A FIXED LIST A (RECFM F LRECL 10");
    memcpy(fresh, bytes[0], sizeof fresh);
}

static const char *const words[] = {
    "PIPE ", "| ", "literal ", "console ", "< FRUIT LIST A", "< FIXED LIST A", "> X Y A ", ">> FRUIT LIST A ",
    "> FIXED LIST B F 7 ", "locate ", "nlocate ", "between ", "change ", "specs ", "sort ", "unique ", "take ",
    "drop ", "last ", "count ", "chars words lines ", "join ", "split ", "cms ", "xlate ", "/a/ ", "/e/EE/ ", "w2 ",
    "1-3 ", "3.2 ", "next ", "nextword ", "number ", "strip ", "c2x ", "right ", "anycase ", "before ", "string ",
    "* ", "COPYFILE ", "FRUIT LIST A ", "FIXED LIST A ", "= = B ", "NEW = A ", "( ", "REPLACE ", "APPEND ",
    "RECFM V ", "RECFM F ", "LRECL 5 ", "FROM 2 ", "TRUNC ",
    "FRLABEL ap ", "TOLABEL p ", "FILL 2E ", "= = = ", "ERASE ", "RENAME ", "LISTFILE ", "* * * ", "TYPE ",
    "HEX ", "COL 2-4 ", "COMPARE ", "STATE ", "ACCESS 192 C/A", "RELEASE B",
    "/RELEASE A/ 1 ", "FORMAT 192 D", "DATE ", "LABEL ",
    "FOR 1 ", "HELP ", "QUERY DISK", "CP ", "SET IMPCP OFF", "HT", "RT", "HI", "HX", "STATEW ", "hole ", "starmsg",
    "PUNCH ", "PRINT ", "SENDFILE ", "READCARD ", "RECEIVE ", "PEEK ", "RDRLIST", "RLIST", "SFILE ",
    "NOHEADER ", "TO BOB ", "EXEC ", "EXECIO ", "* DISKR ", "1 DISKW NEW DATA A ", "LIFO ", "STEM X. ", "VAR X ",
    "LOCATE /a/ ", "ZONE 1 2 ", "MARGINS 2 * ", "FINIS ", "GLOBALV ", "SELECT G ", "SETP X 1 ", "PUT X ", "LIST ",
    "STACK ", "PURGE ", "EEL ", "SET TYPE LIST ", "DEFINE E /bin/x %f ", "POLICY TELL ", "RESET ", "XEDIT ", "FRUIT",
    "NAMES ", "ADD ", "DELETE ", "AT VMN ", ":nick.", ":userid.", "NOTE ", "(FILE ", "NOTEBOOK ", "NONOTEBOOK ",
    "TELL ", ":list.", "ACK ", "OLDDATE ",
    "DIRECTXA ", "EDIT ", "GET ", "OVLY ", "SPECS ", "TRANS ", "SINGLE ", "EBCDIC ", "* LIST A ", "= LIST A ",
    "TAPE ", "FILEDEF TAP1 DISK ", "DUMP ", "LOAD ", "SCAN ", "FSR ", "BSF ", "WTM ", "REW", "SORT ", "DDR ",
    "FILELIST ", "SET FULLSCREEN OFF", "SYNONYM FRUIT LIST", "SYNONYM ", "IDENTIFY ", "QUERY SYNONYM ALL",
    "(STACK LIFO",
    "SNAPSHOT ", "ROLLBACK 191 1 ", "KEEP ",
    "PACK ", "UNPACK ", "PIPE literal &1 &2 &TYPE &EXIT| split| > CMS EXEC A", "EXEC CMS ", "LISTFILE (EXEC ARGS",
};

/* A byte of 80 and above is a word, of the page that a byte before it may have chosen. */
static size_t add(char *line, size_t n, uint8_t byte)
{
    enum { PAGE = 0x80, PAGES = 4 };
    static unsigned page;
    const char one[2] = {(char)byte, 0}, *text = one;
    if (byte < PAGES) {
        page = byte;
        return n;
    }
    if (byte >= PAGE && (size_t)page * PAGE + byte - PAGE < sizeof words / sizeof *words)
        text = words[page * PAGE + byte - PAGE];
    page = 0;
    while (*text && n < COMMAND_LINE_MAX)
        line[n++] = *text++;
    return n;
}

/* Obeys one line; returns what it and its end take of the input. */
static size_t obey(const uint8_t *data, size_t size)
{
    char line[COMMAND_LINE_MAX + 1];
    size_t n = 0, taken = 0;
    while (taken < size && n < COMMAND_LINE_MAX && data[taken] != '\n')
        n = add(line, n, data[taken++]);
    line[n] = 0;
    looks = 0;
    cms_console_command_begins();
    cms_obey(line);
    cms_console_command_ends();
    cms_heap_free_commands();
    return taken < size ? taken + 1 : taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096 || (size && memchr(data, 0, size)))
        return 0;
    answer_left = "";
    answers = 0;
    spooled_bytes = spooled_at = 0;
    start();
    for (int lines = 0; size && lines < LINES_MAX; lines++) {
        size_t taken = obey(data, size);
        data += taken;
        size -= taken;
    }
    cms_exec_line_ends();
    cms_stack_clear();
    cms_globalv_forget();
    cms_synonym_clear();
    for (char letter = 'A'; letter <= 'Z'; letter++)
        cms_mode_release(letter);
    if (cms_heap_in_use())
        abort();
    for (int i = 0; i < DISKS; i++)
        check(i);
    return 0;
}
