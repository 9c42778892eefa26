/* main.c -- triglot-bench: options, one run or the serving side or a relay, results where they
 * were asked for. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/relay.h"
#include "bench/result.h"
#include "bench/serve.h"
#include "net/listen.h"

enum { EXIT_USAGE = 2, SPARE_FILES = 64 };

#ifndef TRIGLOT_VERSION
#define TRIGLOT_VERSION "dev"
#endif

static int
complain(const struct tg_err *err, int status)
{
    fprintf(stderr, "triglot-bench: %s\n", err->msg);
    return status;
}

/* As many descriptors as may be had; the number of them. */
static uint64_t
raise_file_limit(uint64_t wanted)
{
    struct rlimit limit, more;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    more = limit;
    more.rlim_cur = limit.rlim_max;
    if (more.rlim_max < wanted) { /* allowed to root */
        more.rlim_cur = more.rlim_max = wanted;
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            return wanted;
        more.rlim_cur = more.rlim_max = limit.rlim_max;
    }
    (void)setrlimit(RLIMIT_NOFILE, &more);
    return more.rlim_cur;
}

static void
provide_files(const struct options *o)
{
    uint64_t wanted = SPARE_FILES, have;

    for (unsigned i = 0; i < o->n_loads; i++)
        wanted += o->loads[i].connections ? o->loads[i].connections : 1;
    have = raise_file_limit(wanted);
    if (have < wanted)
        fprintf(stderr,
                "triglot-bench: %llu descriptors are needed for so many connections, %llu are "
                "allowed (ulimit -n)\n",
                (unsigned long long)wanted, (unsigned long long)have);
}

static FILE *
open_output(const char *path, struct tg_err *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

    if (!f)
        (void)tg_fail_sys(err, errno, "%s", path);
    return f;
}

static tg_rc
close_output(FILE *f, const char *path, tg_rc rc, struct tg_err *err)
{
    bool bad = fflush(f) != 0 || ferror(f);

    if (f != stdout && fclose(f) != 0)
        bad = true;
    return rc == TG_OK && bad ? tg_fail_sys(err, errno, "%s", path) : rc;
}

static tg_rc
write_results(const struct result *r, struct tg_err *err)
{
    const struct options *o = r->run->o;
    bool json_only = o->json && strcmp(o->json, "-") == 0;
    tg_rc rc = TG_OK;
    FILE *f;

    if (!o->quiet && !json_only) {
        result_table(r, stdout);
        rc = close_output(stdout, "standard output", TG_OK, err);
    }
    if (rc == TG_OK && o->json) {
        f = open_output(o->json, err);
        rc = f ? close_output(f, o->json, result_json(r, f, err), err) : TG_EIO;
    }
    if (rc == TG_OK && o->report) {
        f = open_output(o->report, err);
        if (!f)
            return TG_EIO;
        result_report(r, f);
        rc = close_output(f, o->report, TG_OK, err);
    }
    return rc;
}

/* Did every call go well? */
static int
verdict(const struct result *r)
{
    const struct tally *t = r->total;

    if (t->failed + t->warmup_fails > 0)
        return EXIT_FAILURE;
    /* A run that ended in its own time must have seen something. */
    return t->completed + t->bytes > 0 || r->run->stopped ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
be_client(const struct options *o)
{
    struct tg_err err = {0};
    struct result result;
    static struct run run; /* its histograms are too large for a stack */
    int status;

    provide_files(o);
    if (run_init(&run, o, &err) != TG_OK)
        return complain(&err, EXIT_USAGE); /* a file, host or process that was named */
    if (run_all(&run, &err) != TG_OK) {
        run_fini(&run);
        return complain(&err, EXIT_FAILURE);
    }
    result_init(&result, &run);
    status = verdict(&result);
    if (write_results(&result, &err) != TG_OK)
        status = complain(&err, EXIT_FAILURE);
    result_fini(&result);
    run_fini(&run);
    return status;
}

static int
be_server(const struct options *o)
{
    struct tg_err err = {0};

    (void)raise_file_limit(0);
    return serve_run(o, &err) == TG_OK ? EXIT_SUCCESS : complain(&err, EXIT_FAILURE);
}

/* The first of the addresses of "host:port". */
static tg_rc
find_address(const char *text, struct dns_addr *ret, struct tg_err *err)
{
    struct dns_addr addrs[DNS_ADDRS_MAX];
    const char *why = NULL;
    struct str host;
    uint16_t port;
    unsigned n = 0;
    char *name;
    tg_rc rc = url_parse_listen(str_z(text), &host, &port, err);

    if (rc != TG_OK)
        return rc;
    name = mem_dup_z(host);
    rc = dns_resolve_blocking(name, addrs, &n, &why);
    mem_free(name);
    if (rc != TG_OK)
        return tg_fail(err, rc, TG_ERR_INTERNAL, "dns", "\"%s\": %s", text, why);
    dns_addr_set_port(&addrs[0], port);
    *ret = addrs[0];
    return TG_OK;
}

static int
be_relay(const struct options *o)
{
    struct tg_err err = {0};
    struct dns_addr to;
    int fd;
    tg_rc rc;

    (void)raise_file_limit(0);
    if (find_address(o->relay_to, &to, &err) != TG_OK)
        return complain(&err, EXIT_USAGE); /* a host that was named */
    rc = listen_open(str_z(o->relay), &fd, &err);
    if (rc == TG_OK) {
        rc = relay_run(fd, &to, &err);
        close(fd);
    }
    return rc == TG_OK ? EXIT_SUCCESS : complain(&err, EXIT_FAILURE);
}

int
main(int argc, char **argv)
{
    static struct options o;
    char why[OPTIONS_WHY];

    if (!options_parse(argc - 1, argv + 1, &o, why)) {
        fprintf(stderr, "triglot-bench: %s\nTry \"triglot-bench --help\".\n", why);
        return EXIT_USAGE;
    }
    if (o.help) {
        options_help(stdout);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (o.version) {
        puts("triglot-bench " TRIGLOT_VERSION);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (o.relay)
        return be_relay(&o);
    return o.serve ? be_server(&o) : be_client(&o);
}
