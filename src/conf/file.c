/* file.c -- a small file, whole.
 *
 * Opened without blocking, so that a pipe without a writer, named by mistake, cannot hang the
 * start; a pipe that has one (a shell's process substitution) is read as a blocking file.
 */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static tg_rc
no(struct tg_err *err, const char *path, const char *why)
{
    return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "config", "%s: %s", path, why);
}

static tg_rc
fill(FILE *f, const char *path, size_t max, struct buf *ret, struct tg_err *err)
{
    size_t total = 0;

    for (;;) {
        char *p;
        size_t n;

        if (buf_reserve(ret, 4096, &p) != TG_OK)
            return no(err, path, "too large");
        n = fread(p, 1, 4096, f);
        if (n == 0)
            break;
        buf_commit(ret, n);
        total += n;
        if (total > max)
            return no(err, path, "too large");
    }
    if (ferror(f)) {
        int e = errno;

        return no(err, path, e ? strerror(e) : "cannot be read");
    }
    return TG_OK;
}

tg_rc
conf_read_file(const char *path, bool regular, size_t max, struct buf *ret, struct tg_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    FILE *f;
    tg_rc rc;

    if (fd < 0)
        return no(err, path, strerror(errno));
    if (fstat(fd, &st) != 0) {
        int e = errno;

        close(fd);
        return no(err, path, strerror(e));
    }
    if (S_ISDIR(st.st_mode)) {
        close(fd);
        return no(err, path, "is a directory");
    }
    if (regular && !S_ISREG(st.st_mode)) {
        close(fd);
        return no(err, path, "is not a regular file");
    }
    (void)fcntl(fd, F_SETFL, O_RDONLY);
    f = fdopen(fd, "r");
    if (!f) {
        int e = errno;

        close(fd);
        return no(err, path, strerror(e));
    }
    errno = 0;
    rc = fill(f, path, max, ret, err);
    fclose(f);
    return rc;
}
