/**
 * The blocks of a page of documentation that people copy: commands, files and programs. A comment of HTML above a block,
 * which readers do not see, says what is special about it:
 *
 *     <!-- file: NAME -->       it is the content of a file that later blocks use
 *     <!-- run: CODE -->        a program in JavaScript is run behind this code (which may be empty)
 *     <!-- slow: REASON -->     commands that are run only where KANC_SLOW_DOCS is set
 *     <!-- not run: REASON -->  commands that a test cannot run
 */

const MARKERS = ['file', 'run', 'slow', 'not run'] as const;

export interface Marker {
  readonly kind: (typeof MARKERS)[number];
  readonly text: string;
}

export interface Block {
  /** 1-based, of the first line of its text. */
  readonly line: number;
  /** That of the fence; empty for indented blocks. */
  readonly language: string;
  readonly text: string;
  readonly marker: Marker | undefined;
}

const FENCE = /^```(\w*)$/;

const markerOf = (line: string): Marker | undefined => {
  const found = /^<!-- ([a-z ]+): ?(.*) ?-->$/.exec(line.trim());
  const kind = MARKERS.find((name) => name === found?.[1]);
  return kind === undefined ? undefined : { kind, text: (found?.[2] ?? '').trim() };
};

/** From `start` the lines for which `inside` holds. */
const linesFrom = (
  lines: ReadonlyArray<string>,
  start: number,
  inside: (line: string) => boolean,
): ReadonlyArray<string> => {
  let end = start;
  while (end < lines.length && inside(lines[end] ?? '')) end++;
  return lines.slice(start, end);
};

/** All blocks of a page, in order. */
export const blocksOf = (page: string): ReadonlyArray<Block> => {
  const lines = page.split('\n');
  const blocks: Block[] = [];
  let marker: Marker | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line);
    const indented = line.startsWith('    ') && (lines[at - 1] ?? '') === '';
    if (fence !== null || indented) {
      const start = fence === null ? at : at + 1;
      const body =
        fence === null
          ? linesFrom(lines, start, (l) => l.startsWith('    '))
          : linesFrom(lines, start, (l) => !l.startsWith('```'));
      const text = body.map((l) => (fence === null ? l.slice(4) : l)).join('\n');
      blocks.push({ line: start + 1, language: fence?.[1] ?? '', text, marker });
      marker = undefined;
      at = start + body.length - (fence === null ? 1 : 0);
    } else if (line.trim() !== '') {
      marker = markerOf(line);
    }
  }
  return blocks;
};

const COMMAND = /^(?:(?:npx )?kanc|npx|npm|make|node \S+js|cd|seq|pip|python3?|[A-Z]+=\S+$) ?/m;

/** Whether it is something to type into a shell. */
export const isCommands = ({ language, text }: Block): boolean =>
  language === 'bash' || language === 'sh' || (language === '' && COMMAND.test(text));

/** Lines of a shell, those that end in a backslash joined with the next. */
const logicalLines = (text: string): ReadonlyArray<string> => text.replace(/ *\\\n */g, ' ').split('\n');

export interface KancCall {
  readonly command: string;
  readonly options: ReadonlyArray<string>;
}

/** The calls of kanc in a text, synopses and lines of scripts included. */
export const kancCalls = (text: string): ReadonlyArray<KancCall> =>
  logicalLines(text).flatMap((line) =>
    [...line.matchAll(/(?:^|[\s'"])kanc ([a-z]+)\b((?:[^&|;#]|"[^"]*")*)/g)].map((found) => ({
      command: found[1] ?? '',
      options: (found[2] ?? '').match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [],
    })),
  );
