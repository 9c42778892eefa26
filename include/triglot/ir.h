/* ir.h -- the hub: one internal form for requests, responses and streams.
 *
 * No wire format is privileged.  Everything decoded lies in the exchange's arena and is
 * immutable from then on; tool arguments, schemas and fields that nobody named stay raw JSON
 * text, never parsed and printed again.  A whole response is a stream that arrived at once:
 * ir/fold.c turns events into a response.
 */
#ifndef TRIGLOT_IR_H
#define TRIGLOT_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "triglot/err.h"
#include "triglot/str.h"

struct arena;

enum ir_kind {
    IR_TEXT,
    IR_THINK,
    IR_CALL,   /* a tool call by the model            */
    IR_RESULT, /* a tool's result, given by the client */
    IR_MEDIA,  /* image, audio, file                  */
    IR_REFUSAL,
    IR_OPAQUE /* only its origin dialect can read it */
};

struct ir_block {
    enum ir_kind kind;
    struct str id, name; /* CALL, RESULT: call id, tool name                          */
    struct str text;     /* TEXT, THINK, REFUSAL, RESULT; CALL: arguments, JSON text  */
    struct str raw;      /* source bytes: MEDIA, OPAQUE                               */
    struct ir_block *next;
    bool freeform; /* CALL: text is the tool's input as it is, not JSON         */
};

enum ir_role { IR_SYSTEM, IR_USER, IR_MODEL, IR_TOOL };

struct ir_msg {
    enum ir_role role;
    struct ir_block *blocks;
    struct ir_msg *next;
};

struct ir_tool {
    struct str name, description;
    struct str schema; /* raw JSON of the parameters, empty = none */
    bool freeform;     /* takes text, not JSON                     */
    struct ir_tool *next;
};

enum ir_choice { IR_CHOICE_AUTO, IR_CHOICE_NONE, IR_CHOICE_REQUIRED, IR_CHOICE_NAMED };

enum { IR_STOP_MAX = 16, IR_CHOICES_MAX = 128 };

struct ir_req {
    struct str model;
    bool stream;
    bool stream_usage; /* the client wants usage in the stream    */
    struct ir_msg *msgs;
    unsigned n_msgs;
    struct ir_tool *tools;
    enum ir_choice tool_choice;
    struct str tool_name; /* IR_CHOICE_NAMED                         */
    bool parallel_calls;  /* default true                            */
    int64_t max_tokens;   /* -1 = not said                           */
    int64_t seed;         /* -1 = not said                           */
    unsigned choices;     /* how many answers, at least 1            */
    struct str stop[IR_STOP_MAX];
    unsigned n_stop;
    struct str format_schema; /* raw JSON schema the answer must obey    */
    bool format_json;         /* any JSON object will do                 */
};

enum ir_stop {
    IR_STOP_NONE,
    IR_STOP_END,
    IR_STOP_SEQUENCE,
    IR_STOP_LENGTH,
    IR_STOP_CALLS,
    IR_STOP_FILTER
};

struct ir_usage { /* -1 = not known */
    int64_t input, output, cached, reasoning;
};

#define IR_USAGE_UNKNOWN ((struct ir_usage){-1, -1, -1, -1})

enum ir_evkind {
    IR_EV_START, /* once, first                                               */
    IR_EV_OPEN,  /* head: kind, id, name of the block                         */
    IR_EV_DELTA, /* text: more of the block                                   */
    IR_EV_CLOSE, /* the block is whole                                        */
    IR_EV_STOP,  /* stop: why this choice ended; once for every choice        */
    IR_EV_USAGE, /* usage: totals; at most once, after the last IR_EV_STOP    */
    IR_EV_END,   /* the answer is whole; last                                 */
    IR_EV_ERROR, /* err: the answer broke; last                               */
    IR_EV_KIND_N
};

/* Strings are borrowed for the call of put() only. */
struct ir_event {
    enum ir_evkind kind;
    uint32_t choice; /* OPEN, DELTA, CLOSE, STOP               */
    uint32_t block;  /* OPEN, DELTA, CLOSE: number, dense from 0 within the choice */
    const struct ir_block *head;  /* OPEN                                   */
    struct str text;              /* DELTA                                  */
    enum ir_stop stop;            /* STOP                                   */
    const struct ir_usage *usage; /* USAGE                                 */
    const struct tg_err *err;     /* ERROR                                  */
};

/* Takes events one by one.  May suspend (back-pressure); a failure ends the stream. */
struct ir_sink {
    tg_rc (*put)(struct ir_sink *, const struct ir_event *);
};

struct ir_answer {
    struct ir_block *blocks;
    enum ir_stop stop;
};

struct ir_res {
    struct ir_answer *answers; /* one for every choice */
    unsigned n_answers;
    struct ir_usage usage;
};

/* Embeddings. */
struct ir_embed_req {
    struct str model;
    struct str *inputs; /* texts; token arrays come as their raw JSON */
    unsigned n_inputs;
    int64_t dimensions; /* -1 = not said */
    bool base64;        /* floats as base64 of little-endian binary32 */
};

struct ir_embed_res {
    float *values; /* n * dimensions */
    unsigned n, dimensions;
    struct ir_usage usage;
};

/* A model as listed. */
struct ir_model {
    struct str id, owner;
    int64_t created; /* Unix seconds */
};

#endif
