/* ir_gen.h -- random answers and random ways in which they may arrive, from a seed. */
#ifndef TESTS_SUPPORT_IR_GEN_H
#define TESTS_SUPPORT_IR_GEN_H

#include "base/arena.h"
#include "base/buf.h"
#include "support/prng.h"
#include "triglot/ir.h"

/* An answer with any kinds of blocks an answer may hold, all fields used now and then. */
struct ir_res *ir_gen_res(struct arena *a, struct prng *r, unsigned choices);
/* Text of at most max bytes, of one to four bytes a character, quotes and controls included. */
struct str ir_gen_text(struct arena *a, struct prng *r, size_t max);

/* Puts res as a stream that keeps the grammar: texts in random pieces, up to overlap blocks of
 * a choice open at once and closed in any order, choices interleaved.  Every string is given in
 * a copy that is gone after the call.  The sink's first failure. */
tg_rc ir_gen_stream(const struct ir_res *res, struct prng *r, unsigned overlap, bool calls,
                    struct ir_sink *sink);

/* The dump of an answer, NUL-terminated in the arena: two answers are equal when theirs are. */
const char *ir_gen_dump(struct arena *a, const struct ir_res *res);

#endif
