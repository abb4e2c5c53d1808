/* unit: which records are one person's, by the values of a column. */
#include "cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "Victim" -> "victim"; a title of several words is a heading and not what a person is called. */
static const char *noun_of(su_cli *cli, const su_field *f)
{
    const char *title = f->title ? f->title : "";
    if (!*title || strpbrk(title, " _/:") || strcmp(title, f->name) == 0) return "person";
    char *noun = su_arena_strndup(&cli->arena, title, strlen(title));
    noun[0] = (char)tolower((unsigned char)noun[0]);
    return noun;
}

/* Rows without a value get numbers of their own behind the others. */
static void number_rows(const uint32_t *value, uint64_t rows, uint32_t values, uint32_t *units)
{
    for (uint64_t r = 0; r < rows; r++) units[r] = value[r] ? value[r] : values++;
}

static su_status by_field(su_cli *cli, const su_release_job *job, int field, uint32_t *units)
{
    const su_field *f = &job->cases->schema->fields[field];
    const su_case_column *c = &job->cases->columns[field];
    uint64_t rows = job->cases->row_count;
    if (!c->provided) return su_fail(&cli->ctx, SU_REFUSED, "--unit %s: the mapping does not fill this column", f->name);
    if (c->sets) return su_fail(&cli->ctx, SU_USAGE, "--unit %s: a cell of this column can hold several values", f->name);
    uint32_t *value = su_alloc_array(rows, sizeof *value);
    for (uint64_t r = 0; r < rows; r++) value[r] = c->ids ? c->ids[r] : su_cell_is_value(su_case_cell(c, r)) ? su_case_cell(c, r) : 0;
    number_rows(value, rows, c->ids ? su_dict_count(c->texts) : (uint32_t)SU_CELL_FIRST_REASON, units);
    su_wipe(value, rows * sizeof *value);
    free(value);
    return SU_OK;
}

static su_status by_file(su_cli *cli, const su_release_job *job, int column, uint32_t *units)
{
    const su_raw_column *c = &job->raw->columns[column];
    const uint32_t *from = job->cases->source_rows;
    uint64_t rows = job->cases->row_count;
    uint32_t values = su_dict_count(c->values) + 1;
    uint32_t *value = su_alloc_array(rows, sizeof *value);
    su_status st = SU_OK;
    for (uint64_t r = 0; r < rows && !st; r++) {
        if (r && from[r] == from[r - 1])
            st = su_fail(&cli->ctx, SU_REFUSED,
                         "--unit %s: the mapping makes several people out of one row (rule weight), so a value of this column is not one "
                         "person",
                         c->name);
        uint32_t id = su_raw_id(c, from[r]);
        value[r] = su_str_trim(su_dict_get(c->values, id)).n ? id + 1 : 0;
    }
    number_rows(value, rows, values, units);
    su_wipe(value, rows * sizeof *value);
    free(value);
    return st;
}

su_status su_cli_units(su_cli *cli, const su_release_job *job, const uint32_t **units, const char **noun)
{
    const su_schema *s = job->cases->schema;
    int field = su_schema_field(s, su_str_of(job->unit));
    bool in_file = field < 0 && job->raw && job->cases->source_rows;
    int column = in_file ? su_raw_table_column(job->raw, su_str_of(job->unit)) : -1;
    if (field < 0 && column < 0)
        return su_fail(&cli->ctx, SU_USAGE, "--unit %s is no column of the schema %s%s", job->unit, s->name,
                       job->raw ? ", and not one column of the file" : "");
    uint32_t *out = su_arena_array(&cli->arena, job->cases->row_count, sizeof *out);
    *units = out;
    *noun = field >= 0 ? noun_of(cli, &s->fields[field]) : "person";
    return field >= 0 ? by_field(cli, job, field, out) : by_file(cli, job, column, out);
}
