/* Random bundles in memory with a column of every kind, and what is true in them. */
#ifndef SU_PORTAL_WORLD_H
#define SU_PORTAL_WORLD_H

#include "query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { YEAR, CODE, LONG, SET, FLAG1, FLAG2, FLAG3, FIELDS };
enum { MOST_ROWS = 700, MOST_COUNTS = 4000, LONG_CODES = 80, R = 3 };
static const char *const names[FIELDS] = { "year", "a", "b", "s", "f1", "f2", "f3" };
static const unsigned sizes[FIELDS] = { 4, 3, LONG_CODES, 5, 1, 1, 1 };

typedef struct attribute {
    unsigned field, value;
} attribute;
typedef struct published {
    attribute of[R];
    size_t n;
    double count, low, high;
} published;

static struct world {
    size_t rows, counts;
    unsigned has[MOST_ROWS][FIELDS]; /* bit sets of values; single-valued columns have at most one */
    unsigned long_code[MOST_ROWS];   /* 1 + value, 0 = none */
    published list[MOST_COUNTS];
    su_buf package, report, aggregates, microdata, lists[FIELDS];
} w;

static su_context ctx;
static su_view *view;
static su_cube *cube;
static su_random dice;

static unsigned below(unsigned n) { return (unsigned)su_random_below(&dice, n); }

static bool holds(size_t row, attribute x)
{
    if (x.field == LONG) return w.long_code[row] == x.value + 1;
    return w.has[row][x.field] >> x.value & 1;
}

/* ---- a bundle in memory ---- */

static void code_text(attribute x, char out[16])
{
    if (x.field >= FLAG1)
        snprintf(out, 16, "1");
    else
        snprintf(out, 16, x.field == YEAR ? "20%02u" : "%c%u", x.field == YEAR ? 10 + x.value : (unsigned)names[x.field][0], x.value);
}

static bool give(void *arg, const char *path, su_str *bytes)
{
    (void)arg;
    static const char *const known[] = { "datapackage.json", "protection/report.json", "data/aggregates.csv", "data/microdata.csv" };
    su_buf *of[] = { &w.package, &w.report, &w.aggregates, &w.microdata };
    for (size_t i = 0; i < 4; i++)
        if (strcmp(path, known[i]) == 0) {
            *bytes = (su_str) { of[i]->p, of[i]->n };
            return true;
        }
    for (size_t f = 0; f < FIELDS; f++)
        if (strcmp(path, names[f]) == 0) {
            *bytes = (su_str) { w.lists[f].p, w.lists[f].n };
            return true;
        }
    return false;
}

static void write_package(void)
{
    static const char *const types[FIELDS] = { "year", "code", "code", "code-set", "flag", "flag", "flag" };
    su_buf_text(&w.package,
                "{\"name\":\"w\",\"suha:groups\":[{\"name\":\"g\",\"title\":\"G\"}],\"resources\":[{\"path\":\"data/microdata.csv\","
                "\"schema\":{\"fields\":[");
    for (unsigned f = 0; f < FIELDS; f++) {
        su_buf_printf(&w.package, "%s{\"name\":\"%s\",\"suha:type\":\"%s\",\"suha:provided\":true,\"suha:codelist\":\"%s\"%s}",
                      f ? "," : "", names[f], types[f], names[f], f == FLAG1 || f == FLAG2 ? ",\"suha:group\":\"g\"" : "");
        su_buf_text(&w.lists[f], "code,label_en,label_fr\n");
        for (unsigned v = 0; v < sizes[f]; v++) {
            char code[16];
            code_text((attribute) { f, v }, code);
            su_buf_printf(&w.lists[f], "%s,Label %s,\n", code, code);
        }
    }
    su_buf_text(&w.package, "]}}]}");
    su_buf_text(&w.report,
                "{\"suha:report\":1,\"guarantee\":{\"holds\":true,\"epsilon\":1},\"k\":1,\"length\":3,\"records\":{\"synthetic\":1,"
                "\"estimated\":650.4,\"ci_low\":600.5,\"ci_high\":700.25},"
                "\"combinations\":[{\"length\":1,\"left_out_by_gate\":4,\"left_out_by_k\":0},{\"length\":2,\"left_out_by_gate\":0,"
                "\"left_out_by_k\":3},{\"length\":3,\"left_out_by_gate\":2,\"left_out_by_k\":2}],"
                "\"tables\":[{\"columns\":[\"f1\",\"a\",\"year\"]},{\"columns\":[\"s\",\"a\",\"f1\"]},{\"columns\":[\"b\",\"f1\"]},"
                "{\"columns\":[\"f1\",\"f2\",\"a\"]},{\"columns\":[\"f3\"]}]}");
}

