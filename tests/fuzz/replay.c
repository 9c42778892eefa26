/* replay.c -- a fuzz target without the fuzzer: runs it over files.
 *
 * Takes files and folders; of a folder every regular file in it, in name order.  Each input
 * lies in an allocation of exactly its size, so that a sanitizer sees a read past its end.  A
 * folder that does not exist is passed over, but a run that found no input at all fails: it
 * would prove nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int
run_file(const char *path, off_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    size_t n = 0;

    if (!f || !data) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    n = fread(data, 1, (size_t)size, f);
    fclose(f);
    if (n != (size_t)size) {
        fprintf(stderr, "replay: %s: short read\n", path);
        exit(1);
    }
    /* A crash must leave behind which input it was. */
    fprintf(stderr, "replay: %s\n", path);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 1;
}

static int
run_path(const char *path)
{
    struct stat st;
    struct dirent **names = NULL;
    int n, ran = 0;

    if (stat(path, &st) != 0)
        return 0;
    if (S_ISREG(st.st_mode))
        return run_file(path, st.st_size);
    n = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char sub[4096];

        if (names[i]->d_name[0] != '.') {
            snprintf(sub, sizeof(sub), "%s/%s", path, names[i]->d_name);
            ran += run_path(sub);
        }
        free(names[i]);
    }
    free(names);
    return ran;
}

int
main(int argc, char **argv)
{
    int ran = 0;

    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        ran += run_path(argv[i]);
    fflush(stderr);
    printf("%d inputs\n", ran);
    return ran > 0 ? 0 : 1;
}
