/**
 * Counters in source text: one for each block that control may take or leave. What a run reaches is then an array of
 * counts, read and cleared in microseconds; coverage as V8 tells it takes about a millisecond for each run.
 */
import ts from 'typescript';

/** Where counters stand in the process, for instrumented modules to find. */
export const COUNTERS = '__kancCounters';

/** Gives numbers to counters, over all modules. */
export interface Numbering {
  next: number;
  /** Words that stand in the sources as text: a reader compares with them. */
  readonly words: Set<string>;
}

export const numbering = (): Numbering => ({ next: 0, words: new Set() });

const LONGEST_WORD = 24;

type Counted = (node: ts.Node) => ts.Node;

const LAZY: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

/** The module with `++counters[n]` at the start of every block, branch of an expression and function. */
export const instrumented = (source: string, file: string, numbers: Numbering): string => {
  const transformer: ts.TransformerFactory<ts.SourceFile> = (context) => {
    const f = context.factory;
    const count = (): ts.Expression =>
      f.createPrefixIncrement(f.createElementAccessExpression(f.createIdentifier(COUNTERS), numbers.next++));
    const statement = (): ts.Statement => f.createExpressionStatement(count());
    const counted = (e: ts.Expression): ts.Expression =>
      f.createParenthesizedExpression(f.createCommaListExpression([count(), e]));
    const expression = (e: ts.Expression): ts.Expression => counted(ts.visitNode(e, visit, ts.isExpression));
    const visit: Counted = (node) => {
      if (ts.isTypeNode(node)) return node;
      if (ts.isStringLiteral(node) && node.text.length > 0 && node.text.length <= LONGEST_WORD) {
        numbers.words.add(node.text);
      }
      if (ts.isConditionalExpression(node)) {
        return f.updateConditionalExpression(
          node,
          ts.visitNode(node.condition, visit, ts.isExpression),
          node.questionToken,
          expression(node.whenTrue),
          node.colonToken,
          expression(node.whenFalse),
        );
      }
      if (ts.isBinaryExpression(node) && LAZY.has(node.operatorToken.kind)) {
        const left = ts.visitNode(node.left, visit, ts.isExpression);
        return f.updateBinaryExpression(node, left, node.operatorToken, expression(node.right));
      }
      if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
        const shell = ts.visitEachChild(
          node,
          (child) => (child === node.body ? child : visit(child)),
          context,
        );
        const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = shell;
        const body = expression(node.body);
        return f.updateArrowFunction(
          shell,
          modifiers,
          typeParameters,
          parameters,
          type,
          equalsGreaterThanToken,
          body,
        );
      }
      const inner = ts.visitEachChild(node, visit, context);
      if (ts.isBlock(inner)) return f.updateBlock(inner, [statement(), ...inner.statements]);
      if (ts.isCaseClause(inner)) {
        return f.updateCaseClause(inner, inner.expression, [statement(), ...inner.statements]);
      }
      if (ts.isDefaultClause(inner)) return f.updateDefaultClause(inner, [statement(), ...inner.statements]);
      if (ts.isIfStatement(inner)) {
        const branch = (s: ts.Statement): ts.Statement =>
          ts.isBlock(s) || ts.isIfStatement(s) ? s : f.createBlock([statement(), s]);
        const otherwise = inner.elseStatement === undefined ? undefined : branch(inner.elseStatement);
        return f.updateIfStatement(inner, inner.expression, branch(inner.thenStatement), otherwise);
      }
      return inner;
    };
    return (module) => ts.visitNode(module, visit, ts.isSourceFile);
  };
  const { outputText } = ts.transpileModule(source, {
    fileName: file,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    transformers: { before: [transformer] },
  });
  return `const ${COUNTERS} = globalThis.${COUNTERS};\n${outputText}`;
};
