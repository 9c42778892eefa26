/* text.h -- the text that lies in blocks. */
#ifndef IR_TEXT_H
#define IR_TEXT_H

#include "base/arena.h"
#include "triglot/ir.h"

/* The texts of a chain of blocks, one behind the other: in the arena, or borrowed of the only
 * one.  "" without any. */
struct str ir_text_of(struct arena *a, const struct ir_block *first);

#endif
