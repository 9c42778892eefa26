/* keep.h -- what an answer needs of its request. */
#ifndef IR_KEEP_H
#define IR_KEEP_H

#include "base/arena.h"
#include "triglot/ir.h"

/* Makes *ret a copy of req in the arena without its conversation: of the messages only the
 * instructions in front stay (Responses repeats them).  The body that req was decoded from and
 * the arena it lies in may then go, which matters for a stream: it lasts for minutes, and the
 * conversation may be megabytes.  ret may be req. */
void ir_keep(struct arena *a, const struct ir_req *req, struct ir_req *ret);

#endif
