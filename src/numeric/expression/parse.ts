/**
 * The text of a function of one variable:
 *
 *   text  = { 'let' name '=' sum ';' } sum
 *   sum   = term { ('+' | '-') term }        term = sign { ('*' | '/') sign }        sign = '-' sign | atom
 *   atom  = number | 'x' | 'p0' | 'p1' ... | name | function '(' sum { ',' sum } ')' | '(' sum ')'
 *
 * Functions are those of `numeric/scalar.ts`.
 */
import * as E from 'fp-ts/lib/Either.js';
import { arityOf, isScalarFunction, type ScalarFunction } from '../scalar.js';
import { type Token, tokensOf } from './tokens.js';

/** Longer texts, deeper nesting and more steps are no functions that anybody trained. */
const MOST_CHARACTERS = 2 ** 18;
const DEEPEST = 200;
const MOST_STEPS = 2 ** 14;

interface Step {
  readonly fn: ScalarFunction;
  readonly args: ReadonlyArray<number>;
}

/** A text that was understood. */
export interface Expression {
  /** How many parameters it names: one more than the largest number among them. */
  readonly parameters: number;
  /** Registers: x, the parameters, the literals, then a result for each step. */
  readonly literals: ReadonlyArray<number>;
  readonly steps: ReadonlyArray<Step>;
  /** The register of the result. */
  readonly result: number;
}

/** Values before registers have numbers. */
type Value =
  | { readonly kind: 'x' }
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'literal'; readonly index: number }
  | { readonly kind: 'step'; readonly index: number };

class Fault extends Error {}

const INFIX: Readonly<Record<string, ScalarFunction>> = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'div' };

class Parser {
  private at = 0;
  private depth = 0;
  private parameters = 0;
  private readonly literals: number[] = [];
  private readonly steps: Array<{ fn: ScalarFunction; args: ReadonlyArray<Value> }> = [];
  private readonly names = new Map<string, Value>();

  constructor(private readonly tokens: ReadonlyArray<Token>) {}

  parse(): Expression {
    while (this.isName('let')) this.definition();
    const value = this.sum();
    if (this.token().kind !== 'end') throw this.fault('the end');
    const first = 1 + this.parameters + this.literals.length;
    const register = (v: Value): number =>
      v.kind === 'x'
        ? 0
        : v.kind === 'parameter'
          ? 1 + v.index
          : v.kind === 'literal'
            ? 1 + this.parameters + v.index
            : first + v.index;
    return {
      parameters: this.parameters,
      literals: this.literals,
      steps: this.steps.map(({ fn, args }) => ({ fn, args: args.map(register) })),
      result: register(value),
    };
  }

  private token(): Token {
    return this.tokens[this.at]!;
  }

  private fault(expected: string): Fault {
    const token = this.token();
    const found =
      token.kind === 'end' ? 'it ends' : `'${token.kind === 'number' ? token.value : token.text}' stands`;
    return new Fault(`${found} at character ${token.at + 1}, where ${expected} is expected`);
  }

  private isName(text: string): boolean {
    const token = this.token();
    return token.kind === 'name' && token.text === text;
  }

  private takes(sign: string): boolean {
    const token = this.token();
    if (token.kind !== 'sign' || token.text !== sign) return false;
    this.at++;
    return true;
  }

  private expect(sign: string): void {
    if (!this.takes(sign)) throw this.fault(`'${sign}'`);
  }

  private definition(): void {
    this.at++;
    const token = this.token();
    if (token.kind !== 'name' || token.text === 'x' || token.text === 'let' || /^p\d+$/.test(token.text)) {
      throw this.fault('a new name');
    }
    if (this.names.has(token.text) || isScalarFunction(token.text)) throw this.fault('a new name');
    this.at++;
    this.expect('=');
    const value = this.sum();
    this.expect(';');
    this.names.set(token.text, value);
  }

  private push(fn: ScalarFunction, args: ReadonlyArray<Value>): Value {
    if (this.steps.length >= MOST_STEPS) throw new Fault(`it has more than ${MOST_STEPS} operations`);
    return { kind: 'step', index: this.steps.push({ fn, args }) - 1 };
  }

  private chain(signs: ReadonlyArray<string>, part: () => Value): Value {
    let left = part();
    for (;;) {
      const token = this.token();
      if (token.kind !== 'sign' || !signs.includes(token.text)) return left;
      this.at++;
      left = this.push(INFIX[token.text]!, [left, part()]);
    }
  }

  private sum(): Value {
    if (++this.depth > DEEPEST) throw new Fault(`it nests more than ${DEEPEST} deep`);
    const value = this.chain(['+', '-'], () => this.chain(['*', '/'], () => this.sign()));
    this.depth--;
    return value;
  }

  private sign(): Value {
    let negative = false;
    let some = false;
    while (this.takes('-')) {
      negative = !negative;
      some = true;
    }
    const token = this.token();
    // A sign before a number is a part of it.
    if (some && negative && token.kind === 'number') {
      this.at++;
      return this.literal(-token.value);
    }
    const value = this.atom();
    return negative ? this.push('neg', [value]) : value;
  }

  private literal(value: number): Value {
    const known = this.literals.findIndex((l) => Object.is(l, value));
    return { kind: 'literal', index: known >= 0 ? known : this.literals.push(value) - 1 };
  }

  private atom(): Value {
    const token = this.token();
    if (token.kind === 'number') {
      this.at++;
      return this.literal(token.value);
    }
    if (this.takes('(')) {
      const value = this.sum();
      this.expect(')');
      return value;
    }
    if (token.kind !== 'name') throw this.fault('a number, a name or a function');
    const known = this.names.get(token.text);
    const parameter = /^p(\d{1,4})$/.exec(token.text);
    if (known === undefined && token.text !== 'x' && parameter === null) return this.call(token.text);
    this.at++;
    if (known !== undefined) return known;
    if (parameter === null) return { kind: 'x' };
    const index = Number(parameter[1]);
    this.parameters = Math.max(this.parameters, index + 1);
    return { kind: 'parameter', index };
  }

  private call(name: string): Value {
    if (!isScalarFunction(name)) throw this.fault('a function, x, a parameter or a name that let gives');
    this.at++;
    this.expect('(');
    const args = [this.sum()];
    while (this.takes(',')) args.push(this.sum());
    if (args.length !== arityOf(name)) throw this.fault(`${arityOf(name)} arguments of ${name}`);
    this.expect(')');
    return this.push(name, args);
  }
}

/** A text as an expression, or what is wrong with it. */
export const parseExpression = (text: string): E.Either<string, Expression> => {
  if (text.length > MOST_CHARACTERS) return E.left(`the function has ${text.length} characters`);
  const tokens = tokensOf(text);
  if (typeof tokens === 'number') {
    return E.left(`the function has '${text.slice(tokens).trim().slice(0, 1)}' at character ${tokens + 1}`);
  }
  try {
    return E.right(new Parser(tokens).parse());
  } catch (error) {
    // The parser leaves its recursion by this exception; all others are faults of ours.
    if (error instanceof Fault) return E.left(`the function: ${error.message}`);
    throw error;
  }
};
