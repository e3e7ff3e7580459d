/** Options of single layers: `layers="layer0.act=4 conv1.*.coef=5"`, and whom they mean. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, nearest, printable, type Rule } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import type { OptionSpec } from './options.js';

export interface LayerSetting {
  /** The name of a layer, in which `*` stands for any letters. */
  readonly pattern: string;
  readonly knob: string;
  /** As the option of the knob reads it. */
  readonly value: string;
}

export type LayerSettings = ReadonlyArray<LayerSetting>;

/** What can be set of a layer, by name; each is read like an option of its own. */
type Knobs = Readonly<Record<string, OptionSpec<unknown>>>;

const SETTING = /^([A-Za-z0-9_.*]+)\.([A-Za-z]+)=(\S+)$/;

const readSetting = (text: string, knobs: Knobs): Rule<LayerSetting> => {
  const [, pattern, knob, value] = SETTING.exec(text) ?? [];
  if (pattern === undefined || knob === undefined || value === undefined) {
    return E.left('settings of the form layer.name=value with blanks between');
  }
  const spec = Object.hasOwn(knobs, knob) ? knobs[knob] : undefined;
  if (spec === undefined) return E.left(`one of ${Object.keys(knobs).join(', ')} behind the last dot`);
  const read = spec.parse(value);
  return E.isLeft(read) ? E.left(`${read.left} for ${knob}`) : E.right({ pattern, knob, value });
};

/** A list NAME.KNOB=VALUE with blanks between. Of two settings that mean one layer, the later holds. */
export const layersOption = (help: string, knobs: Knobs): OptionSpec<LayerSettings> => ({
  help: `${help}: NAME.KNOB=VALUE ..., * in a name stands for any letters; ${Object.entries(knobs)
    .map(([knob, spec]) => `${knob} (${spec.help})`)
    .join(', ')}`,
  default: '',
  parse: (text) => {
    const settings: LayerSetting[] = [];
    for (const part of text.split(/\s+/).filter((p) => p !== '')) {
      const read = readSetting(part, knobs);
      if (E.isLeft(read)) return read;
      const { pattern, knob } = read.right;
      if (settings.some((s) => s.pattern === pattern && s.knob === knob)) {
        return E.left(`${pattern}.${knob} once`);
      }
      settings.push(read.right);
    }
    return E.right(settings);
  },
});

/** Without regular expressions made of a pattern: many `*` would make those slow. */
const matches = (pattern: string, name: string): boolean => {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === name;
  if (!name.startsWith(head) || !name.endsWith(tail)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at + tail.length <= name.length;
};

/** What is set of a layer, read by the option of the knob; undefined when nothing is. */
export const settingOf = <A>(
  settings: LayerSettings,
  layer: string,
  knob: string,
  spec: OptionSpec<A>,
): A | undefined => {
  const found = settings.filter((s) => s.knob === knob && matches(s.pattern, layer)).at(-1);
  if (found === undefined) return undefined;
  const read = spec.parse(found.value);
  return E.isRight(read) ? read.right : undefined;
};

const LISTED = 20;

/** Whether every setting means a layer of the graph (K0503). */
export const checkLayers = (settings: LayerSettings, graph: Graph, pass: string): Checked<void> => {
  const names = graph.nodes.filter((n) => n.op.kind === 'kan').map((n) => n.name);
  const stray = settings.find((s) => !names.some((name) => matches(s.pattern, name)));
  if (stray === undefined) return E.right(undefined);
  const near = nearest(stray.pattern, names);
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return fail(
    'K0503',
    `option 'layers' sets ${stray.knob} of '${printable(stray.pattern, 60)}', but no layer is named so`,
    {
      place: { pass },
      expected:
        names.length === 0
          ? 'a network with KAN layers'
          : `one of ${names.slice(0, LISTED).join(', ')}${more}`,
      ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
    },
  );
};
