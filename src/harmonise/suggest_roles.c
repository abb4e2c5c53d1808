/* Columns that fill no field but say what a row is: how many people it counts, or which record it is. */
#include <string.h>

#include "suggest.h"

static const char *const personal_words[] = {
    "name",      "names",      "surname",       "firstname",   "lastname",  "nom",       "noms",       "prenom",      "prénom",
    "prénoms",   "nombre",     "nombres",       "apellido",    "apellidos", "phone",     "tel",        "telephone",   "téléphone",
    "telefono",  "teléfono",   "mobile",        "portable",    "email",     "mail",      "courriel",   "correo",      "address",
    "adresse",   "dirección",  "direccion",     "passport",    "passeport", "pasaporte", "dob",        "birthdate",   "birth",
    "naissance", "nacimiento", "narrative",     "notes",       "note",      "comment",   "comments",   "commentaire", "comentarios",
    "remarks",   "remarques",  "observaciones", "description", "details",   "story",     "caseworker", "اسم",         "الاسم",
    "هاتف",      "الهاتف",     "العنوان",
};
static const char *const record_words[] = {
    "id",     "ids",    "no",         "nr",   "num",  "number",   "ref",        "reference",   "référence",     "case",
    "record", "code",   "dossier",    "file", "uuid", "key",      "identifier", "identifiant", "identificador", "numéro",
    "numero", "número", "expediente", "caso", "cas",  "instance", "رقم",        "معرف",        "المعرف",
};
/* They say that people are counted, whatever stands beside them ... */
static const char *const people_words[] = {
    "people",   "persons",  "individuals", "victims", "survivors",  "referrals", "cases",   "personnes", "victimes", "individus",
    "personas", "víctimas", "victimas",    "casos",   "individuos", "ضحايا",     "الضحايا", "أشخاص",     "الأشخاص",
};
/* ... they, that something is counted ... */
static const char *const count_words[] = { "count", "counts", "freq", "frequency", "weight", "effectif", "effectifs", "frecuencia" };
/* ... and they, only if nothing else is said. */
static const char *const number_words[] = { "n",        "nb",  "number",     "nombre", "número", "numero",
                                            "cantidad", "cas", "identified", "عدد",    "total" };

static bool is_one_of(su_str word, const char *const *words, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (su_str_equal(word, su_str_of(words[k]))) return true;
    return false;
}
#define IS_ONE_OF(word, words) is_one_of(word, words, sizeof(words) / sizeof *(words))

static bool has_word(const token_list *tokens, const char *const *words, size_t n)
{
    for (uint32_t i = 0; i < tokens->count; i++)
        if (is_one_of(tokens->at[i], words, n)) return true;
    return false;
}
#define HAS_WORD(tokens, words) has_word(tokens, words, sizeof(words) / sizeof *(words))

typedef enum counting { COUNTS_NOTHING, COUNTS_SOMETHING, COUNTS_PEOPLE } counting;

static counting counting_of(const column_profile *p)
{
    const token_list *tokens = p->last_tokens.count > 0 ? &p->last_tokens : &p->tokens;
    uint32_t people = 0, counts = 0, numbers = 0;
    for (uint32_t i = 0; i < tokens->count; i++) {
        people += IS_ONE_OF(tokens->at[i], people_words);
        counts += IS_ONE_OF(tokens->at[i], count_words);
        numbers += IS_ONE_OF(tokens->at[i], number_words);
    }
    uint32_t others = tokens->count - people - counts - numbers;
    if (people > 0 && (others == 0 || tokens->count <= 2)) return COUNTS_PEOPLE;
    if (counts > 0 && others <= 1) return COUNTS_PEOPLE;
    return numbers > 0 && others == 0 ? COUNTS_SOMETHING : COUNTS_NOTHING;
}

bool is_personal(const column_profile *p)
{
    return p->long_text || (HAS_WORD(&p->tokens, personal_words) && !(p->integers && counting_of(p) == COUNTS_PEOPLE));
}

/* Every row has a value, and none has another row's. */
static bool tells_rows_apart(const column_profile *p) { return p->rows >= 2 && p->filled == p->rows && p->distinct == p->rows; }

bool draft_role(draft *d, uint32_t c)
{
    const column_profile *p = &d->profiles[c];
    counting counts = p->integers && p->smallest >= 0 ? counting_of(p) : COUNTS_NOTHING;
    bool key = tells_rows_apart(p), running = key && p->integers && p->largest == (int64_t)p->rows && p->smallest >= 1;
    if (counts == COUNTS_PEOPLE || (counts == COUNTS_SOMETHING && !key)) {
        if (d->has_weight || (running && p->rows >= 20)) return false;
        d->has_weight = true;
        draft_row(d, c, SU_STR(""), "", "", "weight", "exact", "each row counts this many people: check");
        return true;
    }
    if (!key || d->has_record || is_personal(p) || !HAS_WORD(&p->tokens, record_words)) return false;
    d->has_record = true;
    draft_row(d, c, SU_STR(""), "", "", "record", "exact", "every row has a value of its own: taken as the record number");
    return true;
}
