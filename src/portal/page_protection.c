/* How it was protected: the river, the promise, the ledger, what was left out, how good the records are, and what an attacker learns. Every
 * figure here is computed from the released files: nothing is asked of case records, so nothing of it costs budget. */
#include "chart.h"
#include "page_parts.h"

#include <math.h>
#include <string.h>

/* ---- the river ---- */

static const char *const steps[][2] = {
    { T("Case records"), T("Organisations write down what happened to the people they help.") },
    { T("Sealed vault"), T("The records are encrypted, each organisation's with its own key. They stay there.") },
    { T("Noise"), T("People are counted once. Random noise is added to every count, empty ones too.") },
    { T("Release"), T("From the noisy counts alone: published counts with intervals, and synthetic records.") },
    { T("This site"), T("Reads the release. It has no key and no way to the vault.") },
};

static void put_river(su_page *p)
{
    put(p, "<div class=\"river\">\n<svg viewBox=\"0 0 1000 120\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">"
           "<path class=\"water\" d=\"M0 60C60 30 140 30 200 60S340 90 400 60S540 30 600 60S740 90 800 60S940 30 1000 60\"/>"
           "<path class=\"stream\" d=\"M0 60C60 30 140 30 200 60S340 90 400 60S540 30 600 60S740 90 800 60S940 30 1000 60\"/>"
           "<path class=\"wall\" d=\"M500 8V112\"/></svg>\n<ol>\n");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        su_buf_printf(p->b,
                      "<li class=\"%s\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\"><circle cx=\"12\" cy=\"12\" "
                      "r=\"9\"/></svg><strong>",
                      i < 2    ? "secret"
                      : i == 2 ? "noise"
                               : "open");
        su_say_with(p->b, p->l, steps[i][0], NULL);
        put(p, "</strong><p>");
        su_say_with(p->b, p->l, steps[i][1], NULL);
        put(p, "</p></li>\n");
    }
    put(p, "</ol>\n</div>\n");
}

/* ---- the promise ---- */

static void put_percent(su_page *p, double share)
{
    double percent = 100 * share;
    su_put_percent(p->b, p->l, percent, percent < 9.95 || percent > 99.05 ? 1 : 0);
}

static void put_suspicions(su_page *p, const su_view *v)
{
    static const double before[] = { 0.001, 0.01, 0.1, 0.5 };
    put(p, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"suspicion\">\n<table class=\"small\">\n<caption "
           "id=\"suspicion\">");
    say(p, "The worst case, for the best informed attacker");
    put(p, "</caption>\n<thead><tr><th scope=\"col\">");
    say(p, "Suspected before, that a person's record was used");
    put(p, "</th><th scope=\"col\">");
    say(p, "Believed afterwards, at most");
    put(p, "</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        put(p, "<tr><th scope=\"row\">");
        put_percent(p, before[i]);
        put(p, "</th><td>");
        put_percent(p, su_page_suspicion(before[i], v->odds));
        put(p, "</td></tr>\n");
    }
    put(p, "</tbody>\n</table>\n</div>\n");
}

static void put_promise(su_page *p)
{
    const su_view *v = p->shown->view;
    put(p, "<section aria-labelledby=\"promise\">\n<h2 id=\"promise\">");
    say(p, "What is promised");
    put(p, "</h2>\n<div class=\"columns\">\n<div class=\"prose\">\n");
    su_page_guarantee(p, v);
    if (v->bounded && isfinite(v->odds) && !v->stamp) {
        tag(p, "p",
            "In numbers: epsilon is {epsilon} and delta is one in {n}, for one person's record. The noise was drawn from the computer's "
            "random source before anything was counted.",
            SU_PREAL("epsilon", v->epsilon), SU_PCOUNT("n", 1 / v->delta));
        if (v->unit)
            tag(p, "p", "The promise is for all records together of: {unit}.", SU_PTEXT("unit", v->unit));
        else
            tag(p, "p",
                "The promise is per record. A person who stands in the records of two organisations, or in two years, is protected less.");
    }
    put(p, "<p>");
    say(p, "The full wording, with the noise of every table: {a}protection report{/a} (in English).",
        SU_PHTML("a", su_page_anchor(p, su_page_address(p, p->shown, "protection/report.html"))), SU_PHTML("/a", "</a>"));
    put(p, "</p>\n</div>\n<div>\n");
    if (v->bounded && isfinite(v->odds) && !v->stamp) put_suspicions(p, v);
    put(p, "</div>\n</div>\n</section>\n");
}

/* ---- the ledger ---- */