static bool same_set(const published *p, const attribute *x, size_t n)
{
    if (p->n != n) return false;
    for (size_t i = 0; i < n; i++) {
        bool there = false;
        for (size_t k = 0; k < n; k++) there = there || (p->of[k].field == x[i].field && p->of[k].value == x[i].value);
        if (!there) return false;
    }
    return true;
}

static const published *look_up(const attribute *x, size_t n)
{
    for (size_t i = 0; i < w.counts; i++)
        if (same_set(&w.list[i], x, n)) return &w.list[i];
    return NULL;
}

static void write_row(size_t row)
{
    for (unsigned f = 0; f < FIELDS; f++) {
        bool first = true;
        if (f) su_buf_char(&w.microdata, ',');
        for (unsigned v = 0; v < sizes[f]; v++) {
            char code[16];
            code_text((attribute) { f, v }, code);
            if (!holds(row, (attribute) { f, v })) continue;
            su_buf_printf(&w.microdata, "%s%s", first ? "" : ";", code);
            first = false;
        }
    }
    su_buf_char(&w.microdata, '\n');
}

/* Publishes a random part of a random record's attributes, sometimes. */
static void publish_some(void)
{
    attribute all[FIELDS * 5], x[R];
    size_t n = 0, row = below((unsigned)w.rows), length = 1 + below(R), got = 0;
    for (unsigned f = 0; f < FIELDS; f++)
        for (unsigned v = 0; v < sizes[f]; v++)
            if (holds(row, (attribute) { f, v })) all[n++] = (attribute) { f, v };
    while (n && got < length) {
        size_t at = below((unsigned)n);
        x[got++] = all[at];
        all[at] = all[--n];
    }
    if (got == 0 || w.counts == MOST_COUNTS || look_up(x, got)) return;
    published *p = &w.list[w.counts++];
    memcpy(p->of, x, sizeof x);
    p->n = got;
    p->count = 1 + below(300);
    p->low = floor(p->count * (double)below(11)) / 10;
    p->high = p->count + below(1500) / 10.0;
    for (size_t i = 0; i < got; i++) {
        char code[16];
        code_text(x[i], code);
        su_buf_printf(&w.aggregates, "%s%s=%s", i ? ";" : "", names[x[i].field], code);
    }
    su_buf_printf(&w.aggregates, ",%zu,%.0f,%.1f,%.1f\n", got, p->count, p->low, p->high);
}

static void make_world(uint64_t seed)
{
    su_random_seeded(&dice, seed);
    memset(&w, 0, sizeof w);
    w.rows = 1 + below(MOST_ROWS);
    write_package();
    for (unsigned f = 0; f < FIELDS; f++) su_buf_printf(&w.microdata, "%s%s", f ? "," : "", names[f]);
    su_buf_char(&w.microdata, '\n');
    for (size_t row = 0; row < w.rows; row++) {
        for (unsigned f = 0; f < FIELDS; f++) {
            if (f == SET)
                w.has[row][f] = below(4) ? below(32) : 0;
            else if (f != LONG)
                w.has[row][f] = below(3) ? 1u << below(sizes[f]) : 0;
        }
        w.long_code[row] = below(5) ? 1 + below(below(2) ? 6 : LONG_CODES) : 0;
        write_row(row);
    }
    su_buf_text(&w.aggregates, "combination,length,count,ci_low,ci_high\n");
    size_t tries = below(3000);
    for (size_t i = 0; i < tries; i++) publish_some();
    su_status st = su_view_read(&ctx, "w", give, NULL, &view);
    if (!st) st = su_cube_new(&ctx, view, give, NULL, &cube);
    if (st) fail_msg("seed %llu: %s", (unsigned long long)seed, ctx.message);
}

static void free_world(void)
{
    su_cube_free(cube);
    su_view_free(view);
    su_buf_free(&w.package);
    su_buf_free(&w.report);
    su_buf_free(&w.aggregates);
    su_buf_free(&w.microdata);
    for (size_t f = 0; f < FIELDS; f++) su_buf_free(&w.lists[f]);
}

static int set_up(void **state)
{
    (void)state;
    su_context_init(&ctx);
    return 0;
}

#endif
