/* A long random course of changes to files, compared with a model after every step. */
#include "tests/unit/edf_scene.h"

enum { MODEL_FILES = 24, STEPS = 1500 };
static struct model {
    bool present;
    char recfm;
    uint32_t length, salt, count;
} model[MODEL_FILES];

static uint32_t seed;
static uint32_t any(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

static void model_name(char name[9], unsigned i)
{
    snprintf(name, 9, "M%u", i % 100);
}

static void model_step(unsigned i)
{
    char name[9], other[9];
    struct model *m = &model[i];
    struct model next = {true, any(2) ? 'F' : 'V', 1 + any(any(4) ? 200 : 4000), any(1000), 1 + any(40)};
    unsigned j = any(MODEL_FILES);
    model_name(name, i);
    model_name(other, j);
    switch (any(5)) {
    case 0:
    case 1:
        if (edf_put(accessed, name, "FILE", next.recfm, next.length, next.count, next.salt) == EDF_OK)
            *m = next;
        break;
    case 2: { /* a second part continues the numbering, so that the whole reads as if written at once */
        struct edf_writer *writer;
        enum edf_status status = edf_append(accessed, name, "FILE", &writer);
        assert_int_equal(status, m->present ? EDF_OK : EDF_NOT_FOUND);
        uint32_t more = any(30) + 1, k;
        for (k = 0; !status && k < more; k++) {
            uint32_t n = edf_fill_length(m->recfm, m->length, m->count + k, m->salt);
            edf_fill(record, n, m->count + k, m->salt);
            status = edf_write(writer, record, n);
        }
        if (m->present) {
            if (status)
                edf_abort(writer);
            else if (edf_commit(writer) == EDF_OK)
                m->count += more;
        }
        break;
    }
    case 3: {
        enum edf_status status = edf_erase(accessed, name, "FILE");
        assert_int_equal(status, m->present ? EDF_OK : EDF_NOT_FOUND);
        m->present = false;
        break;
    }
    default: {
        enum edf_status status = edf_rename(accessed, name, "FILE", other, "FILE");
        if (status == EDF_OK && i != j) {
            model[j] = *m;
            m->present = false;
        }
        assert_true(status == EDF_OK || status == EDF_EXISTS || status == EDF_NOT_FOUND || status == EDF_FULL);
    }
    }
}

static void disk_is_as_the_model(void)
{
    for (unsigned i = 0; i < MODEL_FILES; i++) {
        struct edf_file_facts facts;
        char name[9];
        model_name(name, i);
        assert_int_equal(edf_find(accessed, name, "FILE", &facts), model[i].present ? EDF_OK : EDF_NOT_FOUND);
        if (model[i].present)
            file_is(name, model[i].recfm, model[i].length, model[i].count, model[i].salt);
    }
}

static void a_random_course_agrees_with_a_model(void **state)
{
    (void)state;
    for (int b = 0; b < 4; b++) {
        open_disk(block_sizes[b], 700 * 1024 / block_sizes[b]);
        memset(model, 0, sizeof model);
        seed = 42 + (uint32_t)b;
        for (int step = 1; step <= STEPS; step++) {
            model_step(any(MODEL_FILES));
            if (step % 50)
                continue;
            again();
            disk_is_as_the_model();
        }
        close_disk();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_random_course_agrees_with_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
