/* url.c -- base URLs and listen addresses, by hand.
 *
 * Both are configuration, so the messages matter more than the speed: each says which part is
 * wrong and what it should be.  A host of digits and dots must be a whole IPv4 address, because
 * resolvers give such names ("127.1") meanings of their own.
 */
#include "policy/url.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/ascii.h"
#include "base/num.h"

__attribute__((format(printf, 2, 3))) static tg_rc
bad(struct tg_err *err, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    return tg_fail(err, TG_EINVAL, TG_ERR_INVALID_REQUEST, "config", "%s", text);
}

static bool
is_ip(struct str host, int family)
{
    unsigned char addr[sizeof(struct in6_addr)];
    char z[INET6_ADDRSTRLEN];

    if (host.n == 0 || host.n >= sizeof z)
        return false;
    memcpy(z, host.p, host.n);
    z[host.n] = '\0';
    return strlen(z) == host.n && inet_pton(family, z, addr) == 1;
}

static tg_rc
check_name(struct str host, struct tg_err *err)
{
    bool numeric = true;

    if (host.n == 0)
        return bad(err, "has no host");
    if (host.n > 253 || host.p[0] == '.' || host.p[0] == '-')
        return bad(err, "has a host that is no valid name");
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];

        if (!ascii_is_dotted(c))
            return bad(err,
                       "has a host that holds a byte no host name has (a name beyond ASCII "
                       "is written in its xn-- form)");
        if (c == '.' && i + 1 < host.n && host.p[i + 1] == '.')
            return bad(err, "has a host with an empty label");
        numeric = numeric && (ascii_is_digit(c) || c == '.');
    }
    if (numeric && !is_ip(host, AF_INET))
        return bad(err, "has a host that is no valid IPv4 address");
    return TG_OK;
}

/* Splits "host:port" or "[v6]:port"; *port is what follows the colon, has_port whether there
 * was one. */
static tg_rc
split(struct str text, struct str *host, struct str *port, bool *has_port, bool *v6,
      struct tg_err *err)
{
    size_t colon;

    *v6 = str_starts(text, STR("["));
    if (*v6) {
        size_t end = str_find(text, ']');

        if (end == text.n)
            return bad(err, "has a \"[\" without its \"]\"");
        *host = str_of(text.p + 1, end - 1);
        if (!is_ip(*host, AF_INET6))
            return bad(err, "has no valid IPv6 address between the brackets");
        text = str_from(text, end + 1);
        *has_port = text.n > 0;
        if (text.n && text.p[0] != ':')
            return bad(err, "has something between \"]\" and the port");
        *port = str_from(text, 1);
        return TG_OK;
    }
    colon = str_find(text, ':');
    *host = str_of(text.p, colon);
    *has_port = colon < text.n;
    *port = str_from(text, colon + 1);
    if (str_find(*port, ':') < port->n)
        return bad(err, "has more than one colon; an IPv6 address stands in brackets: [::1]");
    return TG_OK;
}

static tg_rc
parse_port(struct str text, unsigned min, uint16_t *ret, struct tg_err *err)
{
    uint64_t port;

    if (num_u64(text, 65535, &port) != TG_OK || port < min || text.n > 5)
        return bad(err, "has no valid port (%u to 65535)", min);
    *ret = (uint16_t)port;
    return TG_OK;
}

static tg_rc
check_bytes(struct str text, struct tg_err *err)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c <= 0x20 || c >= 0x7f)
            return bad(err, "holds a blank, a control byte or a byte beyond ASCII");
    }
    return TG_OK;
}

tg_rc
url_parse(struct str text, struct url *ret, struct tg_err *err)
{
    struct url u = {.port = 80};
    struct str rest, authority, port;
    bool has_port, v6;
    size_t slash;
    tg_rc rc;

    if (str_ieq(str_of(text.p, text.n < 8 ? text.n : 8), STR("https://"))) {
        u.tls = true;
        u.port = 443;
        rest = str_from(text, 8);
    } else if (str_ieq(str_of(text.p, text.n < 7 ? text.n : 7), STR("http://"))) {
        rest = str_from(text, 7);
    } else {
        return bad(err, "must begin with http:// or https://");
    }
    rc = check_bytes(text, err);
    if (rc != TG_OK)
        return rc;
    slash = str_find(rest, '/');
    authority = str_of(rest.p, slash);
    if (str_find(authority, '@') < authority.n)
        return bad(err, "must not hold a user name or password; credentials belong in \"key\"");
    if (str_find(rest, '?') < rest.n)
        return bad(err, "must not have a query (\"?\")");
    if (str_find(rest, '#') < rest.n)
        return bad(err, "must not have a fragment (\"#\")");
    rc = split(authority, &u.host, &port, &has_port, &v6, err);
    if (rc == TG_OK && !v6)
        rc = check_name(u.host, err);
    if (rc == TG_OK && has_port)
        rc = parse_port(port, 1, &u.port, err);
    if (rc != TG_OK)
        return rc;
    u.host_is_ip = v6 || is_ip(u.host, AF_INET);
    u.text = text;
    u.path = str_from(rest, slash);
    while (u.path.n && u.path.p[u.path.n - 1] == '/') {
        u.path.n--;
        u.text.n--;
    }
    *ret = u;
    return TG_OK;
}

tg_rc
url_parse_listen(struct str text, struct str *ret_host, uint16_t *ret_port, struct tg_err *err)
{
    struct str host, port;
    bool has_port, v6;
    uint16_t n = 0;
    tg_rc rc;

    if (str_find(text, '/') < text.n)
        return bad(err, "must be host:port, without a scheme or path");
    rc = split(text, &host, &port, &has_port, &v6, err);
    if (rc != TG_OK)
        return rc;
    if (!has_port)
        return bad(err, "must be host:port, such as 127.0.0.1:8080, [::1]:8080 or *:8080");
    if (host.n == 0)
        return bad(err, "has no host; all addresses are written *:%.*s",
                   (int)(port.n < 8 ? port.n : 8), port.p ? port.p : "");
    if (!v6 && !str_eq(host, STR("*")))
        rc = check_name(host, err);
    if (rc == TG_OK)
        rc = parse_port(port, 0, &n, err);
    if (rc != TG_OK)
        return rc;
    *ret_host = host;
    *ret_port = n;
    return TG_OK;
}
