/* url.h -- base URLs of upstreams: http or https, a host, perhaps a port and a path. */
#ifndef POLICY_URL_H
#define POLICY_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "triglot/err.h"
#include "triglot/str.h"

struct url {
    bool tls;
    bool host_is_ip;
    struct str host; /* without brackets */
    uint16_t port;   /* the scheme's when none is given */
    struct str path; /* "/v1", or "": no trailing slash */
    struct str text; /* all of it, no trailing slash    */
};

/* RFC 3986, less what a base URL has no use for: user information, a query and a fragment are
 * refused, and so are bytes that no URL may hold.  Everything in *ret is borrowed from text.
 * TG_EINVAL with a message that does not quote the URL, since it may hold a password. */
TG_MUST_USE tg_rc url_parse(struct str text, struct url *ret, struct tg_err *err);

/* "host:port", "[v6]:port", "*:port"; port 0 (any) allowed.  The same errors. */
TG_MUST_USE tg_rc url_parse_listen(struct str text, struct str *ret_host, uint16_t *ret_port,
                                   struct tg_err *err);

#endif