static void put_row(su_page *p, const char *english, const char *html)
{
    put(p, "<tr><th scope=\"row\">");
    su_say_with(p->b, p->l, english, NULL);
    put(p, "</th><td>");
    put(p, html);
    put(p, "</td></tr>\n");
}

static const char *real_text(su_page *p, double x)
{
    su_buf b = { 0 };
    su_put_real(&b, p->l, x);
    const char *out = su_arena_strndup(p->arena, b.p, b.n);
    su_buf_free(&b);
    return out;
}

static const char *one_in(su_page *p, double delta)
{
    su_buf b = { 0 };
    if (!isfinite(delta) || delta <= 0) return su_tr(p->l, "not stated");
    su_say(&b, p->l, "one in {n}", SU_PCOUNT("n", 1 / delta));
    const char *out = su_arena_strndup(p->arena, b.p, b.n);
    su_buf_free(&b);
    return out;
}

static void put_ledger(su_page *p)
{
    const su_view *v = p->shown->view;
    put(p, "<section aria-labelledby=\"ledger\">\n<h2 id=\"ledger\">");
    say(p, "The public side of the ledger");
    put(p, "</h2>\n<p>");
    say(p, "Losses of several releases about the same people add up. The whole ledger is in the vault; this is what it says about this "
           "release.");
    put(p, "</p>\n<table class=\"facts\">\n<tbody>\n");
    put_row(p, T("Epsilon of this release"), real_text(p, v->bounded ? v->epsilon : NAN));
    put_row(p, T("Releases about these people before it"),
            real_text(p, isfinite(v->population_epsilon) ? (double)v->releases_before : NAN));
    put_row(p, T("Epsilon of all of them together"), real_text(p, v->population_epsilon));
    put_row(p, T("Delta of all of them together"), one_in(p, v->population_delta));
    put(p, "</tbody>\n</table>\n</section>\n");
}

/* ---- what was left out ---- */

