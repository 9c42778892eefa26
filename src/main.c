/* main.c -- the command line.
 *
 * One table of options feeds getopt_long, --help and, by a test, the manual page.  What is
 * asked for is printed to standard output; what is wrong goes to standard error with status 2
 * for a command line that cannot be understood and 1 for everything else.
 *
 * Before anything secret is read the process is made undumpable: no core file, no debugger of
 * the same user, and /proc/self/environ readable by root alone.  Not under a sanitizer that
 * looks at the process from outside when it ends.
 */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "co/ring.h"
#include "conf/conf.h"
#include "dialect/manual.h"
#include "gate/gate.h"
#include "http/version.h"
#include "net/tls.h"
#include "net/version.h"
#include "policy/settings.h"
#include "upstream/check.h"
#include "json/version.h"

#ifndef TRIGLOT_VERSION
#error "TRIGLOT_VERSION comes from the Makefile"
#endif

#define DEFAULT_FILE "/etc/triglot/triglot.yaml"

enum { EXIT_USAGE = 2 };

/* Long options without a letter. */
enum { OPT_DUMP = 256, OPT_MDOC, OPT_MDOC_DIALECTS, OPT_CA_FILE, OPT_SERVER_NAME };

struct option_row {
    const char *name;
    int value;        /* the letter, or one of OPT_* */
    const char *arg;  /* NULL = takes none           */
    const char *help; /* NULL = not shown            */
};

