/* DIAGNOSE: what CP offers a guest that knows it runs under CP.  The one header CP and its guests share.
 *
 * Is CP there?  CPUID leaf 0x40000000 answers EAX = highest leaf of this range, EBX:ECX:EDX = "VM/NVM/NVM/N".
 * Leaf 0x40000001 EAX is the bit map of the assists offered (enum diagnose_assist); a function whose assist bit
 * is off answers DIAGNOSE_NOT_OFFERED.  Leaf 0x40000002 EAX is the virtual TSC's frequency in kHz (0: not known).
 *
 * A call is VMCALL in ring 0 with RAX = function code and the arguments in RBX, RCX, RDX, RSI, RDI.
 * Addresses are guest-physical, lengths are bytes; a buffer may cross pages but must lie wholly in the guest's RAM,
 * and CP reads or writes it once.  Unused argument registers are ignored.  On return RAX is an enum diagnose_status,
 * the results named below are in RBX, RCX and RDX, and every other register is unchanged.  When RAX is not
 * DIAGNOSE_OK nothing was written and RBX, RCX, RDX are unchanged.  Numbers in memory are little-endian.
 *
 *  0x00 identify    RBX = address, RCX = length >= 48   CP stores a struct diagnose_identity.
 *  0x08 command     RBX = address of the text, RCX = its length (1..DIAGNOSE_COMMAND_MAX),
 *                   RDX = address of the response buffer, RSI = its length (0..DIAGNOSE_RESPONSE_MAX).
 *                   The text is one CP command, or several separated by a newline (X'0A'), obeyed in turn with the
 *                   user's own privilege classes, up to the first that fails.
 *                   Results: RBX = CP's return code of the last command obeyed (0, or the number of the HCP message),
 *                   RCX = bytes stored in the buffer, RDX = 1 if the response was longer than the buffer (the rest is
 *                   lost), else 0.  A response is lines, each ended by a newline, without NUL.
 *                   RSI = 0: the response appears on the virtual console instead, and RCX = 0.
 *                   LOGOFF, IPL and SYSTEM RESET do not come back.
 *  0x0C times       RBX = address, RCX = length >= 32   CP stores a struct diagnose_times.
 *  0x10 chain       RBX = address of a buffer, RCX = its length (1..DIAGNOSE_CHAIN_MAX)   CP stores a line, ended by a
 *                   newline, for each level from the machine that asks down to the real one, as far as each CP tells.
 *                   Results: RCX = bytes stored, RDX = 1 if there was more (the rest is lost), else 0.
 *  0x14 enter       RBX = address of a struct vmcs_page (vmcs-shadow/page.h): VMX without VMX instructions, for a guest
 *                   in VMX operation that runs guests of its own.  It enters the guest that the page describes, as
 *                   VMRESUME does; at the exit the caller goes on at the page's host RIP, with the guest's general
 *                   registers as VMX leaves them.  At entry they are the caller's, but RAX and RBX, which are in the
 *                   page.  The call itself comes back only when it failed; after DIAGNOSE_ENTRY_FAILED the
 *                   arithmetic flags are those of a VMfailValid.
 *  0x58 console     RBX = address of bytes for the virtual console, RCX = how many (1..DIAGNOSE_CONSOLE_MAX).
 *                   They are as if sent by the machine's first UART, behind what that has sent, at the cost of one
 *                   call.  Results: RCX = bytes taken.  Fewer than given, or none: the console is full, and the rest
 *                   is for the UART, whose transmitter is empty, and interrupts, when there is room again.
 *  0x68 special     RBX = address, RCX = length >= 248   CP stores the oldest message that others sent by SMSG, and it
 *   message         waits no more: a struct diagnose_special, as far as the text goes.   Results: RCX = bytes stored,
 *                   RDX = 1 if another one waits, else 0.   When one comes, the first UART rings (RI falls).
 *  0x8C line        RBX = the I/O port of a UART of the machine.  Results: RCX = columns, RDX = rows of the terminal
 *                   there, 0 where they are not known or nobody is there.  When they change, the UART's
 *                   modem rings (RI falls).
 *
 *  0xA4 block I/O   RBX = number of a disk (device), RCX = first sector, of 512 bytes, RDX = address, RSI = sectors
 *                   (1..DIAGNOSE_SECTORS_MAX), RDI = enum diagnose_io; RCX, RDX and RSI are ignored by a flush.
 *                   The call comes back when it is done, and meanwhile no interrupt is taken.
 *  0x210 device     RBX = number of a virtual device   Results: RBX = the disk's number, which is another one when it
 *                   was detached and a disk attached again, and after a reset, and which no other machine's disk has,
 *                   RCX = its sectors, RDX = 1 if it is to be read only, else 0.
 *
 * Spooled devices hold records: a 16-bit length, at most DIAGNOSE_RECORD_MAX, and so many bytes, one behind the other.
 * DIAGNOSE_BUSY is for a disk that is at work: the same call again goes on.
 *
 *  0xB0 spool write RBX = address of records, RCX = their bytes (1..DIAGNOSE_SPOOL_MAX),
 *                   RDX = DIAGNOSE_PRINTER or DIAGNOSE_PUNCH.   They are added to the file that is open there; the
 *                   first begins one, and the command CLOSE ends it.   Results: RCX = bytes taken, in whole records.
 *                   Fewer than given: the call with the rest tells why.
 *  0xB4 spool read  RBX = address of a buffer, RCX = its length (1..DIAGNOSE_SPOOL_MAX), RDX = a spoolid of the reader,
 *                   or 0: the file that is open, or else the first that is not held and of the reader's class.
 *                   Results: RBX = the spoolid, RCX = bytes stored, in whole records, RDX = 1 if they were the last,
 *                   else 0.   The file stays open, and stays, until the command CLOSE RDR.
 *  0xB8 spool file  RBX = address, RCX = length >= 80, RDX = enum diagnose_device, RSI = a spoolid there, or 0
 *                   CP stores a struct diagnose_spool_file of the file behind that one, 0: of the first. *
 *  0x3C directory   of privilege class B.   The directory is a device tree blob; its text is docs/directory.md's.
 *                   RDX = DIAGNOSE_DIRECTORY_GET: RBX = address of a buffer, RCX = its length (1..
 *                   DIAGNOSE_DIRECTORY_MAX), RSI = offset in the blob of the directory in force.   Results: RBX =
 *                   bytes of the blob, RCX = bytes stored, none at its end, RDX = a number that is another when the
 *                   directory is.
 *                   RDX = DIAGNOSE_DIRECTORY_PUT: RBX = address of bytes of a new one, RCX = how many (1..
 *                   DIAGNOSE_DIRECTORY_MAX), RSI = how many were put before; 0 begins.   The command DIRECTORY does the
 *                   rest.   Registers are not changed.
 *
 *  0x100 machine    RBX = address of a multiboot image, RCX = its length (1..DIAGNOSE_IMAGE_MAX), RDX = address of its
 *                   command line, RSI = its length (1..DIAGNOSE_LINE_MAX), of printable characters.   The image runs in
 *                   another machine of the user's, with a console and the storage that the directory's maximum leaves
 *                   beside this one's, and without disks. The console is that machine's until it ends: by powering
 *                   off, by a reset, by what stops a machine for good, or by the command SYSTEM END.   This one stands
 *                   still meanwhile; bytes that it has not sent, and interrupts, wait.   Results: RBX = 0, the value
 *                   written to the debug exit, or the number of the message that CP said.
 *  0x104 forbidden  RBX = address, RCX = length >= DIAGNOSE_FORBIDDEN_BYTES   CP stores the names of the execution
 *                   environments that the user is not to have, with a blank between them and NULs behind. */
