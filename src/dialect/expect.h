/* expect.h -- what is expected of servers and models, as a table of rows.
 *
 * Servers that speak one dialect differ in what they know of it.  A dialect's caps.c starts
 * with what it expects of a server that nobody named and applies its rows to that: a row says
 * which servers and models it is about and what it changes.
 *
 *     static const struct expect_row rows[] = {
 *         {.servers = EXPECT_ON(VLLM), .system = CAPS_SYSTEM_MERGE},
 *         {.servers = EXPECT_ON(AUTO), .models = "gpt-5* o3*", .sampling = IR_NO},
 *     };
 *     *ret = plain;
 *     expect_apply(rows, n, server, expect_bare(model), ret);
 */
#ifndef DIALECT_EXPECT_H
#define DIALECT_EXPECT_H

#include "triglot/caps.h"
#include "triglot/ir.h"

/* The bit of a server. */
#define EXPECT_ON(server) (1U << CAPS_SERVER_##server)

enum { EXPECT_NO_STOPS = -1 };

/* What a row does not name stays as it was. */
struct expect_row {
    unsigned servers;   /* bits */
    const char *models; /* globs with blanks between, one of which must fit; NULL: all */
    enum caps_thinking thinking;
    enum caps_system system;
    enum caps_replay replay;
    enum caps_format format;
    enum ir_tri custom_tools, developer_role, completion_tokens, sampling, cache_marks, prefill,
        logprobs, web_search, parallel_calls;
    int stop_max; /* EXPECT_NO_STOPS: it takes none */
    unsigned tool_name_max;
};

/* Applies all rows that fit, in order, so what is special stands behind what is general. */
void expect_apply(const struct expect_row *rows, size_t n, enum caps_server server,
                  struct str model, struct ir_caps *caps);
/* The model's name behind the last slash: routers put the maker's in front. */
struct str expect_bare(struct str model);

#endif
