/** Shapes of functions as text: over x, the parameters p0, p1, ... and names for what stands in several places. */
import { match } from 'ts-pattern';
import type { Assignment, Template, TemplateNode } from './template.js';

/** How tightly the outermost op of a text binds. */
const SUM = 1;
const PRODUCT = 2;
const SIGN = 3;
const ATOM = 4;

interface Piece {
  readonly text: string;
  readonly binds: number;
  /** How deep it nests. */
  readonly depth: number;
}

const atom = (text: string, depth = 0): Piece => ({ text, binds: ATOM, depth });

/** Deeper parts have names of their own: readers of the text, people among them, lose their way in parentheses. */
const DEEPEST = 24;

const within = (piece: Piece, binds: number): string =>
  piece.binds < binds ? `(${piece.text})` : piece.text;

const INFIX: Readonly<Record<string, { readonly sign: string; readonly binds: number }>> = {
  add: { sign: '+', binds: SUM },
  sub: { sign: '-', binds: SUM },
  mul: { sign: '*', binds: PRODUCT },
  div: { sign: '/', binds: PRODUCT },
};

const literal = (value: number): Piece => {
  if (Number.isNaN(value)) return { text: '0 / 0', binds: PRODUCT, depth: 0 };
  if (!Number.isFinite(value)) return { text: value > 0 ? '1 / 0' : '-1 / 0', binds: PRODUCT, depth: 0 };
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.startsWith('-') ? { text, binds: SIGN, depth: 0 } : atom(text);
};

const constantText = (assignment: Assignment): Piece =>
  assignment.kind === 'literal' ? literal(assignment.value) : atom(`p${assignment.index}`);

const infix = (left: Piece, { sign, binds }: { sign: string; binds: number }, right: Piece): Piece => ({
  text: `${within(left, binds)} ${sign} ${within(right, binds + 1)}`,
  binds,
  depth: Math.max(left.depth, right.depth) + 1,
});

/** What is multiplied by 1 or has 0 added: the argument that is the whole. */
const neutral = (fn: string, [a, b]: ReadonlyArray<Piece>): Piece | undefined => {
  if (a === undefined || b === undefined) return undefined;
  const unit =
    fn === 'add' || fn === 'sub' ? '0' : fn === 'mul' || fn === 'div' || fn === 'pow' ? '1' : undefined;
  if (unit === undefined) return undefined;
  if (b.text === unit) return a;
  return (fn === 'add' || fn === 'mul') && a.text === unit ? b : undefined;
};

const callText = (fn: string, args: ReadonlyArray<Piece>): Piece => {
  const whole = neutral(fn, args);
  if (whole !== undefined) return whole;
  const operator = INFIX[fn];
  if (operator !== undefined) return infix(args[0]!, operator, args[1]!);
  if (fn === 'neg') return { text: `-${within(args[0]!, ATOM)}`, binds: SIGN, depth: args[0]!.depth + 1 };
  return atom(`${fn}(${args.map((a) => a.text).join(', ')})`, Math.max(...args.map((a) => a.depth)) + 1);
};

/** Parts with their factors; a factor of 1 is not written. */
const sumText = (parts: ReadonlyArray<Piece>, factors: ReadonlyArray<Assignment>): Piece => {
  const terms = parts.map((part, j) => {
    const factor = factors[j]!;
    if (factor.kind === 'literal' && factor.value === 1) return part;
    return infix(constantText(factor), { sign: '*', binds: PRODUCT }, part);
  });
  const [first = atom('0'), ...rest] = terms;
  return rest.reduce((sum, term) => infix(sum, { sign: '+', binds: SUM }, term), first);
};

const usesOf = (nodes: ReadonlyArray<TemplateNode>): Int32Array => {
  const uses = new Int32Array(nodes.length);
  for (const node of nodes) {
    if (node.kind !== 'call' && node.kind !== 'sum') continue;
    for (const arg of node.args) uses[arg]!++;
  }
  return uses;
};

/** The text of a function; what is used more than once has a name. */
export const expressionText = (template: Template, assignments: ReadonlyArray<Assignment>): string => {
  const uses = usesOf(template.nodes);
  const names: string[] = [];
  const pieces: Piece[] = [];
  template.nodes.forEach((node, at) => {
    const piece = match(node)
      .returnType<Piece>()
      .with({ kind: 'x' }, () => atom('x'))
      .with({ kind: 'constant' }, ({ slot }) => constantText(assignments[slot]!))
      .with({ kind: 'call' }, ({ fn, args }) =>
        callText(
          fn,
          args.map((a) => pieces[a]!),
        ),
      )
      .with({ kind: 'sum' }, ({ args, slot }) =>
        sumText(
          args.map((a) => pieces[a]!),
          assignments.slice(slot, slot + args.length),
        ),
      )
      .exhaustive();
    const named = (uses[at]! > 1 && piece.depth > 0) || piece.depth >= DEEPEST;
    if (named && (node.kind === 'call' || node.kind === 'sum')) {
      const name = `t${names.length}`;
      names.push(`let ${name} = ${piece.text}; `);
      pieces.push(atom(name));
    } else pieces.push(piece);
  });
  return `${names.join('')}${pieces[pieces.length - 1]!.text}`;
};
