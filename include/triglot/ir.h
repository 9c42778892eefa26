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

enum ir_media_kind { IR_IMAGE, IR_AUDIO, IR_DOCUMENT, IR_VIDEO };

/* Exactly one of data, url, file_id, text is not empty. */
struct ir_media {
    enum ir_media_kind kind;
    struct str mime; /* "image/png"; "" = not said                     */
    struct str data; /* base64, as it came                             */
    struct str url;  /* http(s)                                        */
    struct str file_id;
    struct str text;    /* a plain-text document                          */
    struct str name;    /* file name or title                             */
    struct str context; /* Messages: what the document is                 */
    struct str detail;  /* images: low, high, auto, original              */
    struct str format;  /* audio: wav, mp3                                */
};

/* A citation in the text of an answer.  start and end count characters; -1 = not known. */
struct ir_note {
    struct str url, title, cited;
    int64_t start, end;
    struct ir_note *next;
};

struct ir_block {
    enum ir_kind kind;
    struct str id, name;    /* CALL, RESULT: call id, tool name                          */
    struct str text;        /* TEXT, THINK, REFUSAL, RESULT; CALL: arguments, JSON text  */
    struct str raw;         /* OPAQUE: source bytes                                      */
    struct str sig;         /* THINK: the maker's opaque proof (signature, encrypted
                               content, redacted data); never made or changed by us      */
    struct str sig_id;      /* THINK: id the maker gave the item, "" = none              */
    const char *origin;     /* THINK with sig, OPAQUE: dialect of the maker; compare with
                               strcmp, it may come out of an envelope                    */
    bool redacted;          /* THINK: sig is all there is                                */
    bool summary;           /* THINK: text is a summary of the thoughts                  */
    bool freeform;          /* CALL, RESULT: of a free-form tool, text is not JSON       */
    bool failed;            /* RESULT: the tool reports an error                         */
    struct ir_block *sub;   /* RESULT: its parts (TEXT, MEDIA), when it is more than text */
    struct ir_media *media; /* MEDIA                                                   */
    struct ir_note *notes;  /* TEXT                                                     */
    struct str logprobs;    /* TEXT: raw JSON array, one element a token, "" = none     */
    struct str cache_ttl;   /* explicit cache mark on this block: "5m", "30m", "1h", "12h" */
    /* Where it stood in the client's request, for ir/path.h.  place: of the item, when the
     * message was put together from several; 0 = the message's.  part: in the content (of the
     * message, or of a result's output), 0 = the content is a string, or the block is an item
     * of its own.  Both count from one.  What the hub makes has those of what it belongs to. */
    unsigned place, part;
    struct ir_block *next;
};

enum ir_role { IR_SYSTEM, IR_USER, IR_MODEL, IR_TOOL };

struct ir_msg {
    enum ir_role role;
    bool developer;    /* IR_SYSTEM: the role was developer         */
    bool instructions; /* IR_SYSTEM: it came as Responses' instructions, not as an item */
    struct str name;   /* Chat's message name                       */
    struct ir_block *blocks;
    unsigned place; /* in the client's list of messages or items, from one, as in a block; 0 =
                       it stood elsewhere (system, instructions), or the hub made it */
    struct ir_msg *next;
};

enum ir_tri { IR_UNSAID, IR_NO, IR_YES };

struct ir_tool {
    struct str name, description;
    struct str schema; /* raw JSON of the parameters, empty = none */
    bool freeform;     /* takes text, not JSON                     */
    enum ir_tri strict;
    struct str grammar; /* freeform: raw JSON of the format in Responses' flat form */
    struct str cache_ttl;
    /* A tool that the provider runs (web_search, ...): name is its type, raw its definition. */
    const char *hosted_by; /* dialect whose providers know it, NULL = a client's tool  */
    struct str raw;
    bool allowed;     /* named by an allowed-tools choice, or no such choice      */
    struct str space; /* Responses: the namespace it came in; name is "space__name" */
    struct ir_tool *next;
};

enum ir_choice { IR_CHOICE_AUTO, IR_CHOICE_NONE, IR_CHOICE_REQUIRED, IR_CHOICE_NAMED };

enum { IR_STOP_MAX = 16, IR_CHOICES_MAX = 128 };

/* How hard to think. */
enum ir_effort {
    IR_EFFORT_UNSAID,
    IR_EFFORT_NONE,
    IR_EFFORT_MINIMAL,
    IR_EFFORT_LOW,
    IR_EFFORT_MEDIUM,
    IR_EFFORT_HIGH,
    IR_EFFORT_XHIGH,
    IR_EFFORT_MAX
};

/* A field that no one named, or that only its own dialect can carry: kept raw, and reported as
 * dropped when it cannot go where the request goes. */
