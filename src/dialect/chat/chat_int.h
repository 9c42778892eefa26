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
    struct ir_block *legacy; /* the last call of the form that tool_calls replaced */
    unsigned n_legacy;       /* how many of them, and results without one, there were */
};

/* Where the next block of a message goes. */
struct chat_blocks {
    struct ir_block **tail;
};

/* scan.c */
tg_rc chat_scan_req(struct arena *a, enum dialect_call call, struct str body,
                    struct dialect_view *ret, struct tg_err *err);
void chat_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                    struct str ret[DIALECT_PIECES_MAX], int *ret_n);
/* req.c, msg.c, tool.c, embed.c */
tg_rc chat_decode_req(struct arena *a, struct str body, struct ir_req *ret, struct tg_err *err);
tg_rc chat_read_messages(struct chat_dec *d, const struct json_member *messages);
struct ir_block *chat_add_block(struct chat_dec *d, struct chat_blocks *to, enum ir_kind kind);
/* media.c: body is the member of a content part that holds the medium; type the part's. */
tg_rc chat_read_media(struct chat_dec *d, const struct field_at *at, struct str type,
                      const struct json_member *body, struct ir_block *b);
/* think.c: reasoning of an earlier turn, in the forms that servers have for it; both may be
 * absent. */
tg_rc chat_read_think(struct chat_dec *d, const struct field_at *at,
                      const struct json_member *text, const struct json_member *details,
                      struct chat_blocks *to);
/* What an element of reasoning_details holds, its proof opened when it is a sealed one.  False:
 * nothing known. */
bool chat_read_detail(struct arena *a, struct str element, struct ir_block *ret);
/* param.c: the parameters of a request that are one value each. */
struct chat_params {
    struct json_member frequency, presence, temperature, top_p, top_k, logit_bias, prediction;
    struct json_member logprobs, top_logprobs, effort, reasoning, verbosity, user, safety;
    struct json_member metadata, tier, cache_key, store;
};
tg_rc chat_read_params(struct chat_dec *d, const struct chat_params *p);
/* format.c: response_format. */
tg_rc chat_read_format(struct chat_dec *d, const struct json_member *format);
/* Words of reasoning_effort, by enum ir_effort; NULL for "not said". */
extern const char *const chat_efforts[IR_EFFORT_MAX + 1];
/* The longest prompt cache mark's life, as a word of the dialect. */
struct str chat_cache_ttl(struct str value);
/* tools is read first: tool_choice is checked against it. */
tg_rc chat_read_tools(struct chat_dec *d, const struct json_member *tools);
tg_rc chat_read_tool_choice(struct chat_dec *d, const struct json_member *choice);
/* The forms that tools and tool_choice replaced. */
tg_rc chat_read_functions(struct chat_dec *d, const struct json_member *functions,
                          const struct json_member *choice);
/* search.c: web_search_options, as one tool more. */
tg_rc chat_read_search(struct chat_dec *d, const struct json_member *options);
/* Did the client ask with "functions", so that calls are to be told in that form?  req may be
 * NULL. */
bool chat_is_legacy(const struct ir_req *req);
tg_rc chat_decode_embed(struct arena *a, struct str body, struct ir_embed_req *ret,
                        struct tg_err *err);
tg_rc chat_encode_embed(const struct dialect_enc *e, const struct ir_embed_req *req,
                        const struct ir_embed_res *res, struct buf *b);

/* tap.c */
enum dialect_seen chat_tap_record(struct dialect_tap *t, struct str event, struct str data,
                                  struct tg_err *err);
bool chat_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body);

/* event.c, res.c */

/* Thoughts whose proof, which comes when they close, is to be sealed together with them. */
struct chat_held {
    uint32_t choice, block;
    char *p;
    size_t n, cap;
    bool more; /* it became too long, and is not kept */
    struct chat_held *next;
};

/* What the encoder of a stream remembers.  Begins as zeroes. */
struct chat_enc {
    uint16_t head_n;
    char head[254]; /* what every record begins with, once it is known to fit; see chunk.c */
    struct chat_held *held;
    uint32_t n_open, cap_open;
    struct chat_open {
        uint32_t block;
        uint16_t call; /* tool_calls index */
        uint8_t choice;
        uint8_t kind; /* enum ir_kind */
        bool freeform;
        bool text; /* something of it has been written */
    } * open;      /* both arrays are in the encoder's arena */
    uint32_t n_choices, cap_choices;
    struct chat_written {
        uint32_t chars; /* characters of content written */
        uint32_t from;  /* those before the last text block */
        uint16_t calls; /* tool calls begun */
        bool begun;     /* the role has been said */
    } * choices;
    uint32_t proofs; /* reasoning_details written */
};
tg_rc chat_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b);
tg_rc chat_encode_error_record(const struct tg_err *err, struct buf *b);
tg_rc chat_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b);
struct str chat_finish_reason(enum ir_stop stop, bool legacy);
/* The elements of a JSON array, from the first to the last, commas included; "" = there are
 * none. */
struct str chat_elements(struct str list);
/* Characters in UTF-8 text. */
uint32_t chat_count_chars(struct str s);
/* One element of "annotations"; base is added to offsets that are known, and stands for the
 * text's beginning, end for its end, where they are not. */
void chat_put_note(struct json_out *o, const struct ir_note *note, uint32_t base, uint32_t end);
/* The element of "reasoning_details" with the proof of a THINK block, which has one: sealed,
 * together with the text, when a (not NULL) is for a client and there is text or the maker was
 * of another dialect; else as it is. */
void chat_put_proof(struct json_out *o, struct arena *a, const struct ir_block *think,
                    uint32_t index);
/* The value of a "usage" field.  What is not known is 0 where the dialect wants a number. */
void chat_put_usage(struct json_out *o, const struct ir_usage *u);
/* Reads one; a figure that is not there keeps its value. */
void chat_read_usage(struct str usage, struct ir_usage *u);

/* carry.c, caps.c */
extern const struct carry_cell chat_carry[CARRY_FEATURE_N];
void chat_caps(enum caps_server server, struct str model, struct ir_caps *ret);
/* enc_req.c */
tg_rc chat_encode_req(struct arena *a, const struct ir_req *req,
                      const struct dialect_route *route, struct buf *b, struct ir_drops *drops,
                      struct tg_err *err);

/* answer.c */
tg_rc chat_decode_res(struct dialect_dec *dec, struct str body);
tg_rc chat_decode_record(struct dialect_dec *dec, struct str event, struct str data,
                         bool *ret_over);
tg_rc chat_decode_eof(struct dialect_dec *dec);

#endif
