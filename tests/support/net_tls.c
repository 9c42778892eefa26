/* net_tls.c -- TLS servers for tests. */
#include "support/net_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bearssl.h>

#include "support/net_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { CHAIN_MAX = 4, FILE_MAX = 65536, WORDS_MAX = 10 };

static void
need(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "net_tls: %s: %s\n", what, strerror(errno));
    abort();
}

const char *
net_tls_certs(void)
{
    static char dir[] = "build/certs";
    pid_t pid;
    int status;

    pid = fork();
    if (pid == 0) {
        execl("tests/certs/make-certs", "make-certs", dir, (char *)NULL);
        _exit(127);
    }
    need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
         "tests/certs/make-certs (run from the top folder; needs openssl)");
    return dir;
}

const char *
net_tls_file(const char *name, const char *ext)
{
    static char room[8][256];
    static unsigned turn;
    char *out = room[turn++ % 8];

    (void)snprintf(out, sizeof room[0], "build/certs/%s.%s", name, ext);
    return out;
}

static bool
answers(uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0;

    close(fd);
    return ok;
}

pid_t
net_tls_openssl(const char *name, const char *const *words, uint16_t *ret_port)
{
    const char *argv[16 + WORDS_MAX] = {"openssl", "s_server", "-quiet", "-www"};
    unsigned n = 4, tries;
    char where[32];
    uint16_t port;
    pid_t pid;
    int status;
    int fd = net_test_refusing(&port);

    (void)snprintf(where, sizeof where, "127.0.0.1:%u", port);
    argv[n++] = "-accept";
    argv[n++] = where;
    argv[n++] = "-cert";
    argv[n++] = net_tls_file(name, "crt");
    argv[n++] = "-key";
    argv[n++] = net_tls_file(name, "key");
    if (access(net_tls_file(name, "more"), R_OK) == 0) {
        argv[n++] = "-cert_chain";
        argv[n++] = net_tls_file(name, "more");
    }
    for (unsigned i = 0; words && words[i] && i < WORDS_MAX; i++)
        argv[n++] = words[i];
    close(fd);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp("openssl", (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    need(pid > 0, "fork");
    for (tries = 0; !answers(port); tries++) {
        need(tries < 2000 && waitpid(pid, &status, WNOHANG) == 0, "openssl s_server");
        (void)poll(NULL, 0, 5);
    }
    *ret_port = port;
    return pid;
}

void
net_tls_kill(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
}

struct net_tls_server {
    enum net_tls_mode mode;
    int lfd;
    pthread_t thread;
    br_x509_certificate chain[CHAIN_MAX];
    size_t n_chain;
    br_skey_decoder_context key;
    br_ssl_session_cache_lru cache;
    unsigned char cache_room[8192];
    br_ssl_server_context cc;
    unsigned char io[BR_SSL_BUFSIZE_BIDI];
};

struct pem {
    unsigned char *p;
    size_t n;
};

static void
take(void *arg, const void *p, size_t n)
{
    struct pem *out = arg;

    out->p = realloc(out->p, out->n + n);
    need(out->p != NULL, "realloc");
    memcpy(out->p + out->n, p, n);
    out->n += n;
}

static size_t
read_pem(const char *path, struct pem *out, size_t max)
{
    static char text[FILE_MAX];
    br_pem_decoder_context dec;
    FILE *f = fopen(path, "re");
    size_t n, at = 0, count = 0;

    need(f != NULL, path);
    n = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    br_pem_decoder_init(&dec);
    while (at < n && count < max) {
        at += br_pem_decoder_push(&dec, text + at, n - at);
        switch (br_pem_decoder_event(&dec)) {
        case BR_PEM_BEGIN_OBJ:
            out[count] = (struct pem){NULL, 0};
            br_pem_decoder_setdest(&dec, take, &out[count]);
            break;
        case BR_PEM_END_OBJ:
            count++;
            break;
        default:
            break;
        }
    }
    return count;
}

static int
low_read(void *arg, unsigned char *p, size_t n)
{
    ssize_t k = recv(*(int *)arg, p, n, 0);

    return k > 0 ? (int)k : -1;
}

static int
low_write(void *arg, const unsigned char *p, size_t n)
{
    ssize_t k = send(*(int *)arg, p, n, MSG_NOSIGNAL);

    return k > 0 ? (int)k : -1;
}

static void
echo(br_sslio_context *io)
{
    static unsigned char room[16000];
    int k;

    while ((k = br_sslio_read(io, room, sizeof room)) > 0)
        if (br_sslio_write_all(io, room, (size_t)k) != 0 || br_sslio_flush(io) != 0)
            break;
}

static void
serve_tls(struct net_tls_server *s, int fd)
{
    static const unsigned char forged[] = {23, 3,  3,  0,  32, 1,  2,  3,  4,  5,  6,  7,  8,
                                           9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                           22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
    br_sslio_context io;
    unsigned char some[4096];

    br_ssl_server_init_full_rsa(&s->cc, s->chain, s->n_chain, br_skey_decoder_get_rsa(&s->key));
    br_ssl_server_set_cache(&s->cc, &s->cache.vtable);
    br_ssl_engine_set_buffer(&s->cc.eng, s->io, sizeof s->io, 1);
    br_ssl_server_reset(&s->cc);
    br_sslio_init(&io, &s->cc.eng, low_read, &fd, low_write, &fd);
    if (s->mode == NET_TLS_ECHO) {
        echo(&io);
        (void)br_sslio_close(&io);
        return;
    }
    if (br_sslio_read(&io, some, sizeof some) <= 0)
        return;
    if (s->mode == NET_TLS_ANSWER) {
        (void)br_sslio_write_all(&io, "whole", 5);
        (void)br_sslio_close(&io);
    } else if (s->mode == NET_TLS_CUT) {
        (void)br_sslio_write_all(&io, "half", 4);
        (void)br_sslio_flush(&io);
    } else {
        (void)send(fd, forged, sizeof forged, MSG_NOSIGNAL);
        (void)recv(fd, some, sizeof some, 0);
    }
}

static void
serve_raw(struct net_tls_server *s, int fd)
{
    static const char words[] = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
    char some[4096];

    if (recv(fd, some, sizeof some, 0) > 0 && s->mode == NET_TLS_PLAIN)
        (void)send(fd, words, sizeof words - 1, MSG_NOSIGNAL);
}

static void *
serve(void *arg)
{
    struct net_tls_server *s = arg;
    int fd;

    while ((fd = accept(s->lfd, NULL, NULL)) >= 0) {
        if (s->mode == NET_TLS_PLAIN || s->mode == NET_TLS_HANGUP)
            serve_raw(s, fd);
        else
            serve_tls(s, fd);
        close(fd);
    }
    return NULL;
}

struct net_tls_server *
net_tls_start(enum net_tls_mode mode, uint16_t *ret_port)
{
    struct net_tls_server *s = calloc(1, sizeof *s);
    struct pem pems[CHAIN_MAX], key;

    need(s != NULL, "calloc");
    s->mode = mode;
    s->n_chain = read_pem(net_tls_file("valid", "crt"), pems, CHAIN_MAX);
    need(s->n_chain > 0, "valid.crt");
    for (size_t i = 0; i < s->n_chain; i++)
        s->chain[i] = (br_x509_certificate){pems[i].p, pems[i].n};
    need(read_pem(net_tls_file("valid", "key"), &key, 1) == 1, "valid.key");
    br_skey_decoder_init(&s->key);
    br_skey_decoder_push(&s->key, key.p, key.n);
    free(key.p);
    need(br_skey_decoder_get_rsa(&s->key) != NULL, "valid.key is not an RSA key");
    br_ssl_session_cache_lru_init(&s->cache, s->cache_room, sizeof s->cache_room);
    s->lfd = net_test_listen(ret_port);
    need(pthread_create(&s->thread, NULL, serve, s) == 0, "pthread_create");
    return s;
}

void
net_tls_stop(struct net_tls_server *s)
{
    shutdown(s->lfd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->lfd);
    for (size_t i = 0; i < s->n_chain; i++)
        free(s->chain[i].data);
    free(s);
}
