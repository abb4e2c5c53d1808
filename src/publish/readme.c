/* README.md, CITATION.cff and, where the guarantee does not hold, NOT-PRIVATE.txt. */
#include "publication.h"

static void paragraphs(su_buf *b, const char *lead, const su_words *w, const char *after)
{
    for (size_t i = 0; i < w->count; i++) {
        su_buf_text(b, lead);
        su_buf_md(b, w->text[i]);
        su_buf_text(b, after);
    }
}

void su_emit_readme(const su_publication *p, su_buf *b)
{
    su_buf_text(b, "# ");
    if (p->stamp) su_buf_printf(b, "%s: ", p->stamp);
    su_buf_md(b, p->title);
    su_buf_text(b, "\n\n");
    su_md_warning(p, b);
    if (p->schema->description && p->schema->description[0]) {
        su_buf_md(b, p->schema->description);
        su_buf_text(b, "\n\n");
    }
    bool intervals = su_has_intervals(p), real = p->r->options.mechanism == SU_MECHANISM_ROW_SEEDED;
    su_buf_printf(b, "Version %s, %s.\n\n## What is here\n\n", p->version, p->created);
    su_buf_printf(b,
                  "| file | what |\n|---|---|\n"
                  "| `data/aggregates.csv` | protected counts of combinations%s: use these for numbers you quote |\n"
                  "| `data/microdata.csv` | synthetic records: %s, for cross tables and models |\n",
                  intervals ? ", with 95 % intervals" : "", real ? "many are parts of true records" : "nobody's rows");
    su_buf_text(b, "| `codebook.html`, `codebook.md` | every field, code and rule |\n"
                   "| `codelists/` | the complete public lists, also the codes that do not occur |\n"
                   "| `protection/report.html`, `report.json` | what was promised to the people in the data, and what was not |\n"
                   "| `datapackage.json` | the same for machines (Frictionless Data Package v2) |\n"
                   "| `SHA256SUMS` | check the files: `sha256sum -c SHA256SUMS` |\n\n"
                   "## How to read the numbers\n\n"
                   "- All files are UTF-8 CSV with commas and one header line. `length` in the counts is the number of columns combined; "
                   "`combination` is `column=code;column=code`, where "
                   "`\\;`, `\\=` and `\\\\` stand for the characters themselves.\n"
                   "- A code that a spreadsheet would run as a formula is printed with a leading apostrophe.\n");
    if (p->bounded)
        su_buf_text(b, "- Counts carry noise: small ones are relatively less certain. ");
    else
        su_buf_text(b, "- Counts are rounded down to a multiple of K: small ones are relatively less certain. ");
    if (intervals)
        su_buf_text(b, "The interval says how much. A combination that is not listed is not a zero.\n"
                       "- The interval holds for each count by itself, before the gate chose which to print. Among counts that only just "
                       "passed the gate more than 5 in 100 are too high.\n");
    else
        su_buf_text(b, "No intervals are given: `ci_low` and `ci_high` are empty. A combination that is not listed is not a zero.\n");
    su_buf_text(b, "- Percentages within a question group: divide by the records with at least one yes in that group (see the codebook).\n"
                   "- Do not try to find persons in the synthetic records.\n\n"
                   "## What was promised\n\n");
    paragraphs(b, "", &p->promise, "\n\n");
    su_buf_text(b, "## What this does not protect\n\n");
    paragraphs(b, "- ", &p->limits, "\n");
    su_buf_text(b, "\n## What is missing on purpose\n\n");
    paragraphs(b, "- ", &p->absent, "\n");
    su_buf_text(b, "\n## Terms and citation\n\nTerms: ");
    su_buf_md(b, p->licence_title);
    if (p->licence_url) su_buf_printf(b, " (%s)", p->licence_url);
    su_buf_text(b, ". Please cite:\n\n> ");
    su_buf_md(b, su_citation(p));
    su_buf_text(b, "\n\nNo endorsement by any organisation is implied.\n");
}

void su_emit_citation(const su_publication *p, su_buf *b)
{
    const char *title = p->stamp ? su_arena_printf(p->arena, "%s: %s", p->stamp, p->title) : p->title;
    su_buf_text(b, "cff-version: 1.2.0\nmessage: \"If you use these data, please cite them as below.\"\ntype: dataset\n");
    su_buf_printf(b, "title: %s\n", su_json_quoted(p->arena, title));
    if (p->schema->description && p->schema->description[0])
        su_buf_printf(b, "abstract: %s\n", su_json_quoted(p->arena, p->schema->description));
    su_buf_printf(b, "authors:\n  - name: %s\n", su_json_quoted(p->arena, p->publisher ? p->publisher : "Publisher not named"));
    su_buf_printf(b, "version: %s\ndate-released: \"%s\"\nlicense: \"%s\"\n", su_json_quoted(p->arena, p->version), p->day, p->licence);
    su_buf_printf(b, "keywords:\n  - \"human trafficking\"\n  - \"%s\"\n  - \"synthetic data\"\n",
                  p->bounded ? "differential privacy" : "k-anonymity");
}

void su_emit_notice(const su_publication *p, su_buf *b)
{
    su_buf_printf(b, "%s\n\n", p->stamp);
    for (size_t i = 0; i < p->warning.count; i++) su_buf_printf(b, "%s\n\n", p->warning.text[i]);
}