static void put_levels(su_page *p, const su_view *v)
{
    static const char *const heads[] = { T("attributes together"), T("published"), T("not told from the noise"), T("fewer than K") };
    put(p, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"levels\">\n<table class=\"small\">\n<caption "
           "id=\"levels\">");
    say(p, "Combinations of attributes");
    put(p, "</caption>\n<thead><tr>");
    for (size_t i = 0; i < 4; i++) {
        put(p, i ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        su_say_with(p->b, p->l, heads[i], NULL);
        put(p, "</th>");
    }
    put(p, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < v->level_count; i++) {
        double cells[] = { (double)v->levels[i].published, (double)v->levels[i].gated, (double)v->levels[i].below_k };
        su_buf_printf(p->b, "<tr><th scope=\"row\">%u</th>", v->levels[i].length);
        for (size_t k = 0; k < 3; k++) {
            put(p, "<td class=\"n\">");
            su_put_count(p->b, p->l, cells[k]);
            put(p, "</td>");
        }
        put(p, "</tr>\n");
    }
    put(p, "</tbody>\n</table>\n</div>\n");
}

static void put_silent(su_page *p, const su_view *v)
{
    put(p, "<details class=\"card\">\n<summary>");
    say(p, "Values of the public lists without a published count");
    put(p, "</summary>\n<dl class=\"silent\">\n");
    for (size_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        if (!f->provided || f->kind == SU_VIEW_OTHER || f->published >= f->value_count) continue;
        put(p, "<div><dt>");
        su_page_text(p, su_figure_title(p, f));
        put(p, "</dt><dd>");
        say(p, "{n} of {all}", SU_PCOUNT("n", f->value_count - f->published), SU_PCOUNT("all", f->value_count));
        put(p, "</dd></div>\n");
    }
    put(p, "</dl>\n</details>\n");
}

static void put_left_out(su_page *p)
{
    const su_view *v = p->shown->view;
    put(p, "<section aria-labelledby=\"hidden\">\n<h2 id=\"hidden\">");
    say(p, "What was left out on purpose");
    put(p, "</h2>\n<ul class=\"prose\">\n");
    tag(p, "li", "Names, contacts, record numbers and free text are not in it.");
    tag(p, "li", "The exact number of case records is not in it: the number shown is an estimate.");
    tag(p, "li",
        "Combinations that cannot be told from the noise are not printed. A combination that is missing is not a combination that does "
        "not exist.");
    if (v->left_out_count)
        tag(p, "li",
            "Combinations of columns that were not counted together, because their tables are too large: {n}. This was decided by size "
            "alone, before any record was read.",
            SU_PCOUNT("n", v->left_out_count));
    put(p, "</ul>\n");
    if (v->level_count) put_levels(p, v);
    put_silent(p, v);
    put(p, "</section>\n");
}

/* ---- how close the synthetic records are ---- */

/* Published counts of single values: how many have the synthetic records' count inside their interval. */
static void compare(su_page *p, size_t *inside, size_t *all)
{
    const su_view *v = p->shown->view;
    *inside = *all = 0;
    for (uint32_t i = 0; p->shown->cube && i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        for (uint32_t k = 0; f->provided && f->kind != SU_VIEW_OTHER && k < f->value_count; k++) {
            const su_view_value *x = &f->values[k];
            double records = su_cube_value_records(p->shown->cube, i, k);
            if (!x->published || !isfinite(x->n.low) || !isfinite(x->n.high) || !isfinite(records)) continue;
            ++*all;
            *inside += records >= floor(x->n.low) && records <= ceil(x->n.high);
        }
    }
}

static void put_quality(su_page *p)
{
    size_t inside, all;
    compare(p, &inside, &all);
    if (!all) return;
    put(p, "<section aria-labelledby=\"quality\">\n<h2 id=\"quality\">");
    say(p, "How good the synthetic records are");
    put(p, "</h2>\n<p>");
    say(p,
        "Of {all} published counts of single values, {inside} have the count of the synthetic records inside their interval. This "
        "compares published files with each other, so it costs no privacy. How far they are from the case records was not published.",
        SU_PCOUNT("all", all), SU_PCOUNT("inside", inside));
    put(p, "</p>\n</section>\n");
}

/* ---- what an attacker learns ---- */

static const char *const questions[][2] = {
    { T("Somebody knows that a person was assisted, and looks for them in the synthetic records."),
      T("They find rows, perhaps one that fits. It belongs to nobody: such rows are made from counts. That one is there, or not there, "
        "tells them next to nothing.") },
    { T("Somebody knows everything about a person except one thing, and everything about all others."),
      T("Even then the noise stands between them and that one thing. Their odds can change by the factor of the promise at most, and "
        "usually far less.") },
    { T("Somebody asks the same question again and again."), T("They get the same answer each time. The noise was added once, before "
                                                               "publication; asking this site costs nothing and tells nothing new.") },
    { T("Somebody subtracts one table from another."),
      T("All tables come from the same noisy counts. A difference of two of them is a noisy number too.") },
    { T("Somebody compares this release with the one before."), T("Each release tells a little more, and the losses add up. The ledger "
                                                                  "counts them and refuses a release when the budget is used up.") },
    { T("Somebody breaks into this site."), T("They find what is already public. There is no key and no case record on it.") },
};

static void put_attacker(su_page *p)
{
    static const char *const limits[] = {
        T("What is common among many people is shown on purpose. Such a conclusion can be drawn about somebody whether or not their "
          "record was used, and it can harm a group."),
        T("What somebody knows from elsewhere, they keep knowing."),
        T("A person with several records is protected less."),
        T("Noise does not correct mistakes in the records."),
    };
    put(p, "<section aria-labelledby=\"attacker\">\n<h2 id=\"attacker\">");
    say(p, "What an attacker learns");
    put(p, "</h2>\n<dl class=\"questions\">\n");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        put(p, "<div><dt>");
        su_say_with(p->b, p->l, questions[i][0], NULL);
        put(p, "</dt><dd>");
        su_say_with(p->b, p->l, questions[i][1], NULL);
        put(p, "</dd></div>\n");
    }
    put(p, "</dl>\n<h3>");
    say(p, "What this does not protect");
    put(p, "</h3>\n<ul class=\"prose\">\n");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) su_page_tag(p, "li", limits[i], NULL);
    put(p, "</ul>\n</section>\n");
}

void su_page_protection(su_page *p)
{
    const su_view *v = p->shown->view;
    su_page_open(p,
                 &(su_page_head) { .title = su_tr(p->l, "How people are protected"), .here = su_page_address(p, p->shown, "protection") });
    put(p, "<div class=\"hero\">\n<h1>");
    say(p, "How people are protected");
    put(p, "</h1>\n<p class=\"lead\">");
    say(p, "Data about trafficked people can harm them if they are recognised in it. This is how this release was made, what it "
           "promises, and what it cannot promise.");
    put(p, "</p>\n</div>\n");
    put_river(p);
    put_promise(p);
    put_ledger(p);
    put_left_out(p);
    put_quality(p);
    if (v->bounded && !v->stamp) put_attacker(p);
    su_page_close(p);
}
