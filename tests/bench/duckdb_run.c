/* duckdb_run: runs SQL in a DuckDB in memory, as DuckDB's own shell does, through its C interface.
 *
 *     duckdb_run THREADS SQL...
 *
 * It is here because Debian has no DuckDB: the shared library comes with its npm package, and starting it from node would count
 * node's start as DuckDB's time. Only the few functions used are declared; the header is not in that package. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct database database;
typedef struct connection connection;

typedef struct result {
    uint64_t reserved[3];
    void *pointers[3];
} result;

int duckdb_open(const char *path, database **out);
int duckdb_connect(database *db, connection **out);
int duckdb_query(connection *c, const char *sql, result *out);
const char *duckdb_result_error(result *r);
void duckdb_destroy_result(result *r);
void duckdb_disconnect(connection **c);
void duckdb_close(database **db);

static int query(connection *c, const char *sql) {
    result r = {0};
    int failed = duckdb_query(c, sql, &r);
    if (failed) fprintf(stderr, "duckdb_run: %s\n", duckdb_result_error(&r));
    duckdb_destroy_result(&r);
    return failed;
}

static int run(connection *c, int threads, char **sql) {
    char set[64];
    snprintf(set, sizeof set, "SET threads=%d", threads);
    int failed = query(c, set);
    while (!failed && *sql) failed = query(c, *sql++);
    return failed;
}

int main(int argc, char **argv) {
    database *db = NULL;
    connection *c = NULL;
    if (argc < 3) {
        fputs("usage: duckdb_run THREADS SQL...\n", stderr);
        return 2;
    }
    int failed = duckdb_open(NULL, &db) || duckdb_connect(db, &c) || run(c, atoi(argv[1]), argv + 2);
    if (c) duckdb_disconnect(&c);
    if (db) duckdb_close(&db);
    return failed;
}
