/* in_int.h -- what the files that read a client's request share. */
#ifndef DIALECT_RESPONSES_IN_INT_H
#define DIALECT_RESPONSES_IN_INT_H

#include "dialect/responses/responses_int.h"
#include "json/field.h"
#include "json/scan.h"

/* The fields of a request that are known here, and their names. */
enum responses_field {
    F_MODEL,
    F_STREAM,
    F_INSTRUCTIONS,
    F_INPUT,
    F_TOOLS,
    F_TOOL_CHOICE,
    F_PARALLEL,
    F_MAX_TOKENS,
    F_TEMPERATURE,
    F_TOP_P,
    F_PRESENCE,
    F_FREQUENCY,
    F_TOP_LOGPROBS,
    F_TEXT,
    F_REASONING,
    F_INCLUDE,
    F_METADATA,
    F_USER,
    F_SAFETY,
    F_SERVICE_TIER,
    F_CACHE_KEY,
    F_STORE,
    F_STREAM_OPTIONS,
    F_TRUNCATION,
    F_PREVIOUS,
    F_CONVERSATION,
    F_PROMPT,
    F_BACKGROUND,
    F_COUNT
};
extern const char *const responses_fields[F_COUNT];

struct responses_reader {
    struct field_reader in;
    struct ir_req *req;
    struct ir_msg **tail;    /* where the next message is hooked in */
    struct ir_msg *last;     /* the newest message                  */
    bool phase;              /* a message's phase has been noted     */
    unsigned place;          /* of the item being read, from one; 0 = none */
    struct ir_block **block; /* of the newest message, when it is the model's: a place at
                                or before the end of its blocks   */
    bool spoke, called;      /* and what stands before that place   */
    struct ir_tool **tools;  /* where the next tool is hooked in    */
    unsigned n_tools;
};

/* Appends a message. */
struct ir_msg *responses_add_msg(struct responses_reader *r, enum ir_role role);
/* Appends a field that only its own dialect can carry. */
void responses_add_ext(struct responses_reader *r, struct str name, struct str value);
/* "space__name", or name where there is no space. */
struct str responses_flat_name(struct arena *a, struct str space, struct str name);

tg_rc responses_read_input(struct responses_reader *r, const struct json_member *input);
/* A text, or an array of content parts, as blocks at *to. */
tg_rc responses_read_parts(struct responses_reader *r, const struct field_at *at,
                           const struct json_member *content, struct ir_block **to);
/* think.c: a reasoning item as a block; NULL when there is nothing in it. */
tg_rc responses_read_think(struct responses_reader *r, const struct field_at *at,
                           struct str item, struct ir_block **ret);
/* Appends the tools of an array to the request's. */
tg_rc responses_read_tools(struct responses_reader *r, const struct field_at *at,
                           const struct json_member *tools);
/* Checked against the tools, which are read first. */
tg_rc responses_read_tool_choice(struct responses_reader *r, const struct json_member *choice);

/* param.c: the parameters that are values or small objects; f: by enum responses_field. */
tg_rc responses_read_params(struct responses_reader *r, const struct json_member *f);

#endif
