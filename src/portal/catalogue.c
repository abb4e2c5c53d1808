/* The catalogue as DCAT-AP 3.0 in JSON-LD. Addresses are relative: a reader resolves them against where the catalogue was found. */
#include "api.h"
#include "page_parts.h"

#include <math.h>
#include <string.h>

static void put_typed(su_json *j, const char *key, const char *type, const char *value)
{
    su_json_key(j, key);
    su_json_object(j);
    su_json_kv_text(j, "@type", type);
    su_json_kv_text(j, "@value", value);
    su_json_end(j);
}

static void put_reference(su_json *j, const char *key, const char *id)
{
    su_json_key(j, key);
    su_json_object(j);
    su_json_kv_text(j, "@id", id);
    su_json_end(j);
}

static void put_publisher(su_json *j, const char *name)
{
    su_json_key(j, "dct:publisher");
    su_json_object(j);
    su_json_kv_text(j, "@type", "foaf:Agent");
    su_json_kv_text(j, "foaf:name", name ? name : "Publisher not named");
    su_json_end(j);
}

static void put_distribution(su_json *j, const su_shown *s, const su_folder_file *f)
{
    char address[400];
    size_t plain = strcspn(su_folder_media_type(f->path), ";");
    const char *purpose = su_folder_purpose(f->path);
    snprintf(address, sizeof address, "/api/v1/releases/%s/files/%s", s->name, f->path);
    su_json_object(j);
    su_json_kv_text(j, "@type", "dcat:Distribution");
    su_json_kv_text(j, "@id", address);
    su_json_kv_text(j, "dct:title", f->path);
    if (purpose) su_json_kv_text(j, "dct:description", purpose);
    put_reference(j, "dcat:accessURL", address);
    put_reference(j, "dcat:downloadURL", address);
    su_json_key(j, "dcat:mediaType");
    su_json_str(j, (su_str) { su_folder_media_type(f->path), plain });
    su_json_kv_int(j, "dcat:byteSize", (int64_t)f->bytes.n);
    if (s->view->licence_url) put_reference(j, "dct:license", s->view->licence_url);
    su_json_key(j, "spdx:checksum");
    su_json_object(j);
    su_json_kv_text(j, "@type", "spdx:Checksum");
    put_reference(j, "spdx:algorithm", "spdx:checksumAlgorithm_sha256");
    su_json_kv_text(j, "spdx:checksumValue", f->sha256);
    su_json_end(j);
    su_json_end(j);
}

static void put_dataset(su_json *j, const su_site *site, size_t at)
{
    const su_shown *s = &site->shown[at];
    const su_view *v = s->view;
    const char *from, *to;
    char address[200];
    snprintf(address, sizeof address, "/r/%s/", s->name);
    su_json_object(j);
    su_json_kv_text(j, "@type", "dcat:Dataset");
    su_json_kv_text(j, "@id", address);
    su_json_kv_text(j, "dct:identifier", s->name);
    su_json_kv_text(j, "dct:title", v->title);
    su_json_kv_text(j, "dct:description", v->description[0] ? v->description : v->title);
    if (v->stamp) su_json_kv_text(j, "rdfs:comment", v->stamp);
    su_json_kv_text(j, "dcat:version", v->version);
    if (v->created[0]) put_typed(j, "dct:issued", "xsd:dateTime", v->created);
    put_publisher(j, v->publisher);
    put_reference(j, "dcat:landingPage", address);
    int earlier = su_release_superseded(site, at);
    if (earlier >= 0) {
        snprintf(address, sizeof address, "/r/%s/", site->shown[earlier].name);
        put_reference(j, "dct:replaces", address);
    }
    if (su_page_period(v, &from, &to)) {
        su_json_key(j, "dct:temporal");
        su_json_object(j);
        su_json_kv_text(j, "@type", "dct:PeriodOfTime");
        put_typed(j, "dcat:startDate", "xsd:gYear", from);
        put_typed(j, "dcat:endDate", "xsd:gYear", to);
        su_json_end(j);
    }
    su_json_key(j, "dcat:keyword");
    su_json_array(j);
    su_json_text(j, "human trafficking");
    su_json_text(j, v->bounded ? "differential privacy" : "k-anonymity");
    su_json_text(j, "synthetic data");
    su_json_end(j);
    su_json_key(j, "dcat:distribution");
    su_json_array(j);
    for (size_t i = 0; i < s->folder->count; i++) put_distribution(j, s, &s->folder->files[i]);
    su_json_end(j);
    su_json_end(j);
}

void su_catalogue(const su_site *site, su_buf *out)
{
    static const char *const prefixes[][2] = {
        { "dcat", "http://www.w3.org/ns/dcat#" },       { "dct", "http://purl.org/dc/terms/" },
        { "foaf", "http://xmlns.com/foaf/0.1/" },       { "spdx", "http://spdx.org/rdf/terms#" },
        { "xsd", "http://www.w3.org/2001/XMLSchema#" }, { "rdfs", "http://www.w3.org/2000/01/rdf-schema#" },
    };
    su_json writer, *j = &writer;
    su_json_init(j, out);
    j->compact = true;
    su_json_object(j);
    su_json_key(j, "@context");
    su_json_object(j);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) su_json_kv_text(j, prefixes[i][0], prefixes[i][1]);
    su_json_end(j);
    su_json_kv_text(j, "@type", "dcat:Catalog");
    su_json_kv_text(j, "@id", "/");
    su_json_kv_text(j, "dct:title", "Open data on human trafficking");
    su_json_kv_text(j, "dct:description",
                    "Protected releases: counts with intervals, synthetic records, and what was promised to the people in them.");
    put_publisher(j, site->count ? site->shown[0].view->publisher : NULL);
    su_json_key(j, "dcat:dataset");
    su_json_array(j);
    for (size_t i = 0; i < site->count; i++) put_dataset(j, site, i);
    su_json_end(j);
    su_json_end(j);
}
