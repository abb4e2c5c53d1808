/* What a page says to machines: schema.org DataCatalog and Dataset; the dataset is also a Croissant 1.0 description
 * (http://mlcommons.org/croissant/1.0) of the synthetic records. Addresses are relative: the server does not know its public name. */
#include "page_parts.h"

#include <string.h>

/* Inside a script element no text may hold what ends it or begins a comment. */
static const char *escaped(su_page *p, su_buf *json)
{
    su_buf b = { 0 };
    for (size_t i = 0; i < json->n; i++) {
        unsigned char c = (unsigned char)json->p[i];
        if (c == '<' || c == '>' || c == '&')
            su_buf_printf(&b, "\\u%04x", c);
        else
            su_buf_char(&b, (char)c);
    }
    const char *out = su_arena_strndup(p->arena, b.p, b.n);
    su_buf_free(&b);
    su_buf_free(json);
    return out;
}

static void put_context(su_json *j)
{
    static const char *const terms[][2] = {
        { "@vocab", "https://schema.org/" },
        { "sc", "https://schema.org/" },
        { "cr", "http://mlcommons.org/croissant/" },
        { "dct", "http://purl.org/dc/terms/" },
        { "conformsTo", "dct:conformsTo" },
        { "recordSet", "cr:recordSet" },
        { "field", "cr:field" },
        { "source", "cr:source" },
        { "fileObject", "cr:fileObject" },
        { "extract", "cr:extract" },
        { "column", "cr:column" },
    };
    su_json_key(j, "@context");
    su_json_object(j);
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) su_json_kv_text(j, terms[i][0], terms[i][1]);
    su_json_key(j, "dataType");
    su_json_object(j);
    su_json_kv_text(j, "@id", "cr:dataType");
    su_json_kv_text(j, "@type", "@vocab");
    su_json_end(j);
    su_json_end(j);
}

static const char *format_of(const char *path)
{
    static const char *const list[][2] = {
        { ".csv", "text/csv" }, { ".json", "application/json" }, { ".html", "text/html" }, { ".md", "text/markdown" }
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof list / sizeof *list; i++)
        if (strcmp(dot, list[i][0]) == 0) return list[i][1];
    return "text/plain";
}

static void put_files(su_page *p, su_json *j)
{
    const su_folder *folder = p->shown->folder;
    su_json_key(j, "distribution");
    su_json_array(j);
    for (size_t i = 0; i < folder->count; i++) {
        const su_folder_file *f = &folder->files[i];
        su_json_object(j);
        su_json_kv_text(j, "@type", "cr:FileObject");
        su_json_kv_text(j, "@id", f->path);
        su_json_kv_text(j, "name", f->path);
        su_json_kv_text(j, "contentUrl", su_page_address(p, p->shown, f->path));
        su_json_kv_text(j, "encodingFormat", format_of(f->path));
        su_json_kv_text(j, "contentSize", su_arena_printf(p->arena, "%zu B", f->bytes.n));
        su_json_kv_text(j, "sha256", f->sha256);
        su_json_end(j);
    }
    su_json_end(j);
}

static void put_records(su_page *p, su_json *j)
{
    const su_view *v = p->shown->view;
    if (!su_folder_find(p->shown->folder, "data/microdata.csv")) return;
    su_json_key(j, "recordSet");
    su_json_array(j);
    su_json_object(j);
    su_json_kv_text(j, "@type", "cr:RecordSet");
    su_json_kv_text(j, "@id", "synthetic-records");
    su_json_kv_text(j, "name", "synthetic-records");
    su_json_kv_text(j, "description", "Synthetic records: rows that belong to nobody");
    su_json_key(j, "field");
    su_json_array(j);
    for (size_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        su_json_object(j);
        su_json_kv_text(j, "@type", "cr:Field");
        su_json_kv_text(j, "@id", su_arena_printf(p->arena, "synthetic-records/%s", f->name));
        su_json_kv_text(j, "name", f->name);
        su_json_kv_text(j, "description", f->title);
        su_json_kv_text(j, "dataType", "sc:Text");
        su_json_key(j, "source");
        su_json_object(j);
        su_json_key(j, "fileObject");
        su_json_object(j);
        su_json_kv_text(j, "@id", "data/microdata.csv");
        su_json_end(j);
        su_json_key(j, "extract");
        su_json_object(j);
        su_json_kv_text(j, "column", f->name);
        su_json_end(j);
        su_json_end(j);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_end(j);
    su_json_end(j);
}

static void put_organisation(su_json *j, const char *key, const char *name)
{
    su_json_key(j, key);
    su_json_object(j);
    su_json_kv_text(j, "@type", "Organization");
    su_json_kv_text(j, "name", name);
    su_json_end(j);
}

static void put_dataset(su_page *p, su_json *j)
{
    const su_view *v = p->shown->view;
    const char *first, *last;
    su_json_kv_text(j, "@type", "Dataset");
    su_json_kv_text(j, "@id", su_page_address(p, p->shown, ""));
    su_json_kv_text(j, "conformsTo", "http://mlcommons.org/croissant/1.0");
    su_json_kv_text(j, "name", v->title);
    su_json_kv_text(j, "description", v->description[0] ? v->description : v->title);
    su_json_kv_text(j, "url", su_page_address(p, p->shown, ""));
    su_json_kv_text(j, "version", v->version);
    if (v->created[0]) su_json_kv_text(j, "datePublished", v->created);
    if (v->licence_url) su_json_kv_text(j, "license", v->licence_url);
    if (v->publisher) {
        put_organisation(j, "publisher", v->publisher);
        put_organisation(j, "creator", v->publisher);
    }
    if (su_page_period(v, &first, &last)) su_json_kv_text(j, "temporalCoverage", su_arena_printf(p->arena, "%s/%s", first, last));
    su_json_kv_bool(j, "isAccessibleForFree", true);
    su_json_key(j, "keywords");
    su_json_array(j);
    su_json_text(j, "human trafficking");
    su_json_text(j, "synthetic data");
    if (v->bounded) su_json_text(j, "differential privacy");
    su_json_end(j);
}

const char *su_jsonld_dataset(su_page *p)
{
    su_buf b = { 0 };
    su_json j;
    su_json_init(&j, &b);
    j.compact = true;
    su_json_object(&j);
    put_context(&j);
    put_dataset(p, &j);
    put_files(p, &j);
    put_records(p, &j);
    su_json_end(&j);
    return escaped(p, &b);
}

const char *su_jsonld_catalogue(su_page *p)
{
    const su_shown **list = su_page_newest(p);
    su_buf b = { 0 };
    su_json j;
    su_json_init(&j, &b);
    j.compact = true;
    su_json_object(&j);
    su_json_kv_text(&j, "@context", "https://schema.org/");
    su_json_kv_text(&j, "@type", "DataCatalog");
    su_json_kv_text(&j, "name", "Open data on human trafficking");
    su_json_kv_text(&j, "url", "/");
    su_json_key(&j, "dataset");
    su_json_array(&j);
    for (size_t i = 0; i < p->site->count; i++) {
        su_json_object(&j);
        su_json_kv_text(&j, "@type", "Dataset");
        su_json_kv_text(&j, "name", list[i]->view->title);
        su_json_kv_text(&j, "description", list[i]->view->description[0] ? list[i]->view->description : list[i]->view->title);
        su_json_kv_text(&j, "url", su_page_address(p, list[i], ""));
        if (list[i]->view->licence_url) su_json_kv_text(&j, "license", list[i]->view->licence_url);
        su_json_end(&j);
    }
    su_json_end(&j);
    su_json_end(&j);
    return escaped(p, &b);
}
