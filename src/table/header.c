#include "header.h"

#include "shown.h"

#include <stdlib.h>
#include <string.h>

static char *name_of(su_arena *arena, su_str top, su_str bottom, uint32_t column)
{
    su_str one = top.n == 0 || su_str_equal(top, bottom) ? bottom : top;
    char *name = top.n > 0 && bottom.n > 0 && !su_str_equal(top, bottom)
                     ? su_arena_printf(arena, "%.*s / %.*s", (int)top.n, top.p, (int)bottom.n, bottom.p)
                 : one.n > 0 ? su_arena_strndup(arena, one.p, one.n)
                             : su_arena_printf(arena, "column_%u", column + 1);
    return su_strdup(name);
}

void header_names_free(char **names, uint32_t count)
{
    for (uint32_t c = 0; names != NULL && c < count; c++) free(names[c]);
    free(names);
}

su_status header_names(su_context *ctx, const char *where, const su_str *top, const su_str *bottom, uint32_t count, char ***out)
{
    su_status status = SU_OK;
    su_arena scratch;
    su_dict *seen = su_dict_new();
    uint32_t *first = su_alloc_array((size_t)count + 1, sizeof *first);
    char **names = su_alloc_array((size_t)count + 1, sizeof *names);
    su_arena_init(&scratch);
    for (uint32_t c = 0; c < count; c++) {
        names[c] = name_of(&scratch, top == NULL ? (su_str) { "", 0 } : top[c], bottom[c], c);
        uint32_t id = su_dict_add(seen, su_str_of(names[c]));
        if (first[id] != 0) {
            status = su_fail(ctx, SU_INPUT,
                             "%s: the columns %u and %u are both named \"%.*s\". Give every column a name of its own in the header and "
                             "read the file again.",
                             where, first[id], c + 1, shown(su_str_of(names[c])), names[c]);
            break;
        }
        first[id] = c + 1;
    }
    su_dict_free(seen);
    free(first);
    su_arena_free(&scratch);
    if (status == SU_OK)
        *out = names;
    else
        header_names_free(names, count);
    return status;
}
