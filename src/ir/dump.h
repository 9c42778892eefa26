/* dump.h -- the internal form as text for people and for the golden cases.
 *
 * One line a fact, two blanks a level, texts as JSON strings.  Only what differs from "not
 * said" is printed.  TG_ELIMIT when the buffer is full.
 */
#ifndef IR_DUMP_H
#define IR_DUMP_H

#include "base/buf.h"
#include "triglot/ir.h"

TG_MUST_USE tg_rc ir_dump_req(const struct ir_req *req, struct buf *b);
TG_MUST_USE tg_rc ir_dump_embed_req(const struct ir_embed_req *req, struct buf *b);
/* One line: `open 0.1 call id="call_1" name="f"`, `note 0.0 url="u" start=1 end=3`,
 * `close 0.2 origin="chat" sig="..."`, `stop 0 sequence text="END"`. */
TG_MUST_USE tg_rc ir_dump_event(const struct ir_event *ev, struct buf *b);
TG_MUST_USE tg_rc ir_dump_res(const struct ir_res *res, struct buf *b);

/* Names as printed; never NULL. */
const char *ir_kind_name(enum ir_kind kind);
const char *ir_stop_name(enum ir_stop stop);
const char *ir_evkind_name(enum ir_evkind kind);
const char *ir_err_kind_name(enum tg_err_kind kind);

#endif