#pragma once
#include <stdint.h>

enum diagnose_leaf {
    DIAGNOSE_LEAF_SIGNATURE = 0x40000000,
    DIAGNOSE_LEAF_ASSISTS = 0x40000001,
    DIAGNOSE_LEAF_CLOCK = 0x40000002,
};

#define DIAGNOSE_SIGNATURE "VM/NVM/NVM/N" /* EBX, ECX, EDX, 4 bytes each, low byte first */

enum diagnose_code {
    DIAGNOSE_IDENTIFY = 0x00,
    DIAGNOSE_COMMAND = 0x08,
    DIAGNOSE_TIMES = 0x0c,
    DIAGNOSE_CHAIN = 0x10,
    DIAGNOSE_ENTER = 0x14,
    DIAGNOSE_DIRECTORY = 0x3c,
    DIAGNOSE_CONSOLE = 0x58,
    DIAGNOSE_SPECIAL = 0x68,
    DIAGNOSE_LINE = 0x8c,
    DIAGNOSE_BLOCK_IO = 0xa4,
    DIAGNOSE_SPOOL_WRITE = 0xb0,
    DIAGNOSE_SPOOL_READ = 0xb4,
    DIAGNOSE_SPOOL_FILE = 0xb8,
    DIAGNOSE_MACHINE = 0x100,
    DIAGNOSE_FORBIDDEN = 0x104,
    DIAGNOSE_DEVICE = 0x210,
};

