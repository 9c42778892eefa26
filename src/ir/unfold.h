/* unfold.h -- a whole response put as the stream of events that it stands for. */
#ifndef IR_UNFOLD_H
#define IR_UNFOLD_H

#include "triglot/ir.h"

/* The longest text of one event that this folder makes.  Longer ones are put in pieces, because
 * the encoders behind write into buffers that are bounded by event. */
enum { IR_PIECE_MAX = 8192 };

/* Start, every block of every answer in order, the stops, usage where any figure is known, end.
 * Suspends where sink does; returns its first failure.  S */
TG_MUST_USE tg_rc ir_unfold(const struct ir_res *res, struct ir_sink *sink);

/* Puts text as DELTA events of the block that place names (choice, block), in pieces that end
 * between characters; none when text is empty.  S */
TG_MUST_USE tg_rc ir_put_text(struct ir_sink *sink, const struct ir_event *place,
                              struct str text);

#endif
