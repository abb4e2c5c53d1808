/* What is wrong with the lists, before anything is fitted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/panel.h"

enum { FEW_ON_LIST = 5 };

/* People on list i, on it alone, and on both i and j. */
static int64_t people_on(const su_overlaps *o, size_t mask)
{
    int64_t sum = 0;
    for (size_t w = 1; w < o->cells; w++)
        if ((w & mask) == mask) sum += o->counts[w];
    return sum;
}

static int64_t on_both(const su_overlaps *o, unsigned i, unsigned j) { return people_on(o, (size_t)1 << i | (size_t)1 << j); }

/* The first list that cannot be used, and why. */
static bool flawed(const su_overlaps *o, unsigned *list, const char **code, char why[512])
{
    for (unsigned i = 0; i < o->lists; i++) {
        int64_t people = people_on(o, (size_t)1 << i);
        *list = i;
        if (people == 0) {
            *code = "W_MSE_EMPTY_LIST";
            snprintf(why, 512, "list %s has nobody on it", o->names[i]);
            return true;
        }
        if (people == o->n && o->lists > 1) {
            *code = "W_MSE_FULL_LIST";
            snprintf(why, 512, "everybody who was seen is on list %s, so the other lists say nothing about people it missed", o->names[i]);
            return true;
        }
    }
    for (unsigned i = 0; i < o->lists; i++) {
        for (unsigned j = 0; j < o->lists; j++) {
            int64_t mine = people_on(o, (size_t)1 << i), other = people_on(o, (size_t)1 << j);
            if (i == j || on_both(o, i, j) != mine || (mine == other && i < j)) continue;
            *list = i;
            *code = mine == other ? "W_MSE_DUPLICATE_LIST" : "W_MSE_NESTED_LIST";
            snprintf(why, 512, mine == other ? "lists %s and %s hold the same people" : "everybody on list %s is on list %s too",
                     o->names[mine == other ? j : i], o->names[mine == other ? i : j]);
            return true;
        }
    }
    return false;
}

static su_overlaps *copy_of(const su_overlaps *o)
{
    su_overlaps *out = NULL;
    su_status st = su_overlaps_new(NULL, o->lists, (const char *const *)o->names, o->counts, &out);
    return st ? NULL : out;
}

static su_overlaps *without_flawed(const su_overlaps *o, bool keep, su_result *r)
{
    su_overlaps *now = copy_of(o);
    unsigned list = 0;
    const char *code = NULL;
    char why[512];
    while (now->lists > 1 && flawed(now, &list, &code, why)) {
        if (keep) {
            su_result_warn(r, code, "%s. It was kept because you asked for it; expect estimates that do not exist or mean little.", why);
            break;
        }
        su_result_warn(r, code, "%s. List %s is left out, with the people who are on no other list.", why, now->names[list]);
        su_overlaps *less = su_overlaps_without(now, list);
        su_overlaps_free(now);
        now = less;
    }
    return now;
}

static void list_table(const su_overlaps *o, su_result *r)
{
    su_result_table *t = su_result_table_add(r, "lists", "Lists");
    su_result_column(t, "list", "list", SU_COLUMN_TEXT);
    su_result_column(t, "number", "number in models", SU_COLUMN_INTEGER);
    su_result_column(t, "people", "people", SU_COLUMN_INTEGER);
    su_result_column(t, "only_here", "on no other list", SU_COLUMN_INTEGER);
    su_result_column(t, "share_only_here", "share on no other list", SU_COLUMN_PERCENT);
    for (unsigned i = 0; i < o->lists; i++) {
        int64_t people = people_on(o, (size_t)1 << i), only = o->counts[(size_t)1 << i];
        su_result_text(t, o->names[i]);
        su_result_integer(t, i + 1);
        su_result_integer(t, people);
        su_result_integer(t, only);
        su_result_number(t, people ? (double)only / (double)people : NAN);
        if (people && people < FEW_ON_LIST)
            su_result_warn(r, "W_MSE_SMALL_LIST", "list %s has %lld people; so few can move every estimate. See the estimates without it.",
                           o->names[i], (long long)people);
        if (people && only == people && o->lists > 1)
            su_result_warn(r, "W_MSE_ISOLATED_LIST",
                           "nobody on list %s is on another list. It reaches other people, or records were not matched with it.",
                           o->names[i]);
    }
}

