/** Text that the loaders of all targets have in common: it ships with programs. */

/** JSON is JavaScript, but for what could end a script element of a page that inlines the file. */
export const literal = (data: unknown, indent = 2): string =>
  JSON.stringify(data, null, indent).replaceAll('<', '\\u003c');

/** Elements of a value of a shape. */
export const elementsIn = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);

/** What loaders say about files that are not what they should be. Backslashes are doubled, as in any template. */
export const ABOUT_FILES = `\
/** What a person does about files that do not belong together. */
const AGAIN = 'reload the page, or deploy the files of one compilation again';

/** null, undefined, the class of an object, or the type of anything else. */
const kindOf = (value) => (typeof value === 'object' ? (value?.constructor?.name ?? 'null') : typeof value);

const isPage = (bytes) => /^\\s*<(!doctype|html|head|body)/i.test(new TextDecoder().decode(bytes.subarray(0, 200)));
const pageFor = (file) => 'a page of HTML in place of ' + file + ', as servers send where a file is missing';`;

/** What a program asks of its input. Around it are `meta`, `takes` and `features`; it gives the number of samples. */
export const CHECK_INPUT = `\
const check = (input, batch) => {
  if (!takes.some((type) => input instanceof type)) {
    throw new TypeError('kanc model: the input must be a ' + takes.map((type) => type.name).join(' or '));
  }
  const samples = batch ?? input.length / features;
  if (!Number.isInteger(samples) || samples < 1 || input.length !== samples * features) {
    throw new TypeError(
      'kanc model: the input has ' + input.length + ' elements, expected ' +
        (batch === undefined ? 'a multiple of ' : batch + ' x ') + features,
    );
  }
  if (meta.input.refusesNaN) {
    for (let i = 0; i < input.length; i++) {
      if (input[i] !== input[i]) throw new TypeError('kanc model: the input has NaN at element ' + i);
    }
  }
  if (meta.input.dtype === 'u8' && meta.input.levels < 256) {
    for (let i = 0; i < input.length; i++) {
      if (input[i] >= meta.input.levels) {
        throw new TypeError(
          'kanc model: element ' + i + ' is ' + input[i] + ', codes end at ' + (meta.input.levels - 1),
        );
      }
    }
  }
  return samples;
};`;

/** Text two spaces further in. */
export const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

/** The type of `meta`. */
export const META_TYPES = `\
export interface Meta {
  readonly name: string;
  readonly kanc: string;
  readonly input: {
    readonly name: string;
    readonly shape: ReadonlyArray<number>;
    readonly dtype: 'f32' | 'u8';
    readonly levels: number;
    readonly refusesNaN: boolean;
    readonly quantizers: ReadonlyArray<Readonly<Record<string, unknown>>>;
  };
  readonly output: {
    readonly name: string;
    readonly shape: ReadonlyArray<number>;
    readonly dtype: 'f32' | 'i32';
  };
  readonly raw: {
    readonly name: string;
    readonly shape: ReadonlyArray<number>;
    readonly element: string;
    readonly meaning: unknown;
  };
}`;
