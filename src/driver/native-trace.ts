import type { Scratch } from '../backends/c/header.js';

/** The main program around a C artifact: a filter, which can also write every value of the stages. */
export const traceHarness = (
  name: string,
  scratch: Scratch,
  dtype: 'f32' | 'u8',
): ReadonlyMap<string, string> => {
  const upper = name.toUpperCase();
  const given = scratch === 'caller' ? '&scratch, x' : 'x';
  const header = `#include <stddef.h>
extern int kanc_tracing;
void kanc_trace(const void *values, size_t bytes);
#define ${upper}_TRACE(stage, values, count) kanc_trace(values, (size_t)(count) * sizeof *(values))
`;
  const source = `#include <stdio.h>
#include <string.h>
#include "${name}.h"
int kanc_tracing = 0;
void kanc_trace(const void *values, size_t bytes)
{
    if (kanc_tracing) fwrite(values, bytes, 1, stdout);
}
static ${dtype === 'f32' ? 'float' : 'uint8_t'} x[${upper}_INPUTS];
static int32_t raw[${upper}_OUTPUTS];
${
  scratch === 'caller'
    ? `static ${name}_scratch scratch;
`
    : ''
}int main(int count, char **arguments)
{
    const char *mode = count > 1 ? arguments[1] : "raw";
    kanc_tracing = strcmp(mode, "trace") == 0;
    while (fread(x, sizeof x, 1, stdin) == 1) {
#ifdef ${upper}_HAS_FLOATS
        if (strcmp(mode, "float") == 0) {
            static float result[${upper}_OUTPUTS];
            if (${name}_predict(${given}, result) != 0) return 2;
            fwrite(result, sizeof result, 1, stdout);
            continue;
        }
#endif
        if (${name}_predict_raw(${given}, raw) != 0) return 2;
        if (!kanc_tracing) fwrite(raw, sizeof raw, 1, stdout);
    }
    return 0;
}
`;
  return new Map([
    ['trace.h', header],
    ['trace.c', source],
  ]);
};
