/* What is on an EDF disk, as one number and as test helpers see it. */
#pragma once
#include "tests/unit/fake/minidisk.h"

/* A digest of every file: name, type, mode, format, counts, date and records, in whatever order. Fails the test if a
 * file cannot be read. */
uint64_t edf_state(struct edf_disk *disk);
/* The same for what lies on the device, after checking that it is clean; 0, and the faults on stderr, if it is not. */
uint64_t edf_state_of_device(struct minidisk *disk);
/* edf_check's faults, printed when `verbose`. */
unsigned edf_faults(struct minidisk *disk, bool verbose);
struct edf_disk *edf_access_or_die(struct minidisk *disk, bool writable);
/* Record `number` of a test file: `length` bytes that depend on number and `salt`. */
void edf_fill(uint8_t *record, uint32_t length, uint32_t number, uint32_t salt);
/* How long that record is made in a file of at most `length` bytes a record. */
uint32_t edf_fill_length(char recfm, uint32_t length, uint32_t number, uint32_t salt);
/* Create or replace a file of `count` records of `length` bytes; V records vary from 1 to `length`. */
enum edf_status edf_put(struct edf_disk *disk, const char *name, const char *type, char recfm, uint32_t length,
                        uint32_t count, uint32_t salt);
/* `count` records of zeros, of at most 512 bytes each. */
enum edf_status edf_add_zeros(struct edf_writer *writer, uint32_t length, uint32_t count);
enum edf_status edf_add(struct edf_disk *disk, const char *name, const char *type, char recfm, uint32_t length,
                        uint32_t count, uint32_t salt);