struct ir_ext {
    struct str name, value; /* top-level name as written, raw JSON */
    bool inner;             /* it stood further down: name is its place, and it goes nowhere */
    struct ir_ext *next;
};

struct ir_req {
    struct str model;
    bool stream;
    bool stream_usage;   /* the client wants usage in the stream    */
    struct ir_msg *msgs; /* system text at the head included        */
    unsigned n_msgs;
    struct ir_tool *tools;
    enum ir_choice tool_choice; /* AUTO also when not said                 */
    bool tool_choice_said;
    struct str tool_name; /* IR_CHOICE_NAMED                         */
    bool parallel_calls;  /* default true                            */
    int64_t max_tokens;   /* -1 = not said                           */
    int64_t seed;         /* -1 = not said                           */
    unsigned choices;     /* how many answers, at least 1            */
    struct str stop[IR_STOP_MAX];
    unsigned n_stop;
    struct str format_schema; /* raw JSON schema the answer must obey    */
    struct str format_name, format_description;
    enum ir_tri format_strict;
    bool format_json; /* any JSON object will do                 */
    bool media_out;   /* the answer is to be more than text (audio) */
    bool fresh_turn;  /* an answer at the end of the history is over: in the client's dialect
                         nobody goes on with one */

    /* numbers as written, "" = not said */
    struct str temperature, top_p, top_k, presence_penalty, frequency_penalty;
    struct str logit_bias, prediction; /* raw JSON                           */
    bool logprobs;
    int64_t top_logprobs; /* -1 = not said                           */
    enum ir_effort effort;
    int64_t think_budget;     /* tokens, -1 = not said                   */
    enum ir_tri think_show;   /* thoughts or summaries in the answer     */
    struct str think_summary; /* Responses: auto, concise, detailed      */
    struct str verbosity;
    struct str user;     /* safety_identifier, else user, metadata.user_id */
    struct str metadata; /* raw JSON object of Chat and Responses   */
    struct str service_tier;
    struct str cache_key;
    enum ir_tri store;
    struct ir_ext *ext;
    const char *origin; /* dialect it was decoded from             */
};

/* What an encoder could not carry, by name ("seed", "messages.2.name"), each once; goes into
 * x-triglot-dropped. */
enum { IR_DROPS_MAX = 32, IR_DROP_BYTES_MAX = 96, IR_DROPS_BYTES_MAX = 1024 };
struct ir_drops {
    struct str name[IR_DROPS_MAX]; /* in text: not to be copied as a struct */
    unsigned n, n_text;
    bool more; /* there were more than fit */
    char text[IR_DROPS_BYTES_MAX];
};
/* src/ir/drops.c; copies the name, as far as it fits into a header's value. */
void ir_drop(struct ir_drops *d, struct str name);

enum ir_stop {
    IR_STOP_NONE,
    IR_STOP_END,
    IR_STOP_SEQUENCE,
    IR_STOP_LENGTH,
    IR_STOP_CALLS,
    IR_STOP_FILTER,
    IR_STOP_PAUSE /* the provider rests in the middle of its own tools' work */
};

/* Totals, -1 = not known.  input includes cached and cache_write, output includes reasoning. */
struct ir_usage {
    int64_t input, output, cached, reasoning, cache_write;
};

#define IR_USAGE_UNKNOWN ((struct ir_usage){-1, -1, -1, -1, -1})

enum ir_evkind {
    IR_EV_START, /* once, first                                               */
    IR_EV_OPEN,  /* head: kind, id, name of the block                         */
    IR_EV_DELTA, /* text: more of the block                                   */
    IR_EV_NOTE,  /* note: a citation in an open TEXT block                    */
    IR_EV_CLOSE, /* the block is whole; head: what is known only now (sig)    */
    IR_EV_STOP,  /* stop: why this choice ended; once for every choice        */
    IR_EV_USAGE, /* usage: totals; at most once, after the last IR_EV_STOP    */
    IR_EV_END,   /* the answer is whole; last                                 */
    IR_EV_ERROR, /* err: the answer broke; last                               */
    IR_EV_KIND_N
};

/* Strings are borrowed for the call of put() only. */
struct ir_event {
    enum ir_evkind kind;
    uint32_t choice;              /* OPEN, DELTA, NOTE, CLOSE, STOP         */
    uint32_t block;               /* OPEN to CLOSE: number, dense from 0 within the choice */
    const struct ir_block *head;  /* OPEN; CLOSE of a THINK block with a sig, else NULL */
    struct str text;              /* DELTA; STOP_SEQUENCE: which one, if known */
    struct str logprobs;          /* DELTA of TEXT: raw JSON array for this text, "" = none */
    const struct ir_note *note;   /* NOTE; one, next means nothing          */
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
    struct str stop_text; /* IR_STOP_SEQUENCE: which one, if known */
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
