/* A fake machine for nest/: L1's storage, its CPU, VMCS regions and translation caches as hardware has them.
 * It notices what a processor would not forgive and Bochs does: a region freed while active, tables freed or changed
 * while translations of them are still cached, frames used after they were freed, a pinned page that was not
 * unpinned. */
#pragma once
#include "nest/active.h"
#include "vmcs-shadow/bitmap.h"

#define EPT_TABLE_MASK 0x000FFFFFFFFFF000ull

enum { FAKE_STORAGE = 4 << 20, FAKE_FRAMES = 4096, FAKE_REGIONS = 64, FAKE_CACHED = 256 };

struct fake_region {
    bool used, shadow, active;    /* active: hardware holds newer contents than memory */
    bool launched;
    struct vmcs memory, held;
};

struct fake_cached { /* a translation hardware keeps: tag, page, and what it found */
    bool valid;
    uint64_t eptp, page, hpa;
    unsigned rights;
};

struct fake_vmx {
    struct nest_host host;
    struct nest_hardware vmx;     /* what it does as a processor */
    struct nest nest;             /* of a machine that is nothing but this; else: */
    const struct nest *of;        /* whose L2 may run here, and ... */
    /* ... how L1's VMX instructions reach it.  NULL: nest_instruction() */
    enum nest_result (*instruct)(struct fake_vmx *, const struct exit *);
    struct vmx_capability hardware, offered;
    struct vmcs base;             /* CP's */
    uint8_t *storage;             /* L1's, from guest-physical 0 */
    uint64_t gpr[16];
    struct fake_region first;     /* vmcs01 */
    struct fake_region regions[FAKE_REGIONS];
    struct fake_region *loaded;
    struct fake_region *link;     /* of vmcs01 */
    bool closed;                  /* it uses the closed bitmaps: for VMREAD, VMWRITE */
    uint8_t closed_bitmaps[2][VMCS_BITMAP_BYTES];
    void *frames[FAKE_FRAMES];
    unsigned frames_held, frames_limit, regions_held, regions_limit;
    struct fake_cached cached[FAKE_CACHED];
    unsigned cached_next;
    unsigned pins;
    uint64_t tsc;
    uint64_t fault_linear;        /* page that is not mapped in L1's paging; ~0: none */
    bool fault_is_ept;            /* by L1's EPT instead */
    uint64_t device_from;         /* guest-physical addresses from here on are no storage */
    uint64_t host_page_bytes;     /* how far EPT01 is contiguous */
    uint64_t msrs[0x40];          /* C0000080H .. */
    unsigned flushes_ept, flushes_vpid, vmreads, vmwrites;
    const char *complaint;        /* first thing hardware would not have forgiven, or NULL */
    const char *traced;           /* rule of the last failed entry */
    uint64_t versions;            /* of all pages; 0: not known */
    unsigned page_reads;          /* 4 KiB reads: unions made anew */
};

/* To struct nest_hardware it is the virtual CPU. */
static inline struct vcpu *fake_vmx_cpu(struct fake_vmx *m) { return (struct vcpu *)m; }
static inline struct fake_vmx *fake_vmx_of(struct vcpu *cpu) { return (struct fake_vmx *)cpu; }

/* L1 at CPL 0 in 64-bit mode, CR4.VMXE on, outside VMX operation */
void fake_vmx_start(struct fake_vmx *, enum nest_mode mode);
void fake_vmx_stop(struct fake_vmx *);  /* destroys; complains of what was kept */
/* The processor alone, with CP's controls in vmcs01, which is loaded, and no storage: for a machine of vm_create(). */
void fake_vmx_power_up(struct fake_vmx *);
void fake_vmx_power_down(struct fake_vmx *);
void fake_vmx_l1_state(struct vmcs *vmcs01); /* CPL 0, 64-bit mode, CR3 5000H, CR4.VMXE on */
void fake_vmx_complain(struct fake_vmx *, const char *what);

/* L1 executes a VMX instruction with a memory operand at linear address `at` (identity-mapped), or VMLAUNCH and
 * such. */
enum nest_result fake_vmx_memory(struct fake_vmx *, enum exit_reason reason, uint64_t at, unsigned register2);
enum nest_result fake_vmx_plain(struct fake_vmx *, enum exit_reason reason);
/* The same with a region's address as operand. */
enum nest_result fake_vmx_pointer(struct fake_vmx *, enum exit_reason reason, uint64_t address);
/* As hardware with shadowing would do VMREAD and VMWRITE: on the linked region, else through nest_instruction(). */
uint64_t fake_vmx_read(struct fake_vmx *, enum vmcs_field field);
void fake_vmx_write(struct fake_vmx *, enum vmcs_field field, uint64_t value);

/* Region at guest-physical address with the revision, VMXON done, then cleared and made current with contents that
 * pass all checks. */
void fake_vmx_enter_operation(struct fake_vmx *);
void fake_vmx_make_vmcs(struct fake_vmx *, uint64_t region);
enum { FAKE_VMXON = 0x1000, FAKE_VMCS = 0x2000, FAKE_VMCS_B = 0x3000, FAKE_BITMAPS = 0x10000, FAKE_EPT = 0x20000 };

/* Entry as the run loop does it after NEST_ENTERED or before going on: nest_load, writes, region loaded.  false: not
 * entered. */
bool fake_vmx_load(struct fake_vmx *);
/* An exit of L2. */
enum nest_result fake_vmx_exit(struct fake_vmx *, const struct exit *exit);

/* L2 touches memory: by hardware's cache, else by walking EPT02 from the loaded region.  false: EPT violation. */
bool fake_vmx_touch(struct fake_vmx *, uint64_t gpa2, unsigned access, uint64_t *hpa);

/* RFLAGS of the CPU: the verdict of the last VMX instruction. */
enum fake_verdict { FAKE_SUCCEEDED, FAKE_FAILED_INVALID, FAKE_FAILED_VALID };
enum fake_verdict fake_vmx_verdict(const struct fake_vmx *);
