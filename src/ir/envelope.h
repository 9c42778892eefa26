/* envelope.h -- a maker's opaque reasoning proof, carried through a client of another dialect.
 *
 * Clients send reasoning back as they got it.  What one provider signed must never reach
 * another, so a foreign proof travels sealed in the client dialect's own field, marked with its
 * maker, and is opened again on the way back: spec/mapping, section 4.
 */
#ifndef IR_ENVELOPE_H
#define IR_ENVELOPE_H

#include "base/arena.h"
#include "triglot/ir.h"

/* "tg1:<dialect>:<base64url>" of a THINK block's sig, sig_id, text and flags, each of which may
 * be empty; its origin must be set (lower-case letters, digits, - and _; asserted).  In the
 * arena. */
struct str ir_seal(struct arena *a, const struct ir_block *think);
/* Fills sig, sig_id, origin, redacted, summary and, where it was sealed in, text, all in the
 * arena; the origin need not be a dialect that this build has.  False: not one of ours, or
 * damaged; *think is untouched then. */
bool ir_unseal(struct arena *a, struct str sealed, struct ir_block *think);

#endif