/* bits of leaf DIAGNOSE_LEAF_ASSISTS, EAX; identify and forbidden are always there */
enum diagnose_assist {
    DIAGNOSE_ASSIST_COMMAND = 1u << 0,
    DIAGNOSE_ASSIST_TIMES = 1u << 1,
    DIAGNOSE_ASSIST_CHAIN = 1u << 2,
    DIAGNOSE_ASSIST_ENTER = 1u << 3, /* off: SET NESTED, or "nesting" in the directory, says so */
    DIAGNOSE_ASSIST_CONSOLE = 1u << 4,
    DIAGNOSE_ASSIST_LINE = 1u << 5,
    DIAGNOSE_ASSIST_SPOOL = 1u << 6, /* the three calls; there may be no spool all the same */
    DIAGNOSE_ASSIST_DISK = 1u << 7,  /* device and block I/O */
    DIAGNOSE_ASSIST_DIRECTORY = 1u << 8,
    DIAGNOSE_ASSIST_SPECIAL = 1u << 9, /* after the command SET SMSG ON */
    /* a page may delegate (struct vmcs_page); off: SET NESTED, or "nesting" in the directory, says so */
    DIAGNOSE_ASSIST_DELEGATE = 1u << 11,
    DIAGNOSE_ASSIST_MACHINE = 1u << 10, /* off: "forbidden" in the directory says so */
};

/* Leaf DIAGNOSE_LEAF_ASSISTS, EBX: properties of the virtual processor */
enum diagnose_property {
    /* an external interrupt leaves a guest of the guest whatever its RFLAGS.IF was at entry */
    DIAGNOSE_EXACT_INTERRUPTS = 1u << 0,
    /* an XSETBV of a guest of the guest may not leave it, so that any component of
     * leaf 0DH may be in use at any time */
    DIAGNOSE_UNSEEN_XSETBV = 1u << 1,
    /* its walks set the accessed bit of PAE's top entries, where it is reserved: nobody looks at it */
    DIAGNOSE_MARKED_PDPTES = 1u << 2,
};