static const struct option_row daemon_options[] = {
    {"config", 'c', "FILE", "read this configuration (default: " DEFAULT_FILE " if it exists)"},
    {"check", 't', NULL, "check the configuration and exit: 0 when it is fine, 1 when not"},
    {"dump-config", OPT_DUMP, NULL, "print the effective configuration with origins and exit"},
    {"help", 'h', NULL, "print this and exit"},
    {"version", 'V', NULL,
     "print the versions of triglot, its libraries and the kernel and exit"},
    {"mdoc-options", OPT_MDOC, NULL, NULL},
    {"mdoc-dialects", OPT_MDOC_DIALECTS, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

static const struct option_row check_options[] = {
    {"ca-file", OPT_CA_FILE, "FILE", "trust these PEM certificates instead of the system's"},
    {"server-name", OPT_SERVER_NAME, "NAME",
     "name to send and to check the certificate against"},
    {"help", 'h', NULL, "print this and exit"},
    {NULL, 0, NULL, NULL},
};

enum { OPTIONS_MAX = 8, MANUAL_MAX = 1 << 20 };

/* The table in getopt_long's two forms. */
static void
to_getopt(const struct option_row *rows, struct option longs[OPTIONS_MAX + 1],
          char shorts[2 * OPTIONS_MAX + 1])
{
    size_t n = 0, k = 0;

    for (; rows[n].name; n++) {
        assert(n < OPTIONS_MAX);
        longs[n] = (struct option){rows[n].name, rows[n].arg ? required_argument : no_argument,
                                   NULL, rows[n].value};
        if (rows[n].value < OPT_DUMP) {
            shorts[k++] = (char)rows[n].value;
            if (rows[n].arg)
                shorts[k++] = ':';
        }
    }
    longs[n] = (struct option){NULL, 0, NULL, 0};
    shorts[k] = '\0';
}

static void
print_options(const struct option_row *rows)
{
    for (; rows->name; rows++) {
        char left[64], letter[8] = "    ";

        if (!rows->help)
            continue;
        if (rows->value < OPT_DUMP)
            snprintf(letter, sizeof letter, "-%c, ", rows->value);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, rows->name, rows->arg ? " " : "",
                 rows->arg ? rows->arg : "");
        printf("  %-24s  %s\n", left, rows->help);
    }
}

static void
print_carry_tables(void)
{
    struct buf b;

    buf_init(&b, MANUAL_MAX);
    if (dialect_manual(&b) == TG_OK)
        fwrite(buf_str(&b).p, 1, b.n, stdout);
    buf_fini(&b);
}

static void
print_help(void)
{
    puts("Usage: triglot [-c FILE] [-t | --dump-config]\n"
         "       triglot check-upstream [--ca-file FILE] [--server-name NAME] URL\n"
         "\n"
         "A gateway between clients and servers of language models.  Without a configuration "
         "it\n"
         "listens on 127.0.0.1:8080, serves the simulated model \"sim\", and uses "
         "OPENAI_API_KEY\n"
         "and ANTHROPIC_API_KEY when they are set.\n"
         "\n"
         "Options:");
    print_options(daemon_options);
    puts("\n"
         "check-upstream connects to URL and prints what was negotiated, or why it failed:");
    print_options(check_options);
    puts("\n"
         "Manual pages: triglot(8), triglot.yaml(5).");
}

static void
print_version(void)
{
    char kernel[512] = "";

    ring_describe(kernel, sizeof kernel);
    printf("triglot %s\n", TRIGLOT_VERSION);
    printf("libraries: %s, %s, %s, %s\n", http_libraries(), net_libraries(), json_library(),
           conf_library());
#ifdef __clang__
    printf("compiler: clang %s\n", __clang_version__);
#else
    printf("compiler: gcc %s\n", __VERSION__);
#endif
    printf("kernel: %s\n", kernel);
}

/* A full disk or a closed pipe must not look like success. */
static int
finish_stdout(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "triglot: standard output: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int
usage_error(void)
{
    fputs("Try \"triglot --help\".\n", stderr);
    return EXIT_USAGE;
}

static void
harden(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* Each connection is a descriptor; the soft limit of 1024 is there for programs that use
 * select. */
static void
raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The default file unless it is not there; one that is there and cannot be reached is an error
 * that loading reports. */
static const char *
default_file(void)
{
    if (access(DEFAULT_FILE, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
        return DEFAULT_FILE;
    return NULL;
}

/* What only loading the certificates shows. */
static bool
check_trust(const struct settings *s)
{
    bool fine = true;

    for (unsigned i = 0; i < s->n_upstreams; i++) {
        const struct upstream_settings *u = &s->upstreams[i];
        struct tls_trust *trust;
        struct tg_err err;

        if (!u->tls)
            continue;
        if (tls_trust_load(u->ca_file, &trust, &err) == TG_OK) {
            tls_trust_unref(trust);
            continue;
        }
        fine = false;
        if (u->at.line)
            fprintf(stderr, "%.*s:%u:%u: ", STR_ARG(s->file), u->at.line, u->at.column);
        else
            fputs("triglot: ", stderr);
        fprintf(stderr, "upstream \"%.*s\": %s\n", STR_ARG(u->name), err.msg);
    }
    return fine;
}

static int
check_config(struct settings *s)
{
    bool fine = check_trust(s);

    if (fine && s->file.n)
        printf("%.*s: the configuration is fine\n", STR_ARG(s->file));
    else if (fine)
        puts("triglot: no configuration file, and the defaults are fine");
    settings_unref(s);
    return fine ? finish_stdout() : EXIT_FAILURE;
}

static int
serve(struct settings *s, const char *file)
{
    struct tg_err err = {.rc = TG_OK};

    raise_file_limit();
    log_setup(s->log.format, s->log.level);
    if (gate_run(s, file, &err) == TG_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "triglot: %s\n", err.msg);
    return EXIT_FAILURE;
}

static int
check_upstream(int argc, char **argv)
{
    const char *ca_file = NULL, *server_name = NULL;
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 1];
    int c;

    to_getopt(check_options, longs, shorts);
    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        switch (c) {
        case OPT_CA_FILE:
            ca_file = optarg;
            break;
        case OPT_SERVER_NAME:
            server_name = optarg;
            break;
        case 'h':
            print_help();
            return finish_stdout();
        default:
            return usage_error();
        }
    }
    if (optind + 1 != argc) {
        fputs("triglot: check-upstream takes one URL\n", stderr);
        return usage_error();
    }
    return check_upstream_main(argv[optind], ca_file, server_name);
}

static int
unknown_command(const char *word)
{
    struct conf_guess guess;
    char hint[128];

    conf_guess_init(&guess, str_z(word));
    conf_guess_offer(&guess, STR("check-upstream"));
    fprintf(stderr, "triglot: unknown command \"%s\"%s\n", word,
            conf_guess_text(&guess, hint, sizeof hint));
    return usage_error();
}

static int
run(const char *file, bool check, bool dump)
{
    struct settings *s;

    if (!file)
        file = default_file();
    harden();
    if (settings_load(file, stderr, &s) != TG_OK)
        return EXIT_FAILURE;
    if (check)
        return check_config(s);
    if (dump) {
        settings_dump(s, stdout);
        settings_unref(s);
        return finish_stdout();
    }
    return serve(s, file);
}

int
main(int argc, char **argv)
{
    const char *file = NULL;
    bool check = false, dump = false;
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 1];
    int c;

    if (argc > 1 && strcmp(argv[1], "check-upstream") == 0)
        return check_upstream(argc - 1, argv + 1);
    to_getopt(daemon_options, longs, shorts);
    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            file = optarg;
            break;
        case 't':
            check = true;
            break;
        case OPT_DUMP:
            dump = true;
            break;
        case OPT_MDOC:
            settings_mdoc(stdout);
            return finish_stdout();
        case OPT_MDOC_DIALECTS:
            print_carry_tables();
            return finish_stdout();
        case 'h':
            print_help();
            return finish_stdout();
        case 'V':
            print_version();
            return finish_stdout();
        default:
            return usage_error();
        }
    }
    if (optind < argc)
        return unknown_command(argv[optind]);
    return run(file, check, dump);
}