/* Expected: what independent rates of the two lists within the people seen by the main-effects model would give. */
static void pair_table(const su_overlaps *o, su_result *r)
{
    su_mse_lattice l;
    su_model m = su_model_main(o->lists);
    su_mse_lattice_init(&l, o->lists);
    su_mse_lattice_set_integers(&l, o->counts);
    su_fit f = su_fit_full(&l, &m);
    su_result_table *t =
        su_result_table_add(r, "pairs", "Pairs of lists: people on both, and how many there would be if all lists were independent");
    su_result_column(t, "pair", "pair", SU_COLUMN_TEXT);
    su_result_column(t, "names", "lists", SU_COLUMN_TEXT);
    su_result_column(t, "both", "on both", SU_COLUMN_INTEGER);
    su_result_column(t, "expected", "if independent", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    unsigned pairs = 0, empty = 0;
    for (unsigned i = 0; i < o->lists; i++) {
        for (unsigned j = i + 1; j < o->lists; j++) {
            unsigned term = 1u << i | 1u << j;
            char number[16], names[256];
            su_term_print(term, o->lists, number, sizeof number);
            su_term_names(o, term, names, sizeof names);
            double expected = f.code ? NAN : l.sum[term];
            su_result_text(t, number);
            su_result_text(t, names);
            su_result_integer(t, on_both(o, i, j));
            su_result_number(t, expected);
            su_result_number(t, isnan(expected) ? NAN : su_overlap_p(l.overlap[term], expected));
            pairs++;
            empty += on_both(o, i, j) == 0;
        }
    }
    if (2 * empty > pairs)
        su_result_warn(r, "W_MSE_EMPTY_PAIRS",
                       "%u of %u pairs of lists have nobody on both. Estimates rest on few overlaps; check first that people who are on "
                       "two lists were "
                       "matched.",
                       empty, pairs);
    su_mse_lattice_free(&l);
}

static void overlap_table(const su_overlaps *o, su_result *r)
{
    su_result_table *t = su_result_table_add(r, "overlaps", "Overlap table (combinations that are not listed have nobody)");
    size_t shown = 0;
    su_result_column(t, "lists", "on exactly these lists", SU_COLUMN_TEXT);
    su_result_column(t, "people", "people", SU_COLUMN_INTEGER);
    for (unsigned size = 1; size <= o->lists; size++) {
        for (size_t w = 1; w < o->cells; w++) {
            char names[512];
            if ((unsigned)__builtin_popcountll(w) != size || !o->counts[w]) continue;
            su_term_names(o, (unsigned)w, names, sizeof names);
            su_result_text(t, names);
            su_result_integer(t, o->counts[w]);
            shown++;
        }
    }
    su_result_fact(r, "histories", "combinations of lists seen", (double)shown);
}

su_status su_mse_check(su_context *ctx, const su_overlaps *o, bool keep, su_result *r, su_overlaps **out)
{
    int64_t shared = 0;
    *out = NULL;
    if (o->n == 0) return su_fail(ctx, SU_REFUSED, "there are no people in the table.");
    if (o->lists < 2)
        return su_fail(ctx, SU_REFUSED,
                       "one list alone (%s) says nothing about the people it missed; at least two lists are needed, better four or more.",
                       o->names[0]);
    for (size_t w = 1; w < o->cells; w++)
        if (__builtin_popcountll(w) > 1) shared += o->counts[w];
    if (!shared)
        return su_fail(
            ctx, SU_REFUSED,
            "nobody is on two lists, so nothing can be said about the people on none. Were the lists matched against each other?");
    su_overlaps *used = without_flawed(o, keep, r);
    if (used->lists < 2) {
        su_status st = su_fail(
            ctx, SU_REFUSED,
            "after leaving out lists that are empty, full, duplicate or nested in another, fewer than two lists are left, and one list "
            "says nothing about the people it missed.");
        su_overlaps_free(used);
        return st;
    }
    su_result_fact(r, "n", "people on at least one list", (double)used->n);
    su_result_fact(r, "lists", "lists used", used->lists);
    shared = 0;
    for (size_t w = 1; w < used->cells; w++)
        if (__builtin_popcountll(w) > 1) shared += used->counts[w];
    su_result_fact(r, "n_effective", "people on two lists or more (what estimates rest on)", (double)shared);
    overlap_table(used, r);
    list_table(used, r);
    pair_table(used, r);
    *out = used;
    return SU_OK;
}
