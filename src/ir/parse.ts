/**
 * Reads `.kir` text. Text may come from anywhere, so nothing is trusted: nesting is limited, sizes are compared
 * before memory is taken, every resource is hashed again, and every printed type is inferred again.
 * What the parser does not check (levels, proven ranges, values of constants), the verifier does.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Checked, invariant } from '../diagnostics/index.js';
import type { Graph } from './graph.js';
import { cursorOf, diagnose, type Fault } from './lexer.js';
import { takeGraph } from './parse-graph.js';
import { resolveGraph } from './parse-resolve.js';
import { takeResources } from './parse-resources.js';
import { unexpected } from './parse-value.js';
import { ELIDED } from './print.js';

/**
 * The graph of a `.kir` text; `file` is for messages. Fails with K0301 (grammar, names, types), K0302
 * (resources) or K0303 (attributes), each with a line and a column.
 */
export const parseGraph = (text: string, file?: string): Checked<Graph> => {
  const failed = (first: Fault, ...more: Fault[]): Checked<Graph> =>
    E.left([diagnose(text, first, file), ...more.map((fault) => diagnose(text, fault, file))]);
  const cursor = cursorOf(text);
  const syntax = takeGraph(cursor);
  const resources = syntax && takeResources(cursor);
  const end = cursor.peek();
  if (resources !== undefined && end.kind !== 'end') unexpected(cursor, end, 'the end of the text');
  const fault = cursor.fault();
  if (fault !== undefined) return failed(fault);
  invariant(syntax !== undefined && resources !== undefined, 'parsing stopped without a fault');
  return pipe(
    resolveGraph(syntax, resources, resources.size === 0 && text.includes(ELIDED)),
    E.orElse((faults) => failed(...faults)),
  );
};
