/* replay.c: a fuzz target as an ordinary test, for compilers without libFuzzer.
 *
 *     fuzz_csv CORPUS MILLISECONDS [SAVE]
 *
 * Runs every file of CORPUS, then seeded mutations of them until the time is over: the same sequence each time, of which a
 * faster machine gets further. With SAVE every input is written to that file before it is run, so that one that ends the
 * program can be looked at. */
#include <dirent.h>
#include <time.h>

#include "base/hash.h"
#include "fuzz.h"

enum { FILES = 4096, LARGEST = 1 << 16, CHANGES = 6 };

typedef struct corpus {
    sl_buf file[FILES];
    size_t n;
} corpus;

typedef struct random_state {
    uint64_t at;
} random_state;

static uint32_t pick(random_state *r, size_t n) {
    r->at += 0x9e3779b97f4a7c15u;
    return n ? (uint32_t)((sl_hash_mix(r->at) >> 20) % n) : 0;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool read_file(const char *path, sl_buf *out) {
    char part[4096];
    FILE *f = fopen(path, "rb");
    if (!f || !sl_buf_reserve(out, 1)) return false;
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) sl_buf_add(out, part, n);
    return fclose(f) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool read_corpus(const char *dir, corpus *c) {
    struct dirent **names;
    int n = scandir(dir, &names, NULL, by_name);
    bool good = n >= 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && c->n < FILES) good = read_file(path, &c->file[c->n++]) && good;
        free(names[i]);
    }
    if (good) free(names);
    return good && c->n > 0;
}

static void save(const char *path, const sl_buf *input) {
    FILE *f = fopen(path, "wb");
    if (f && input->len) fwrite(input->data, 1, input->len, f);
    if (f) fclose(f);
}

/* From a copy that ends where it ends. */
static void run(const sl_buf *input, const char *path) {
    if (path) save(path, input);
    uint8_t *copy = malloc(input->len ? input->len : 1);
    FUZZ_CHECK(copy);
    if (input->len) memcpy(copy, input->data, input->len);
    LLVMFuzzerTestOneInput(copy, input->len);
    free(copy);
}

static void insert(sl_buf *b, size_t at, const char *bytes, size_t n) {
    sl_buf whole = {0};
    sl_buf_reserve(&whole, b->len + n + 1);
    sl_buf_add(&whole, b->data, at);
    sl_buf_add(&whole, bytes, n);
    sl_buf_add(&whole, b->data + at, b->len - at);
    sl_buf_free(b);
    *b = whole;
}

static void erase(sl_buf *b, size_t at, size_t n) {
    if (!n) return;
    memmove(b->data + at, b->data + at + n, b->len - at - n);
    b->len -= n;
}

/* One of: a byte changed, bytes taken out, bytes repeated, bytes of another file put in, a byte that often means something. */
static void change(sl_buf *b, const corpus *c, random_state *r) {
    static const char telling[] = "\"\",;\n\r{}[]:\\'$%&|.-+0195eE \t\x00\x01\x7f\x80\xef\xff";
    size_t at = pick(r, b->len + 1), left = b->len - at, some = pick(r, left + 1);
    const sl_buf *other = &c->file[pick(r, c->n)];
    size_t from = pick(r, other->len + 1), n = pick(r, other->len - from + 1);
    switch (pick(r, 6)) {
    case 0:
        if (left) b->data[at] = (char)pick(r, 256);
        break;
    case 1: erase(b, at, pick(r, 3) && some ? 1 : some); break;
    case 2: {
        sl_buf again = {0};
        sl_buf_reserve(&again, 1);
        sl_buf_add(&again, b->data + at, some);
        insert(b, at, again.data, again.len);
        sl_buf_free(&again);
        break;
    }
    case 3: insert(b, at, other->data + from, n); break;
    case 4:
        if (left) b->data[at] = telling[pick(r, sizeof telling - 1)];
        break;
    default: insert(b, at, &telling[pick(r, sizeof telling - 1)], 1);
    }
}

static void mutate(const corpus *c, double until, const char *path) {
    random_state r = {0};
    while (seconds() < until) {
        sl_buf input = {0};
        const sl_buf *file = &c->file[pick(&r, c->n)];
        sl_buf_add(&input, file->data, file->len);
        sl_buf_reserve(&input, 1);
        for (uint32_t n = pick(&r, CHANGES) + 1; n && input.len < LARGEST; n--) change(&input, c, &r);
        run(&input, path);
        sl_buf_free(&input);
    }
}

int main(int argc, char **argv) {
    const char *path = argc > 3 ? argv[3] : NULL;
    corpus *c = calloc(1, sizeof *c);
    if (argc < 3 || !c || !read_corpus(argv[1], c)) {
        fprintf(stderr, "usage: %s CORPUS MILLISECONDS [SAVE]; the corpus must hold a file\n", argv[0]);
        free(c);
        return 2;
    }
    for (size_t i = 0; i < c->n; i++) run(&c->file[i], path);
    mutate(c, seconds() + atof(argv[2]) / 1000, path);
    for (size_t i = 0; i < c->n; i++) sl_buf_free(&c->file[i]);
    free(c);
    return 0;
}
