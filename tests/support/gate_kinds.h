/* gate_kinds.h -- the exchanges that are run through a simulated gateway, and what is right of
 * them.
 *
 * The upstream always speaks Chat and always says the same words.
 */
#ifndef TESTS_SUPPORT_GATE_KINDS_H
#define TESTS_SUPPORT_GATE_KINDS_H

#include "support/gate_talk.h"

enum { GATE_KINDS = 5, GATE_UPSTREAM_PORT = 9000, GATE_BODY_MAX = 40000 };

struct gate_kind {
    const char *name, *dialect; /* the client's */
    const char *path, *body;
    unsigned calls;  /* one after the other on one connection */
    unsigned others; /* clients who ask the same just before: places upstream are short */
    /* What stands before each piece of the model's words, at the end of a stream, before an
     * error in a stream; the last two are NULL where there is no stream. */
    const char *before_words, *end, *error;
};

extern const struct gate_kind gate_kinds[GATE_KINDS];
/* A gateway for them: short budgets, small marks, heartbeats after a second. */
extern const char gate_kinds_settings[];
/* The upstream's answers, for struct gate_upstream. */
extern const struct gate_piece *const gate_kinds_stream, *const gate_kinds_whole;

/* Once, before anything else of this. */
void gate_kinds_init(void);
/* What is wrong with an answer, or NULL.  must: it has to be the whole right answer; otherwise
 * an error, or part of the answer and then the end of the connection, will do too.  left: the
 * client has left, and need not have seen the end. */
const char *gate_kind_wrong(const struct gate_kind *k, const struct gate_answer *a, bool must,
                            bool left);
/* A heartbeat came with it. */
bool gate_kind_beaten(const struct gate_answer *a);

#endif
