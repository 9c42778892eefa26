/* turn.h -- what encoders ask about the turns of a conversation. */
#ifndef IR_TURN_H
#define IR_TURN_H

#include <stdbool.h>

#include "triglot/ir.h"

/* Number of the message that begins the user's last turn, plus one; 0 = there is none.  What he
 * says directly behind results does not begin one: the model has not answered yet, and its
 * thoughts before the calls still belong to what it is doing. */
unsigned ir_last_turn(const struct ir_req *req);
/* Did the client ask in a form whose answers have room for one call only?  Then it has not
 * asked for one call at a time, although no more are wanted. */
bool ir_one_call_form(const struct ir_req *req);

#endif
