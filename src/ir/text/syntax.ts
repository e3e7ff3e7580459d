/** Parses the graph of a `.kir` text, line by line, into syntax. */
import { nearest } from '../../diagnostics/index.js';
import { LEVELS, type Level } from '../types.js';
import { type Cursor, showToken, type Token } from './lexer.js';
import {
  type Fields,
  isSign,
  skipSign,
  type TypeSyntax,
  takeFields,
  takeList,
  takeSign,
  takeString,
  takeType,
  unexpected,
} from './values.js';

/** The version of the format that this compiler reads and writes. */
export const VERSION = '1';

export interface InputSyntax {
  readonly name: Token;
  readonly type: TypeSyntax;
}

export interface NodeSyntax {
  readonly name: Token;
  readonly type: TypeSyntax;
  readonly kind: Token;
  readonly operands: ReadonlyArray<Token>;
  readonly fields: Fields;
}

export interface GraphSyntax {
  readonly name: string;
  readonly level: Level;
  readonly inputs: ReadonlyArray<InputSyntax>;
  readonly results: ReadonlyArray<TypeSyntax>;
  readonly nodes: ReadonlyArray<NodeSyntax>;
  readonly outputs: ReadonlyArray<Token>;
  /** Offset of `return`. */
  readonly end: number;
}

const takeWord = (cursor: Cursor, word: string): true | undefined => {
  const token = cursor.take();
  return (token.kind === 'word' && token.text === word) || unexpected(cursor, token, `'${word}'`);
};

const takeValueName = (cursor: Cursor): Token | undefined => {
  const token = cursor.take();
  return token.kind === 'value' ? token : unexpected(cursor, token, "a value, '%' with its name");
};

const takeHeader = (cursor: Cursor): true | undefined => {
  if (!takeWord(cursor, 'kir')) return undefined;
  const version = cursor.take();
  if (version.kind === 'number' && version.text === VERSION) return true;
  return version.kind === 'number'
    ? cursor.fail({
        code: 'K0301',
        message: `this is version ${version.text.slice(0, 20)} of the format`,
        offset: version.start,
        expected: `version ${VERSION}`,
        hint: 'A newer kanc may read it.',
      })
    : unexpected(cursor, version, `the version of the format, ${VERSION}`);
};

const takeGraphName = (cursor: Cursor): string | undefined => {
  if (!takeWord(cursor, 'graph') || !takeSign(cursor, '@')) return undefined;
  if (cursor.peek().kind === 'string') return takeString(cursor);
  const token = cursor.take();
  return token.kind === 'word'
    ? token.text
    : unexpected(cursor, token, 'the name of the graph, in quotes where it is no identifier');
};

const takeLevel = (cursor: Cursor): Level | undefined => {
  if (!takeWord(cursor, 'level')) return undefined;
  const token = cursor.take();
  const level = LEVELS.find((l) => l === token.text);
  if (level !== undefined) return level;
  const near = nearest(token.text, LEVELS);
  return cursor.fail({
    code: 'K0301',
    message: `found ${showToken(token)}`,
    offset: token.start,
    expected: `a level: ${LEVELS.join(', ')}`,
    ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
  });
};

/** `%x : u8[n, 784]` */
const takeInput = (cursor: Cursor): InputSyntax | undefined => {
  const name = takeValueName(cursor);
  const type = name && takeSign(cursor, ':') && takeType(cursor);
  return name === undefined || type === undefined ? undefined : { name, type };
};

/** `%q : u6[n, 784]<...> = recode %x {...}` */
const takeNode = (cursor: Cursor): NodeSyntax | undefined => {
  const typed = takeInput(cursor);
  if (typed === undefined || !takeSign(cursor, '=')) return undefined;
  const kind = cursor.take();
  if (kind.kind !== 'word') return unexpected(cursor, kind, 'an op');
  const operands: Token[] = [];
  while (operands.length === 0 ? cursor.peek().kind === 'value' : skipSign(cursor, ',')) {
    const operand = takeValueName(cursor);
    if (operand === undefined) return undefined;
    operands.push(operand);
  }
  const fields = skipSign(cursor, '{') ? takeFields(cursor, 0) : new Map();
  return fields === undefined ? undefined : { ...typed, kind, operands, fields };
};

/** Everything before the resource section. */
export const takeGraph = (cursor: Cursor): GraphSyntax | undefined => {
  if (!takeHeader(cursor)) return undefined;
  const name = takeGraphName(cursor);
  const level = takeLevel(cursor);
  const inputs = takeSign(cursor, '(') && takeList(cursor, ')', () => takeInput(cursor));
  const arrow = takeSign(cursor, '->') && takeSign(cursor, '(');
  const results = arrow && takeList(cursor, ')', () => takeType(cursor));
  if (name === undefined || level === undefined || inputs === undefined || results === undefined)
    return undefined;
  if (!takeSign(cursor, '{')) return undefined;
  const nodes: NodeSyntax[] = [];
  while (cursor.peek().kind === 'value') {
    const node = takeNode(cursor);
    if (node === undefined) return undefined;
    nodes.push(node);
  }
  const word = cursor.take();
  if (word.text !== 'return') return unexpected(cursor, word, "an op, '%name : type = ...', or 'return'");
  const outputs: Token[] = [];
  do {
    const output = takeValueName(cursor);
    if (output === undefined) return undefined;
    outputs.push(output);
  } while (skipSign(cursor, ','));
  const close = cursor.take();
  return isSign(close, '}')
    ? { name, level, inputs, results, nodes, outputs, end: word.start }
    : unexpected(cursor, close, "',' or '}'");
};