enum diagnose_status {
    DIAGNOSE_OK = 0,
    DIAGNOSE_BAD_CODE = 1,    /* no such function */
    DIAGNOSE_NOT_OFFERED = 2, /* the function exists, but this machine's directory entry switches it off */
    DIAGNOSE_BAD_ADDRESS = 3, /* a buffer is not wholly in the guest's RAM, or address + length overflows */
    DIAGNOSE_BAD_LENGTH = 4,  /* a length is out of its stated range */
    DIAGNOSE_BUSY = 5,        /* CP lacks the resources now; the call may be made again */
    DIAGNOSE_BAD_PAGE = 6,    /* enter: not such a page, or it notes a field that is not offered */
    DIAGNOSE_ENTRY_FAILED = 7, /* enter: VMfailValid; the VM-instruction error is in the page */
    DIAGNOSE_NO_SPOOL = 8,     /* CP has no spool, or not yet */
    DIAGNOSE_SPOOL_FULL = 9,   /* or the user has their share of it; the file stays as it is */
    DIAGNOSE_NO_FILE = 10,     /* no such spool file, or none to be read */
    DIAGNOSE_SPOOL_DAMAGED = 11, /* the file is not what it was: the volume failed, or was changed */
    DIAGNOSE_NO_DEVICE = 12,     /* no such disk, or not any more */
    DIAGNOSE_READ_ONLY = 13,
    DIAGNOSE_IO_ERROR = 14,      /* the medium failed, or CP lacked frames for the buffer */
    DIAGNOSE_NO_CLASS = 15,      /* the function is for another privilege class */
    DIAGNOSE_NO_DIRECTORY = 16,  /* there is none on a volume; or so many bytes were not put before */
    DIAGNOSE_NO_MESSAGE = 17,    /* no special message waits */
    DIAGNOSE_NO_MACHINE = 18,    /* the user's maximum leaves no storage for one, or as many as may be wait already */
};

enum {
    DIAGNOSE_COMMAND_MAX = 240,
    DIAGNOSE_RESPONSE_MAX = 65536,
    DIAGNOSE_CHAIN_MAX = 4096,
    DIAGNOSE_CONSOLE_MAX = 2048,
    DIAGNOSE_SPOOL_MAX = 4096,
    DIAGNOSE_RECORD_MAX = 4000,
    DIAGNOSE_SECTORS_MAX = 2048,
    DIAGNOSE_DIRECTORY_MAX = 4096,
    DIAGNOSE_SPECIAL_TEXT = 240,
    DIAGNOSE_IMAGE_MAX = 1 << 30,
    DIAGNOSE_LINE_MAX = 240,
    DIAGNOSE_FORBIDDEN_BYTES = 48,
};

enum diagnose_io { DIAGNOSE_IO_READ, DIAGNOSE_IO_WRITE, DIAGNOSE_IO_FLUSH };
enum diagnose_directory { DIAGNOSE_DIRECTORY_GET, DIAGNOSE_DIRECTORY_PUT };
enum diagnose_device { DIAGNOSE_READER, DIAGNOSE_PRINTER, DIAGNOSE_PUNCH };

struct diagnose_identity {
    char product[8];      /* "VM/N    ", blank-padded like every name here, no NUL */
    char version[16];     /* for example "1.0             " */
    char user[8];         /* user ID of the machine */
    uint32_t cpu_address; /* of the virtual CPU that asks */
    uint32_t reserved0;
    uint64_t reserved1;
};

struct diagnose_times {
    uint64_t unix_seconds; /* wall clock, UTC */
    uint32_t microseconds; /* 0..999999 */
    int32_t zone_seconds;  /* local time minus UTC */
    uint64_t virtual_ns;   /* CPU time the virtual CPU has run since logon */
    uint64_t total_ns;     /* the same and CP's own work on its behalf */
};

struct diagnose_special {
    char from[8]; /* user ID, blank-padded */
    char text[DIAGNOSE_SPECIAL_TEXT]; /* characters to be seen only, in UTF-8; not padded, no NUL */
};

struct diagnose_spool_file {
    uint32_t spoolid, records;
    uint64_t created; /* Unix seconds */
    char class;
    uint8_t device; /* enum diagnose_device which made it */
    uint8_t hold, keep, copies;
    uint8_t reserved[11];
    char origin[8], name[8], type[8], dist[8]; /* origin: who made it */
    uint64_t reserved1[2];
};

_Static_assert(sizeof(struct diagnose_special) == 248, "stored by DIAGNOSE 0x68");
_Static_assert(sizeof(struct diagnose_spool_file) == 80, "stored by DIAGNOSE 0xB8");
_Static_assert(sizeof(struct diagnose_identity) == 48, "stored by DIAGNOSE 0x00");
_Static_assert(sizeof(struct diagnose_times) == 32, "stored by DIAGNOSE 0x0C");
