/* faults.h: calls that fail when a test says so.
 *
 * The test programs are linked with -Wl,--wrap for these calls (fault.cmake), so every call out of sluice goes through faults.c.
 * What libraries call inside is not touched, except that SQLite is told to allocate here too. (jansson 2.14 could be, but frees
 * what it does not own when an allocation fails within json_loadb.)
 *
 *     faults_arm(&(faults){.call = FAULT_MEMORY, .at = n}); ... run ...; fired = faults_disarm();
 *
 * Thread rule: arm and disarm while no other thread runs; the calls count from any. */
#ifndef SL_TESTS_FAULTS_H
#define SL_TESTS_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fault_call {
    FAULT_NONE,
    FAULT_MEMORY, /* malloc, calloc, realloc, strdup, strndup */
    FAULT_READ,   /* read, pread of regular files */
    FAULT_WRITE,  /* write, pwrite of regular files */
    FAULT_SYNC,   /* fsync */
    FAULT_EARLY,  /* fdatasync */
    FAULT_LOST,   /* sync_file_range */
    FAULT_RENAME,
    FAULT_OPEN,  /* open of a file, mkstemp */
    FAULT_WORKER /* fork, pthread_create */
} fault_call;

typedef struct faults {
    fault_call call;
    uint64_t at;    /* the call that fails, from 1 */
    bool on;        /* and all after it */
    int code;       /* errno; FAULT_MEMORY: always ENOMEM */
    bool shorten;   /* reads and writes move only a few bytes */
    bool interrupt; /* every other read, write and sync is interrupted first */
} faults;

void faults_arm(const faults *f);
/* Whether a call failed since. */
bool faults_disarm(void);

/* Before anything else. Makes SQLite allocate through here. */
void faults_everywhere(void);

#endif
