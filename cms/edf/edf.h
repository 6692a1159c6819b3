/* The CMS enhanced disk format (EDF): the file system of a minidisk.
 *
 * Owns: everything between a record and a 512-byte sector. A disk is accessed with edf_access, files are found, read
 * and written record by record, and every change becomes visible on the disk in one label write, or not at all.
 * In: a device, a heap and a clock (three seams below). Out: records, file facts, and edf_status with a reason.
 *
 * Names, patterns and file types are ASCII, upper case, at most 8 characters, NUL-terminated; on the disk they are
 * EBCDIC. Record contents are bytes and never translated. Nothing here blocks other than in the device's own calls.
 * Whatever is on the disk may be hostile: it leads to EDF_DAMAGED with a reason, to nothing worse. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum edf_status {
    EDF_OK = 0,
    EDF_END,        /* no more records, no more files */
    EDF_NOT_FOUND,  /* no such file */
    EDF_EXISTS,     /* a file of that name stands already */
    EDF_FULL,       /* no free block left: the old state stands */
    EDF_READ_ONLY,  /* accessed read-only, or write access lost (edf_disk_facts.fault says why) */
    EDF_IO,         /* the device reported an error: the old state stands */
    EDF_NO_MEMORY,  /* the heap refused: the old state stands */
    EDF_NOT_CMS,    /* no CMS1 label on the device */
    EDF_DAMAGED,    /* label, directory, map or file contradict themselves; edf_reason tells */
    EDF_BAD_NAME,   /* empty, too long, or a character CMS does not allow */
    EDF_BAD_RECORD, /* record length 0 or over 65535, not LRECL of an F file, or beyond the last record */
    EDF_BUSY,       /* that file is being written */
    EDF_INVALID,    /* a parameter is out of its range (block size, device too small or too large) */
};

enum { EDF_SECTOR = 512, EDF_LRECL_MAX = 65535, EDF_NAME_MAX = 8, EDF_VOLID_MAX = 6, EDF_BLOCK_MAX = 4096 };

/* Years 1900 to 2099. Month and day count from 1. */
struct edf_date {
    uint16_t year;
    uint8_t month, day, hour, minute, second;
};

/* ---- the three seams --------------------------------------------------------------------------------------------- */

/* A minidisk. Calls are synchronous and return 0 or a negative errno. `write` may be reordered, torn between sectors
 * or lost by a power cut until `flush` has returned; a single sector is written wholly or not at all. */
struct edf_device {
    void *ctx;
    uint64_t sectors; /* size of the minidisk in 512-byte sectors */
    bool read_only;   /* write and flush are then never called and may be NULL */
    int (*read)(void *ctx, uint64_t sector, void *buffer, uint32_t count);
    int (*write)(void *ctx, uint64_t sector, const void *buffer, uint32_t count);
    int (*flush)(void *ctx);
};

/* Heap and clock. `get` returns memory aligned to 16 bytes or NULL; `put` takes it back with the size it was got with.
 * An accessed disk needs 64 bytes a file; one that is changed also up to 5 bit maps of its blocks and 32 KiB; an open
 * file, a few blocks. */
struct edf_host {
    void *ctx;
    void *(*get)(void *ctx, size_t size);
    void (*put)(void *ctx, void *memory, size_t size);
    void (*now)(void *ctx, struct edf_date *date);
};

/* ---- disks ------------------------------------------------------------------------------------------------------- */

struct edf_disk; /* an accessed minidisk */

/* Why something failed: a text without a full stop, and the EDF block it was found in (0: none). */
struct edf_reason {
    const char *text;
    uint32_t block;
};

struct edf_disk_facts {
    char volid[EDF_VOLID_MAX + 1];
    uint32_t block_size;
    uint32_t blocks, used; /* of the whole disk; free = blocks - used */
    uint32_t files;
    uint32_t promised; /* of the free ones */
    uint32_t erased; /* files erased when no block was free: their blocks come back as soon as a commit finds room */
    uint32_t cylinders; /* as the label has it; 0 on FBA */
    bool writable;
    const char *fault; /* why a disk that could be written no longer is; NULL: all is well */
    struct edf_date created;
};

/* Write an empty file system: `block_size` 512, 1024, 2048 or 4096; `volid` 1 to 6 characters.
 * The old label is destroyed first and the new one written last, so a cut leaves no CMS disk or an empty one. */
enum edf_status edf_format(const struct edf_device *device, const struct edf_host *host, uint32_t block_size,
                           const char *volid);

/* Access a minidisk: reads its label and directory, not its map. `device` and `host` must stay until edf_release.
 * `writable` asks for write access; a disk with a damaged file is then accessed read-only, with facts.fault set.
 * On failure *disk is NULL and, when `reason` is not NULL, it says why. */
enum edf_status edf_access(const struct edf_device *device, const struct edf_host *host, bool writable,
                           struct edf_disk **disk, struct edf_reason *reason);

/* Give everything back; the device is not touched any more. Files still open are cut off: their calls fail with EDF_IO,
 * but they must still be closed or aborted, and `host` must stay until then. NULL is allowed. */
void edf_release(struct edf_disk *disk);

void edf_disk_query(const struct edf_disk *disk, struct edf_disk_facts *facts);
/* Why the last call on this disk returned EDF_DAMAGED or EDF_IO. */
struct edf_reason edf_reason(const struct edf_disk *disk);
/* The status as a short English phrase, without a full stop. */
const char *edf_status_text(enum edf_status status);

/* ---- files ------------------------------------------------------------------------------------------------------- */

