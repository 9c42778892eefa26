/* caps.h -- what the configuration says about the capabilities of a model or a server. */
#ifndef POLICY_CAPS_H
#define POLICY_CAPS_H

#include <stdint.h>

#include "triglot/caps.h"
#include "triglot/ir.h"

/* One member for each of struct ir_caps.  Zero is not said; of the numbers -1, so that a struct
 * comes from the defaults of its option table, not from zeroed memory. */
struct caps_settings {
    enum caps_thinking thinking;
    enum caps_system system;
    enum caps_replay replay;
    enum caps_format format;
    enum caps_orphans orphans;
    enum ir_tri custom_tools;
    enum ir_tri developer_role;
    enum ir_tri completion_tokens;
    enum ir_tri sampling;
    enum ir_tri cache_marks;
    enum ir_tri prefill;
    enum ir_tri logprobs;
    enum ir_tri web_search;
    enum ir_tri parallel_calls;
    int64_t stop_max;
    int64_t tool_name_max;
};

/* Overrides in *caps what was said, and nothing else. */
void caps_apply(const struct caps_settings *said, struct ir_caps *caps);

/* The provider whose well-known host this is (case does not matter), else CAPS_SERVER_AUTO.  A
 * port tells nothing: many servers share the usual ones. */
enum caps_server caps_server_of(struct str host);

#endif
