/* Decoding of an unsealed batch layout and of unsealed records. Input: u16 length of the layout, the layout, a record. A record that
 * decodes is read through, so that every borrowed pointer is touched. Build with -Isrc/vault. */
#include "../src/vault/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    su_arena arena;
    su_layout layout;
    su_str id = { 0 };
    bool newer = false;
    if (size < 2) return 0;
    size_t n = (size_t)(data[0] | data[1] << 8);
    if (n > size - 2) n = size - 2;
    su_arena_init(&arena);
    if (su_layout_decode(&arena, data + 2, n, &layout, &newer)) {
        su_record_value *values = su_arena_array(&arena, (size_t)layout.field_count + 1, sizeof *values);
        if (su_record_decode(&layout, data + 2 + n, size - 2 - n, &id, values, &newer)) {
            for (size_t i = 0; i < id.n; i++) sink += (uint8_t)id.p[i];
            for (uint32_t f = 0; f < layout.field_count; f++) {
                if (layout.fields[f].kind == SU_STORE_CODE && values[f].cell > layout.fields[f].code_count &&
                    values[f].cell < SU_CELL_FIRST_REASON)
                    abort();
                for (size_t i = 0; i < values[f].text.n; i++) sink += (uint8_t)values[f].text.p[i];
                if (layout.fields[f].kind == SU_STORE_SET)
                    for (size_t i = 0; i < 8 * (size_t)su_store_words(layout.fields[f].code_count); i++) sink += values[f].set[i];
            }
        }
    }
    su_arena_free(&arena);
    return 0;
}
