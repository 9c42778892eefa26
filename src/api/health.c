/* health.c -- is the process alive, does it want traffic, what is it; and what clients ask for
 * on the side.
 *
 * None of these looks at an upstream: an orchestrator must not kill a gateway for a provider's
 * fault.  livez stays 200 while draining; readyz does not.
 */
#include "api/endpoints.h"

#ifndef TRIGLOT_VERSION
#define TRIGLOT_VERSION "dev"
#endif

static tg_rc
answer_json(struct exchange *x, unsigned status, struct str body)
{
    return exchange_answer(x, status, STR("application/json"), body);
}

tg_rc
api_health(struct exchange *x)
{
    return answer_json(x, 200, STR("{\"status\":\"ok\"}\n"));
}

tg_rc
api_livez(struct exchange *x)
{
    return answer_json(x, 200, STR("{\"status\":\"ok\"}\n"));
}

tg_rc
api_readyz(struct exchange *x)
{
    if (x->draining)
        return answer_json(x, 503, STR("{\"status\":\"draining\"}\n"));
    return answer_json(x, 200, STR("{\"status\":\"ready\"}\n"));
}

/* Clients probe the root with HEAD before they start. */
tg_rc
api_root(struct exchange *x)
{
    return api_version(x);
}

/* Where a client sends its own telemetry when its base URL is ours: taken, and not looked at.
 */
tg_rc
api_telemetry(struct exchange *x)
{
    struct exchange_headers h;

    exchange_headers(x, &h);
    return exchange_answer_with(x, 204, &h, (struct str){NULL, 0});
}

tg_rc
api_version(struct exchange *x)
{
    return answer_json(x, 200,
                       STR("{\"name\":\"triglot\",\"version\":\"" TRIGLOT_VERSION "\"}\n"));
}
