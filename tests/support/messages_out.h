/* messages_out.h -- requests encoded for an upstream of the Messages dialect.
 *
 * A request is decoded from this dialect's own JSON, changed where another dialect would
 * differ, encoded as the hub would have it done, and compared as bytes together with the names
 * of what was dropped.
 */
#ifndef TESTS_SUPPORT_MESSAGES_OUT_H
#define TESTS_SUPPORT_MESSAGES_OUT_H

#include "base/arena.h"
#include "triglot/dialect.h"

typedef void messages_change(struct arena *, struct ir_req *);

struct messages_result {
    struct arena a;
    struct str body, drops; /* NUL-terminated */
    struct tg_err err;
    tg_rc rc;
};

/* What is expected of the model on that server. */
struct dialect_route messages_route(enum caps_server server, const char *model);
/* Encodes.  A route that says nothing is to "claude-next", a Claude that no one knows by name;
 * one without caps has what is expected of its model on a server that nobody named. */
void messages_run(struct messages_result *r, const char *json, messages_change *change,
                  struct dialect_route route);
void messages_fini(struct messages_result *r);
/* The body and the drops that come of it. */
void messages_expect(const char *json, messages_change *change, const char *body,
                     const char *drops);
void messages_expect_on(struct dialect_route route, const char *json, messages_change *change,
                        const char *body, const char *drops);
/* TG_EINVAL with that field. */
void messages_expect_refused(struct dialect_route route, const char *json,
                             messages_change *change, const char *param);
/* The change: it came from a client of Chat. */
void messages_from_chat(struct arena *a, struct ir_req *req);

#define MESSAGES_STRICT ((struct dialect_route){.strict = true})
#define MESSAGES_ANY    ((struct dialect_route){.strict = false})

/* A request of one message, with more members; what comes of its message, and what stands in
 * front of that. */
#define MESSAGES_IN(more)                                                                      \
    "{\"model\":\"m\",\"max_tokens\":2048,\"messages\":[{\"role\":\"user\","                   \
    "\"content\":\"hi\"}]" more "}"
#define MESSAGES_SAID                                                                          \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]"
#define MESSAGES_TO(model) "{\"model\":\"" model "\",\"max_tokens\":2048,"
#define MESSAGES_HEAD      MESSAGES_TO("claude-next")
/* A request of these messages. */
#define MESSAGES_TURNS(turns) "{\"model\":\"m\",\"max_tokens\":2048,\"messages\":[" turns "]}"

#endif
