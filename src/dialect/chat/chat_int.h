/* chat_int.h -- what the files of the Chat dialect share. */
#ifndef DIALECT_CHAT_CHAT_INT_H
#define DIALECT_CHAT_CHAT_INT_H

#include "base/arena.h"
#include "base/buf.h"
#include "ir/event.h"
#include "triglot/dialect.h"
#include "json/scan.h"
#include "json/write.h"

#define CHAT_COUNT(v) (sizeof(v) / sizeof((v)[0]))

extern const struct dialect dialect_chat;

/* field.c -- reading requests, with errors that name the field. */

/* A place in the request: a chain from the field up to the root, kept on the stack and spelled
 * out (messages.0.content) only when something is wrong there. */
struct chat_at {
    const struct chat_at *up;
    const char *name; /* NULL: an element, index says which */
    unsigned index;
};

struct chat_dec {
    struct arena *a;
    struct ir_req *req;
    struct tg_err *err;
};

/* TG_EINVAL, with the place as param.  at may be NULL. */
tg_rc chat_refuse(const struct chat_dec *d, const struct chat_at *at, const char *code,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
tg_rc chat_refuse_type(const struct chat_dec *d, const struct chat_at *at, const char *want,
                       enum json_kind got);
tg_rc chat_refuse_missing(const struct chat_dec *d, const struct chat_at *up, const char *name);

/* Finds the members with these names in one pass; the last one wins where a name stands twice.
 * What is not there gets kind JSON_NONE. */
tg_rc chat_pick(const struct chat_dec *d, const struct chat_at *at, struct str object,
                const char *const *names, unsigned n, struct json_member *ret);
/* There, and not null. */
static inline bool
chat_has(const struct json_member *m)
{
    return m->kind > JSON_NULL;
}

tg_rc chat_string(const struct chat_dec *d, const struct chat_at *at,
                  const struct json_member *m, struct str *ret);
/* As chat_string, but the field must be there and not be empty. */
tg_rc chat_string_needed(const struct chat_dec *d, const struct chat_at *up, const char *name,
                         const struct json_member *m, struct str *ret);
tg_rc chat_bool(const struct chat_dec *d, const struct chat_at *at, const struct json_member *m,
                bool *ret);
tg_rc chat_int(const struct chat_dec *d, const struct chat_at *at, const struct json_member *m,
               int64_t min, int64_t max, int64_t *ret);

/* Beginning and checks common to all decoders: JSON, depth, an object. */
tg_rc chat_check(const struct chat_dec *d, struct str body);

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
