/* relief.h -- gives the memory of a crowd back when the crowd has left.
 *
 * What exchanges free stays with the process: unused stacks wait for the next coroutine, and
 * the heap keeps its pages, because what is still in use lies scattered among them.  After a
 * rush of thousands of streams that is most of the memory they needed.
 */
#ifndef GATE_RELIEF_H
#define GATE_RELIEF_H

#include "co/co.h"

struct relief {
    unsigned busy;       /* exchanges at work */
    unsigned busy_max;   /* the most since the last look */
    unsigned crowd;      /* the most since the heap was last relieved */
    unsigned given_back; /* times */
    struct co_event many;
};

/* An exchange begins, and ends. */
void relief_came(struct relief *r);
void relief_left(struct relief *r);

/* A coroutine, of a zeroed struct relief: sleeps while there is no crowd, looks every ten
 * seconds while there is one, and when no more than half of it was there in the ten seconds
 * before, gives unused stacks back and has an offload thread go through the heap.  Returns when
 * it is cancelled.  S */
tg_rc relief_run(void *arg);

#endif
