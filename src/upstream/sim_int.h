/* sim_int.h -- what the files of the simulated model share. */
#ifndef UPSTREAM_SIM_INT_H
#define UPSTREAM_SIM_INT_H

#include "upstream/sim.h"

enum {
    SIM_TOKEN_MAX = 48,      /* bytes of a token                      */
    SIM_CALLS_MAX = 8,       /* calls in one answer                   */
    SIM_SCHEMA_MAX = 65536,  /* bytes of JSON made for one schema     */
    SIM_STOP_BYTES_MAX = 256 /* of one stop sequence                  */
};

/* sim_text.c -- a generator of readable nonsense. */

/* Splitmix64: any state is a good one. */
struct sim_rng {
    uint64_t state;
};
uint64_t sim_rng_next(struct sim_rng *r);
/* From 0 to n - 1; n is at least 1. */
uint64_t sim_rng_below(struct sim_rng *r, uint64_t n);
/* A hash that goes on from h. */
uint64_t sim_hash(uint64_t h, struct str s);

struct sim_text {
    struct sim_rng rng;
    const char *slots; /* what is left of the sentence's plan */
    struct str rest;   /* what is left of a word that is more than one token */
    bool begun;        /* something has been written: words need a space in front */
    bool first;        /* the next word begins a sentence */
};

void sim_text_init(struct sim_text *t, uint64_t seed);
/* The next token, written to out; well-formed UTF-8.  The last one ends its sentence. */
struct str sim_text_next(struct sim_text *t, bool last, char out[SIM_TOKEN_MAX]);

/* sim_schema.c */

/* JSON text that obeys schema (empty: none), in the arena.  object: the value must be an object
 * (arguments of a call).  TG_EINVAL, kind invalid request, when it cannot be made; what names
 * the schema in the message. */
TG_MUST_USE tg_rc sim_schema(struct arena *a, struct str schema, bool object, uint64_t seed,
                             const char *what, struct str *ret, struct tg_err *err);

/* sim_plan.c */

/* What one choice is going to say. */
struct sim_call {
    const struct ir_tool *tool;
    char id[32];
    struct str text; /* arguments or free text */
};

struct sim_plan {
    uint64_t seed;
    struct sim_call calls[SIM_CALLS_MAX];
    unsigned n_calls;
    struct str text;   /* said as it is, before what is generated     */
    int64_t generated; /* tokens of generated text                    */
};

struct sim_prompt {
    uint64_t hash;
    int64_t tokens;
};
/* Reads all messages.  S */
TG_MUST_USE tg_rc sim_prompt(const struct ir_req *req, struct sim_prompt *ret);
TG_MUST_USE tg_rc sim_plan(struct arena *a, const struct sim_params *p,
                           const struct ir_req *req, const struct sim_prompt *prompt,
                           unsigned choice, struct sim_plan *ret, struct tg_err *err);
/* Words of s, parted by white space. */
int64_t sim_words(struct str s);

/* sim_params.c */

/* The error that stands for an HTTP status. */
tg_rc sim_error(int64_t status, struct tg_err *err);

#endif
