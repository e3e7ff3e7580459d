/**
 * Makes src/backends/texts.ts of web/loaders: the code that artifacts hold beside their program, as text. The compiler runs in
 * browsers too, so that it has the text as strings, and whoever works on something else needs no build: the file is
 * committed, and a test tells when it is not up to date. `npm run loaders` writes it.
 *
 * A text is a file with all that it imports, one after another, without types and formatted again: comments and names stay.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'web', 'loaders');
const target = join(root, 'src', 'backends', 'texts.ts');

/** Every text with the file that it begins at. */
const ENTRIES = {
  WASM_LOADER: 'wasm/index.ts',
  WASM_WORKER: 'wasm/worker.ts',
  WGSL_LOADER: 'wgsl/index.ts',
  WGSL_STAGES: 'wgsl/stages.ts',
} as const;

/** A stretch of a file that is left out. */
interface Cut {
  readonly from: number;
  readonly to: number;
}

const isKind =
  (...kinds: ReadonlyArray<ts.SyntaxKind>) =>
  (node: ts.Node): boolean =>
    kinds.includes(node.kind);

const isType = (node: ts.Node): boolean =>
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(isKind(ts.SyntaxKind.DeclareKeyword)) === true);

/** A statement, with what is said about it right before it. */
const whole = (node: ts.Node, file: ts.SourceFile): Cut => {
  const comment = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
  return { from: comment?.pos ?? node.getStart(file), to: node.end };
};

/** `: T` of a name or a function, and the question mark of a parameter. */
const annotations = (node: ts.Node, file: ts.SourceFile): ReadonlyArray<Cut> => {
  const children = node.getChildren(file);
  return children.flatMap((child, k) => {
    const next = children[k + 1];
    if (child.kind === ts.SyntaxKind.QuestionToken && ts.isParameter(node))
      return [{ from: child.pos, to: child.end }];
    return child.kind === ts.SyntaxKind.ColonToken && next !== undefined && ts.isTypeNode(next)
      ? [{ from: child.pos, to: next.end }]
      : [];
  });
};

/** What of a file is for the type checker alone. */
const typesIn = (file: ts.SourceFile): ReadonlyArray<Cut> => {
  const visit = (node: ts.Node): ReadonlyArray<Cut> => {
    if (isType(node)) return [whole(node, file)];
    if (ts.isImportDeclaration(node)) return [{ from: node.getStart(file), to: node.end }];
    const inner = (): ReadonlyArray<Cut> => {
      const found: Array<Cut> = [];
      ts.forEachChild(node, (child) => {
        if (!ts.isTypeNode(child)) found.push(...visit(child));
      });
      return found;
    };
    const own: Array<Cut> = [];
    if (ts.isParameter(node) || ts.isVariableDeclaration(node) || ts.isFunctionLike(node)) {
      own.push(...annotations(node, file));
    }
    const list = typeListOf(node);
    if (list !== undefined) own.push({ from: list.pos - 1, to: list.end + 1 });
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node)) {
      own.push({ from: node.expression.end, to: node.end });
    }
    return [...own, ...inner()];
  };
  return file.statements.flatMap(visit);
};

/** The list between angle brackets. */
const typeListOf = (node: ts.Node): ts.NodeArray<ts.Node> | undefined => {
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return node.typeArguments;
  return ts.isArrowFunction(node) ? node.typeParameters : undefined;
};

/** Exports are those of the entry alone; what it passes on it has by then. */
const exportsIn = (file: ts.SourceFile, isEntry: boolean): ReadonlyArray<Cut> =>
  file.statements.flatMap((node): ReadonlyArray<Cut> => {
    if (ts.isExportDeclaration(node) && isEntry) {
      return [{ from: node.exportClause?.end ?? node.end, to: node.moduleSpecifier?.end ?? node.end }];
    }
    if (ts.isVariableStatement(node) && !isEntry) {
      const [word] = node.modifiers ?? [];
      return word === undefined || isType(node) ? [] : [{ from: word.getStart(file), to: word.end + 1 }];
    }
    return [];
  });

const without = (text: string, cuts: ReadonlyArray<Cut>): string =>
  [...cuts]
    .sort((a, b) => b.from - a.from)
    .reduce((rest, { from, to }) => rest.slice(0, from) + rest.slice(to), text);

/** The files whose values a file needs, in its order. */
const neededBy = (file: ts.SourceFile, path: string): ReadonlyArray<string> =>
  file.statements.flatMap((node) => {
    const isImport = ts.isImportDeclaration(node) && node.importClause?.isTypeOnly !== true;
    if (!isImport && !ts.isExportDeclaration(node)) return [];
    const from = node.moduleSpecifier;
    return from !== undefined && ts.isStringLiteral(from)
      ? [join(dirname(path), from.text.replace(/\.js$/, '.ts'))]
      : [];
  });

const namesIn = (file: ts.SourceFile): ReadonlyArray<string> =>
  file.statements
    .filter(ts.isVariableStatement)
    .filter((node) => !isType(node))
    .flatMap((node) => node.declarationList.declarations.map((d) => d.name.getText(file)));

/** A file with all that it needs before it. */
const bundle = (entry: string): string => {
  const seen = new Set<string>();
  const names = new Set<string>();
  const visit = (path: string): ReadonlyArray<string> => {
    if (seen.has(path)) return [];
    seen.add(path);
    const text = readFileSync(join(sources, path), 'utf8');
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    const before = neededBy(file, path).flatMap(visit);
    for (const name of namesIn(file)) {
      if (names.has(name)) throw new Error(`${path}: '${name}' is the name of something else in ${entry}`);
      names.add(name);
    }
    // What is left of a file of types alone would be its first comment.
    if (file.statements.every((node) => isType(node) || ts.isImportDeclaration(node))) return before;
    return [...before, without(text, [...typesIn(file), ...exportsIn(file, path === entry)])];
  };
  return visit(entry).join('\n');
};

/** As the sources are formatted. */
const formatted = (text: string): string => {
  const biome = join(
    dirname(createRequire(import.meta.url).resolve('@biomejs/biome/package.json')),
    'bin',
    'biome',
  );
  return execFileSync(process.execPath, [biome, 'format', '--stdin-file-path=loader.js'], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  });
};

/** What src/backends/texts.ts should be. */
export const textsModule = (): string => {
  const meta = readFileSync(join(sources, 'shared', 'meta.ts'), 'utf8').trim();
  const texts = Object.entries(ENTRIES).map(([name, entry]) => [name, formatted(bundle(entry))] as const);
  return [
    '// Made by scripts/loaders.ts of web/loaders: edit those, and run `npm run loaders`.',
    ...[...texts, ['META_TYPES', meta] as const].map(
      ([name, text]) => `export const ${name} = ${JSON.stringify(text)};`,
    ),
    '',
  ].join('\n');
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(target, textsModule());
