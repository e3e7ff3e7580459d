/** The streams of a Node process. */
import * as t from 'io-ts';
import { printable } from '../../diagnostics/index.js';
import type { Terminal } from '../capabilities.js';
import { reasonOf } from './files.js';

const Broken = t.type({ code: t.keyof({ EPIPE: null, EBADF: null, ERR_STREAM_DESTROYED: null }) });

type Stream = NodeJS.WriteStream & { fd: 1 | 2 };

/** Streams that nobody reads any more. */
const unread = new Set<Stream>();
const watched = new Set<Stream>();

/**
 * A reader that stops early (`kanc print x | head`) is no error, and a stream that is closed is no reason to leave work
 * undone: what is said there goes nowhere, and files and exit codes are what they would have been.
 */
const watch = (stream: Stream, onOther: (reason: string) => void): void => {
  if (watched.has(stream)) return;
  watched.add(stream);
  stream.on('error', (error) => {
    unread.add(stream);
    if (!Broken.is(error)) onOther(reasonOf(error));
  });
};

const say = (stream: Stream, text: string): void => {
  if (!unread.has(stream)) stream.write(text);
};

export const nodeTerminal = (): Terminal => {
  const { stdout, stderr } = process;
  // Results are lost then, which the exit code must tell.
  watch(stdout, (reason) => {
    say(stderr, `error K0102: standard output cannot be written: ${reason}\n`);
    process.exit(1);
  });
  // There is nowhere to tell it.
  watch(stderr, () => {});
  let shown = false;
  const clear = (): void => {
    if (shown) say(stderr, '\r\u001b[2K');
    shown = false;
  };
  return {
    out: (text) => say(stdout, text),
    err: (text) => {
      clear();
      say(stderr, text);
    },
    live: stderr.isTTY === true,
    progress: (text) => {
      if (!stderr.isTTY) return;
      clear();
      if (text === '') return;
      say(stderr, printable(text).slice(0, Math.max(10, stderr.columns - 1)));
      shown = true;
    },
  };
};
