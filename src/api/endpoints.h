/* endpoints.h -- which handler answers which method and path. */
#ifndef API_ENDPOINTS_H
#define API_ENDPOINTS_H

#include "api/exchange.h"

/* Answers x->req: finds the endpoint, runs its handler inside x->work, tells the client when it
 * fails.  Afterwards x->reply has ended, or x->broken says that the connection must be closed.
 * S */
void endpoints_serve(struct exchange *x);

/* Handlers, one file a group.  TG_OK: answered. */
typedef tg_rc endpoint_fn(struct exchange *x);
endpoint_fn api_generate, api_generate_stream, api_embeddings; /* generate.c */
endpoint_fn api_convert;                                       /* convert.c  */
endpoint_fn api_models, api_model;                             /* models.c   */
endpoint_fn api_root, api_health, api_livez, api_readyz, api_version,
    api_telemetry; /* health.c */

/* What of the path the pattern's star stands for ("/v1/models/" + this), percent-decoded into
 * the arena.  TG_EINVAL (x->err filled) for a malformed escape. */
TG_MUST_USE tg_rc endpoint_tail(struct exchange *x, struct str *ret);

#endif
