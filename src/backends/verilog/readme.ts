/** The README of an RTL artifact: pins, figures, and how codes are made of floats. */
import { type Graph, type Node, typesOf } from '../../ir/graph.js';
import { isShared } from '../../ir/quantizer.js';
import { commentText } from '../cpp/code.js';
import { scalesText } from '../shared/scales.js';
import type { Circuit } from './lower.js';
import type { Port } from './ports.js';
import { type InPort, portValues } from './ports.js';

export interface Figures {
  readonly latency: number;
  readonly registers: number;
  /** LUTs of six inputs, and of four where the device has those. */
  readonly luts: number;
  readonly luts4: number;
  readonly edges: number;
}

export interface ReadmeParts {
  readonly graph: Graph<'table'>;
  readonly circuit: Circuit;
  readonly figures: Figures;
  readonly module: string;
  readonly version: string;
  readonly samples: number;
  readonly pipeline: number;
  /** How many samples said which codes occur; undefined where all inputs are exact. */
  readonly seen: number | undefined;
}

type PortRow = Port & { readonly signed?: boolean; readonly source?: InPort['source'] };

const isUnused = (port: PortRow): boolean => 'source' in port && port.source === undefined;

/** Runs of ports alike, in one row each. */
const portRows = (ports: ReadonlyArray<PortRow>, letter: string): ReadonlyArray<string> => {
  const rows: string[] = [];
  for (let k = 0; k < ports.length; ) {
    const { width, signed } = ports[k]!;
    let end = k;
    const follows = (next: PortRow | undefined, last: PortRow): boolean =>
      next?.width === width &&
      next.signed === signed &&
      next.source?.value === last.source?.value &&
      next.source?.element === (last.source === undefined ? undefined : last.source.element + 1);
    while (follows(ports[end + 1], ports[end]!)) end++;
    const names = end === k ? `\`${letter}${k}\`` : `\`${letter}${k}\` to \`${letter}${end}\``;
    const kind = isUnused(ports[k]!)
      ? 'no effect'
      : letter === 'x'
        ? 'code'
        : signed === true
          ? "integer, two's complement"
          : 'code';
    const labels = end === k ? ports[k]!.label : `${ports[k]!.label} to ${ports[end]!.label}`;
    rows.push(
      `| ${names} | ${letter === 'x' ? 'in' : 'out'} | ${width} | ${kind}, %${commentText(labels)} |`,
    );
    k = end + 1;
  }
  return rows;
};

/** Which input each port is where there are others than one for each. */
const portsText = ({ inputs }: Circuit): string => {
  const unused = inputs.flatMap(({ source }, k) => (source === undefined ? [`\`x${k}\``] : []));
  const one = unused.length === 1;
  return unused.length === 0
    ? ''
    : `${unused.join(', ')} ${one ? 'has' : 'have'} no effect: no table of the network depends on ${one ? 'this input' : 'these inputs'}. The ${one ? 'port is' : 'ports are'} there so that port k is input k; any bits will do.\n\n`;
};

/** What ports give for bits that are no code. */
const beyond = (levels: number, width: number): string =>
  levels < 2 ** width ? ` Codes are below ${levels}: for others the results are undefined.` : '';

/** How floats become the codes of a value that ports take. */
const quantizingOf = (graph: Graph<'table'>, circuit: Circuit, value: string): string => {
  const node: Node | undefined = graph.nodes.find((n) => n.name === value);
  const ports = circuit.inputs.filter(({ source }) => source?.value === value);
  const undefinedCodes = beyond(ports[0]?.levels ?? 0, ports[0]?.width ?? 0);
  if (node?.op.kind !== 'quantize') {
    return `The ports take the codes that the input of the network is.${undefinedCodes}`;
  }
  const { quantizer, nan } = node.op.attrs;
  const refused =
    nan === 'zero'
      ? 'A NaN has code 0'
      : 'A NaN has no code: what feeds the circuit must refuse such a sample';
  const lead = `The network takes floats; the circuit takes the codes that they are quantized to, so that quantizing is left to what feeds it.
Values below the range of codes have the first code and values above it the last, infinities too. ${refused}.${undefinedCodes}`;
  if (
    quantizer._tag === 'uniform' &&
    isShared(quantizer) &&
    typeof quantizer.lo === 'number' &&
    typeof quantizer.step === 'number'
  ) {
    return `${lead} With step ${quantizer.step} and lo ${quantizer.lo}, each operation rounded to f32, the code of x is

    min(${quantizer.levels - 1}, max(0, trunc((x - f32(lo - step / 2)) * f32(1 / step))))`;
  }
  return `${lead} Code k of a feature is that of the values from its threshold k on: \`model.kir\` holds the thresholds, or lo and step, of every feature (see %${commentText(value)}).`;
};

/** How floats become the codes of the ports; where these are of several values, of each. */
const quantizing = (graph: Graph<'table'>, circuit: Circuit): string => {
  const values = portValues(circuit.inputs);
  const texts = values.map((value) => quantizingOf(graph, circuit, value));
  return values.length === 1
    ? texts.join('')
    : texts.map((text, k) => `Ports of %${commentText(values[k] ?? '')}: ${text}`).join('\n\n');
};

export const readmeText = (parts: ReadmeParts): string => {
  const { graph, circuit, figures, module, samples, seen, pipeline } = parts;
  const exact =
    seen === undefined
      ? 'The integers are those of the interpreter for every input.'
      : `Codes and sums that did not occur on ${seen} samples are don't-cares: **on inputs that need them the results are undefined.** On those samples the integers are those of the interpreter.`;
  return `# ${module}

${commentText(graph.name)}, compiled by kanc ${commentText(parts.version)} to Verilog-2005 (\`model.v\`): every edge is a table in logic,
and the sums are chains of adders. ${exact}

| pin | | bits | |
| --- | --- | ---: | --- |
| \`clk\` | in | 1 | everything happens at its rising edge |
| \`rst\` | in | 1 | synchronous; empties the pipeline |
| \`in_valid\`, \`in_ready\` | in, out | 1 | codes are taken where both are 1 |
${portRows(circuit.inputs, 'x').join('\n')}
| \`out_valid\`, \`out_ready\` | out, in | 1 | integers are given where both are 1 |
${portRows(circuit.outputs, 'y').join('\n')}

${portsText(circuit)}${quantizing(graph, circuit)}

${scalesText(typesOf(graph).get(circuit.to)!, (k) => `\`y${k}\``)}

Latency: ${figures.latency} clock cycles (${pipeline === 0 ? 'registers at the end only' : `at most ${pipeline} adders in a row between registers`}). One inference per clock cycle.

An estimate before synthesis: ${figures.luts} LUTs of six inputs, or ${figures.luts4} of four, and ${figures.registers} bits of registers, for
${figures.edges} edges. \`kanc synth\` measures them.

    make test       # simulates ${samples} golden vectors with Icarus Verilog
    make verilate   # the same with Verilator 5
    make synth      # LUTs and registers by yosys

\`vectors.mem\` holds the vectors: each line is the outputs, the last one highest, and below them the inputs likewise.
\`model.kir\` is the program as kanc sees it.
`;
};
