/* gate_fault.h -- one planned fault in a gateway on the simulated ring.
 *
 * A program linked with the --wrap list that the Makefile has for the gate's simulations may
 * have the n-th allocation fail, the n-th of each other thing that can fail by contract, or
 * something happen at the n-th suspension.  Only what the gateway does between arming and
 * disarming counts: coroutines whose names begin with "script" are the test's own.
 */
#ifndef TESTS_SUPPORT_GATE_FAULT_H
#define TESTS_SUPPORT_GATE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gate_fault_kind {
    GATE_FAULT_NONE,
    GATE_FAULT_HEAP,    /* libc has no memory; by contract the process ends             */
    GATE_FAULT_BOUND,   /* a bounded buffer is full: TG_ELIMIT                          */
    GATE_FAULT_STACK,   /* no stack for a new coroutine: TG_EUNAVAIL                    */
    GATE_FAULT_OFFLOAD, /* the queue of the offload threads is full: TG_EUNAVAIL        */
    GATE_FAULT_SOCKET,  /* socket(2) says sys_errno                                     */
    GATE_FAULT_SUBMIT,  /* a ring operation fails with sys_errno                        */
    GATE_FAULT_RESULT,  /* a completion is sys_errno in place of what it was to be      */
    GATE_FAULT_SHORT,   /* a send or receive moves one byte                             */
    GATE_FAULT_PARK,    /* act is called when a coroutine of the gateway has suspended  */
};

struct gate_fault {
    enum gate_fault_kind kind;
    uint64_t n; /* which one, from 1 */
    int sys_errno;
    /* On the scheduler's stack: at once, before anything else can happen; late, together with
     * what the next turn of the ring brings. */
    void (*act)(void *arg);
    void *arg;
    bool late;
};

/* On the gateway's thread, inside its scheduler. */
void gate_fault_arm(const struct gate_fault *f);
/* It has happened. */
bool gate_fault_happened(void);
/* Returns whether it has happened. */
bool gate_fault_disarm(void);
/* Blocks that the program has from libc and has not given back. */
long gate_fault_heap(void);
/* Access lines written since the program began, and those of them that tell of an error
 * although the whole answer was given. */
unsigned gate_fault_access_lines(void);
unsigned gate_fault_false_lines(void);

#endif
