/* sim.h -- the simulated model: seeded text, tool calls, usage, and a schedule of delays and
 * failures, so that Triglot can be tried and load-tested without any provider. */
#ifndef UPSTREAM_SIM_H
#define UPSTREAM_SIM_H

#include "base/arena.h"
#include "policy/settings.h"
#include "triglot/ir.h"

struct sim_params {
    int64_t first_token_ms, tokens_per_second, tokens, seed;
    struct str tool;      /* call this tool, "" = as tool_choice says                 */
    int64_t error_status; /* answer with this HTTP error instead, 0 = none            */
    int64_t cut;          /* break the stream after this many events, -1 = never      */
    int64_t stamp;        /* begin every text event with a timestamp (sim_stamp.h)    */
};

/* Settings, then the x-triglot-sim header's key=value list over them; the header's text must
 * live as long as *ret.  TG_EINVAL names the key, param "x-triglot-sim". */
TG_MUST_USE tg_rc sim_params(const struct sim_settings *s, struct str header,
                             struct sim_params *ret, struct tg_err *err);
/* Answers req with events into sink, at the pace asked for.  Same parameters, seed and request:
 * same events.  Honours max_tokens, stop, choices, tools and tool_choice, response schemas.
 * Returns before the first event with err filled for error_status; after `cut` events TG_EGONE,
 * code "upstream_truncated".  S */
TG_MUST_USE tg_rc sim_generate(struct arena *a, const struct sim_params *p,
                               const struct ir_req *req, struct ir_sink *sink,
                               struct tg_err *err);
/* Unit vectors that depend on seed and text alone.  Default 64 dimensions, at most 4096. */
TG_MUST_USE tg_rc sim_embed(struct arena *a, const struct sim_params *p,
                            const struct ir_embed_req *req, struct ir_embed_res *ret,
                            struct tg_err *err);

#endif
