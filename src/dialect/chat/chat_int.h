/* chat_int.h -- what the files of the Chat dialect share. */
#ifndef DIALECT_CHAT_CHAT_INT_H
#define DIALECT_CHAT_CHAT_INT_H

#include "base/arena.h"
#include "base/buf.h"
#include "ir/event.h"
#include "triglot/dialect.h"
#include "json/field.h"
#include "json/scan.h"
#include "json/write.h"

#define CHAT_COUNT(v) (sizeof(v) / sizeof((v)[0]))

extern const struct dialect dialect_chat;

/* Reading a request. */
struct chat_dec {
    struct field_reader in;
    struct ir_req *req;
};

/* scan.c */
tg_rc chat_scan_req(struct arena *a, enum dialect_call call, struct str body,
                    struct dialect_view *ret, struct tg_err *err);
void chat_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                    struct str ret[DIALECT_PIECES_MAX], int *ret_n);
/* req.c, msg.c, tool.c, embed.c */
tg_rc chat_decode_req(struct arena *a, struct str body, struct ir_req *ret, struct tg_err *err);
tg_rc chat_read_messages(struct chat_dec *d, const struct json_member *messages);
/* tools is read first: tool_choice is checked against it. */
tg_rc chat_read_tools(struct chat_dec *d, const struct json_member *tools);
tg_rc chat_read_tool_choice(struct chat_dec *d, const struct json_member *choice);
tg_rc chat_decode_embed(struct arena *a, struct str body, struct ir_embed_req *ret,
                        struct tg_err *err);
tg_rc chat_encode_embed(const struct dialect_enc *e, const struct ir_embed_req *req,
                        const struct ir_embed_res *res, struct buf *b);

/* tap.c */
enum dialect_seen chat_tap_record(struct dialect_tap *t, struct str event, struct str data,
                                  struct tg_err *err);
bool chat_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body);

/* event.c, res.c */

/* What the encoder of a stream remembers.  Begins as zeroes. */
struct chat_enc {
    uint16_t head_n;
    char head[254]; /* what every record begins with, once it is known to fit; see event.c */
    uint32_t n_open;
    struct chat_open {
        uint32_t block;
        uint16_t call; /* tool_calls index */
        uint8_t choice;
        uint8_t kind; /* enum ir_kind */
        bool freeform;
        bool text; /* something of it has been written */
    } open[IR_OPEN_MAX];
    uint16_t calls[IR_CHOICES_MAX]; /* tool calls begun */
    bool begun[IR_CHOICES_MAX];     /* the role has been said */
};
tg_rc chat_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b);
tg_rc chat_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b);
struct str chat_finish_reason(enum ir_stop stop);
/* The value of a "usage" field.  What is not known is 0 where the dialect wants a number. */
void chat_put_usage(struct json_out *o, const struct ir_usage *u);
/* Reads one; a figure that is not there keeps its value. */
void chat_read_usage(struct str usage, struct ir_usage *u);

/* err.c */
unsigned chat_error_status(const struct tg_err *err);
tg_rc chat_encode_error(const struct tg_err *err, struct buf *b);
tg_rc chat_encode_error_record(const struct tg_err *err, struct buf *b);
bool chat_error_fits(struct str body);
/* Is this value of an "error" field one that clients take for an error? */
bool chat_error_is(struct str value);
/* Fills err from such a value; origin upstream. */
void chat_read_error(struct str value, struct tg_err *err);

/* models.c */
tg_rc chat_encode_models(const struct ir_model *v, unsigned n, struct buf *b);
tg_rc chat_encode_model(const struct ir_model *m, struct buf *b);

#endif
