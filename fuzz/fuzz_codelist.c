/* libFuzzer target: any text as a codelist; every code of an accepted list must be found by its own names. */
#include <suha/table.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    su_context ctx;
    su_arena arena;
    su_codelist *list = NULL;
    su_context_init(&ctx);
    su_arena_init(&arena);
    su_str csv = { (const char *)data, size };
    su_status status = su_codelist_parse(&ctx, &arena, "fuzz", "fuzz.csv", csv, &list);
    if ((status == SU_OK) != (list != NULL)) abort();
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        uint16_t by_code = su_codelist_find(list, su_str_of(list->codes[i].code));
        uint16_t by_label = su_codelist_find(list, su_str_of(list->codes[i].label[SU_LANG_EN]));
        /* a name of blanks and dashes only may fold to nothing */
        if ((by_code != 0 && by_code != i + 1) || (by_label != 0 && by_label != i + 1)) abort();
        if (list->codes[i].has_min && su_codelist_band(list, list->codes[i].min) > i + 1) abort();
    }
    if (list != NULL) (void)su_codelist_suggest(list, (su_str) { csv.p, csv.n < 64 ? csv.n : 64 });
    su_codelist_free(list);
    su_arena_free(&arena);
    return 0;
}