struct edf_file_facts {
    char name[EDF_NAME_MAX + 1], type[EDF_NAME_MAX + 1];
    char mode_number; /* '0' to '6'; the letter is the access's, not the disk's */
    char recfm;       /* 'F' or 'V' */
    uint32_t lrecl;   /* F: of every record; V: of the longest */
    uint32_t records;
    uint32_t blocks; /* data blocks on the disk; null blocks of a sparse file do not count */
    struct edf_date date;
    const char *fault; /* why its directory entry is damaged; NULL: sound */
};

/* A pattern's * stands for any characters, none included; % for exactly one. NULL stands for *. Case counts. */
bool edf_name_matches(const char *pattern, const char *name);
/* 1 to 8 characters of A-Z a-z 0-9 # @ + $ - : _ */
bool edf_name_valid(const char *name);

/* Next file whose name and type match. *position starts at 0 and is only handed back: EDF_OK or EDF_END. A change of
 * the directory in between may show a file twice or skip one, never more than the directory holds. */
enum edf_status edf_next(const struct edf_disk *disk, uint32_t *position, const char *name, const char *type,
                         struct edf_file_facts *facts);
enum edf_status edf_find(const struct edf_disk *disk, const char *name, const char *type,
                         struct edf_file_facts *facts);

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct edf_reader;

/* The reader sees the file as it was when opened, whatever is committed meanwhile. */
enum edf_status edf_open(struct edf_disk *disk, const char *name, const char *type, struct edf_reader **reader);
void edf_reader_facts(const struct edf_reader *reader, struct edf_file_facts *facts);
/* The next record goes to buffer[0 .. *length). A longer record is cut at `size`; *length is then its full length,
 * and the rest is skipped. EDF_END after the last one. `size` of facts.lrecl always suffices. */
enum edf_status edf_read(struct edf_reader *reader, void *buffer, size_t size, uint32_t *length);
/* Position before record `number`, counted from 1; facts.records + 1 is the end. Reads pointer blocks only for what it
 * passes over. EDF_BAD_RECORD when beyond. */
enum edf_status edf_seek(struct edf_reader *reader, uint32_t number);
/* Bytes of an F file, whose records lie one behind the other; the next record to be read stays what it is.
 * EDF_BAD_RECORD when they are not all within it, EDF_INVALID of a V file. */
enum edf_status edf_read_bytes(struct edf_reader *reader, uint64_t offset, void *buffer, size_t bytes);
void edf_close(struct edf_reader *reader);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct edf_writer;

enum edf_replace { EDF_NEW, EDF_REPLACE };

/* Start a file. Nothing of it is seen until edf_commit. recfm 'F' with lrecl 1..65535, or 'V' (lrecl is ignored).
 * mode_number '0'..'6', usually '1'. EDF_NEW: EDF_EXISTS when the name is taken; EDF_REPLACE: the old file, if there
 * is one, stands until the commit. Several writers may be open on one disk, one a file. */
enum edf_status edf_create(struct edf_disk *disk, const char *name, const char *type, char mode_number, char recfm,
                           uint32_t lrecl, enum edf_replace replace, struct edf_writer **writer);
/* Continue a file with its own format. The old file stands until the commit. The first record says how long those of an
 * F file are that has neither records nor lrecl. */
enum edf_status edf_append(struct edf_disk *disk, const char *name, const char *type, struct edf_writer **writer);
/* Add one record: 1..65535 bytes, exactly lrecl for F, else EDF_BAD_RECORD and nothing happened. Blocks of an F file
 * that are wholly zero take no room on the disk. After any other failure only edf_abort is allowed; what
 * a device did not take may be told to a later call. */
enum edf_status edf_write(struct edf_writer *writer, const void *data, uint32_t length);
/* As many records of an F file as the bytes are; a multiple of lrecl, else EDF_BAD_RECORD; EDF_INVALID of a V file. */
enum edf_status edf_write_bytes(struct edf_writer *writer, const void *data, uint32_t bytes);
/* Set the date the file will carry; without it, it is the time of the commit. */
void edf_writer_date(struct edf_writer *writer, const struct edf_date *date);
/* Make it so, and free the writer, whatever is returned. A file may have no records. */
enum edf_status edf_commit(struct edf_writer *writer);
/* Forget it, and free the writer. NULL is allowed. */
void edf_abort(struct edf_writer *writer);

/* Keeps `blocks` blocks free, instead of the `*promised` that were kept for the same purpose until now (0 at first):
 * no writer takes them, so who will write gives them back before. EDF_FULL: there are not so many, and nothing has
 * changed; fewer are always to be had. */
enum edf_status edf_promise(struct edf_disk *disk, uint32_t *promised, uint32_t blocks);

/* One commit each. EDF_BUSY when the file is being written. EDF_FULL when the commit finds no block: a file is erased
 * all the same, unless a reader is open. */
enum edf_status edf_erase(struct edf_disk *disk, const char *name, const char *type);
enum edf_status edf_rename(struct edf_disk *disk, const char *name, const char *type, const char *new_name,
                           const char *new_type);
enum edf_status edf_set_date(struct edf_disk *disk, const char *name, const char *type, const struct edf_date *date);
/* Change the file mode number, '0'..'6'. */
enum edf_status edf_set_mode_number(struct edf_disk *disk, const char *name, const char *type, char mode_number);

/* ---- EBCDIC ------------------------------------------------------------------------------------------------------ */

/* Code page 1047 and ISO 8859-1, one table. Names on the disk are in it; what text records are in is the user's. */
uint8_t edf_ebcdic_from_ascii(uint8_t c);
uint8_t edf_ascii_from_ebcdic(uint8_t c);
