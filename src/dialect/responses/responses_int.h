/* responses_int.h -- what the rooms of the Responses dialect share, and what they show outside.
 *
 *   in_int.h   requests of clients         req.c param.c item.c think.c part.c tool.c
 *   up_int.h   requests to upstreams       up.c up_param.c up_system.c up_item.c up_part.c
 *                                          up_tool.c
 *   dec_int.h  answers of upstreams        dec.c dec_item.c dec_part.c dec_block.c
 *   enc_int.h  answers to clients          event.c event_put.c res.c output.c object.c echo.c
 *
 * Beside them stand what looks at bytes that pass by (scan.c, tap.c), errors (err.c) and what
 * is expected of servers (caps.c, carry.c).
 */
#ifndef DIALECT_RESPONSES_RESPONSES_INT_H
#define DIALECT_RESPONSES_RESPONSES_INT_H

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/dialect.h"

#define RESPONSES_COUNT(v) (sizeof(v) / sizeof((v)[0]))

extern const struct dialect dialect_responses;

/* The dialect's name, where a block's origin is compared with it. */
bool responses_is_own(const char *origin);
/* Words of reasoning.effort, by enum ir_effort; "" for "not said". */
extern const char *const responses_efforts[IR_EFFORT_MAX + 1];

/* scan.c, tap.c */
tg_rc responses_scan_req(struct arena *a, enum dialect_call call, struct str body,
                         struct dialect_view *ret, struct tg_err *err);
void responses_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                         struct str ret[DIALECT_PIECES_MAX], int *ret_n);
enum dialect_seen responses_tap_record(struct dialect_tap *t, struct str event, struct str data,
                                       struct tg_err *err);
bool responses_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body);
/* The text of a record's "type", or empty.  Borrowed from data, which must be JSON. */
struct str responses_type_of(struct str data);
/* Reads a "usage" value; a figure that is not there keeps its value. */
void responses_read_usage(struct str usage, struct ir_usage *u);

/* caps.c, carry.c */
void responses_caps(enum caps_server server, struct str model, struct ir_caps *ret);
extern const struct carry_cell responses_carry[CARRY_FEATURE_N];

/* req.c, up.c */
tg_rc responses_decode_req(struct arena *a, struct str body, struct ir_req *ret,
                           struct tg_err *err);
tg_rc responses_encode_req(struct arena *a, const struct ir_req *req,
                           const struct dialect_route *route, struct buf *b,
                           struct ir_drops *drops, struct tg_err *err);

/* dec.c: an upstream's answer. */
tg_rc responses_decode_record(struct dialect_dec *d, struct str event, struct str data,
                              bool *ret_over);
tg_rc responses_decode_eof(struct dialect_dec *d);
tg_rc responses_decode_res(struct dialect_dec *d, struct str body);

/* event.c, res.c, err.c: an answer to a client. */
tg_rc responses_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b);
tg_rc responses_encode_alive(struct dialect_enc *e, struct buf *b);
tg_rc responses_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b);
tg_rc responses_encode_error_record(const struct tg_err *err, struct buf *b);

#endif
