/** Functions of the distance to a center: Gaussians and the reflectional switch, in whatever way they are written. */
import type { RadialKernel } from '../../ir/basis.js';
import { exp, log } from '../../numeric/transcendental.js';
import type { FunctionId, FunctionTable } from '../functions.js';
import type { PolynomialForm } from './polynomial-form.js';

/** offset + factor * kernel((x - center) / width). */
export interface RadialTerm {
  readonly kernel: RadialKernel;
  readonly center: number;
  readonly width: number;
  readonly factor: number;
  readonly offset: number;
}

type Forms = (id: FunctionId) => PolynomialForm;

/** The exponent of e that a function is, as a polynomial of x of degree 2. */
const exponentOf = (
  table: FunctionTable,
  forms: Forms,
  id: FunctionId,
): ReadonlyArray<number> | undefined => {
  const node = table.nodeOf(id);
  if (node.kind !== 'call' || (node.fn !== 'exp' && node.fn !== 'pow')) return undefined;
  const base = node.fn === 'exp' ? undefined : table.constantOf(node.args[0]!);
  if (node.fn === 'pow' && !(base !== undefined && base > 0)) return undefined;
  const { generator, coefficients } = forms(node.args[base === undefined ? 0 : 1]!);
  if (generator !== table.x || coefficients.length !== 3) return undefined;
  return base === undefined ? coefficients : coefficients.map((c) => c * log(base));
};

/** exp(a + b x + c x^2) with c < 0, completed to a square. */
const gaussianOf = (exponent: ReadonlyArray<number>): RadialTerm | undefined => {
  const [a, b, c] = [exponent[0]!, exponent[1]!, exponent[2]!];
  if (!(c < 0)) return undefined;
  const factor = exp(a - (b * b) / (4 * c));
  if (!(factor > 0) || !Number.isFinite(factor)) return undefined;
  // The square that was expanded has lost a few digits: what is 1 up to those is 1.
  const rounded = Math.abs(factor - 1) < 1e-9 ? 1 : factor;
  return {
    kernel: 'gaussian',
    center: b === 0 ? 0 : -b / (2 * c),
    width: 1 / Math.sqrt(-c),
    factor: rounded,
    offset: 0,
  };
};

/** a + c * tanh(u)^2 is a + c - c * (1 - tanh(u)^2), u linear in x. */
const switchOf = (table: FunctionTable, forms: Forms, form: PolynomialForm): RadialTerm | undefined => {
  const { generator, coefficients } = form;
  if (generator === undefined || coefficients.length !== 3 || coefficients[1] !== 0) return undefined;
  const node = table.nodeOf(generator);
  if (node.kind !== 'call' || node.fn !== 'tanh') return undefined;
  const inner = forms(node.args[0]!);
  if (inner.generator !== table.x || inner.coefficients.length !== 2) return undefined;
  const [shift, slope] = [inner.coefficients[0]!, inner.coefficients[1]!];
  const [a, c] = [coefficients[0]!, coefficients[2]!];
  return {
    kernel: 'reflectional-switch',
    center: shift === 0 ? 0 : -shift / slope,
    width: 1 / Math.abs(slope),
    factor: -c,
    offset: a + c,
  };
};

/** What a function is as a radial basis function, or undefined. `form` is that of the function itself. */
export const radialOf = (
  table: FunctionTable,
  forms: Forms,
  id: FunctionId,
  form: PolynomialForm,
): RadialTerm | undefined => {
  const exponent = exponentOf(table, forms, id);
  return exponent === undefined ? switchOf(table, forms, form) : gaussianOf(exponent);
};
