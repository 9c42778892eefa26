/* path.h -- where something stood in the client's request. */
#ifndef IR_PATH_H
#define IR_PATH_H

#include "triglot/ir.h"

/* The client's own place of message m of req, or of its block b when that is not NULL, as its
 * dialect writes it: "messages.3.content.1", "input.4", "input.5.output.0", "instructions",
 * "system.0".  In the arena, with a NUL behind it. */
struct str ir_path(struct arena *a, const struct ir_req *req, const struct ir_msg *m,
                   const struct ir_block *b);

#endif
