/**
 * The compiler behind the page. It computes without a pause, so that the only way to stop it is to end its worker; a
 * second one, which has loaded what takes long, stands by and goes on.
 */
import type {
  Compiled,
  GpuResult,
  Opened,
  Progress,
  Project,
  Reference,
  Reply,
  Request,
  Settings,
  TargetFacts,
} from '../shared/protocol.js';

/** Hears of one compilation; of nothing once it was superseded. */
export interface CompileListener {
  readonly progress: (progress: Progress) => void;
  readonly compiled: (compiled: Compiled) => void;
  readonly reference: (reference: Reference) => void;
  readonly gpu: (gpu: GpuResult) => void;
  readonly done: () => void;
  readonly failed: (text: string) => void;
}

export interface Compiler {
  /** Rejects with the text of diagnostics; never settles once it was superseded. */
  readonly open: (project: Project) => Promise<Opened>;
  readonly compile: (
    asked: { project: Project; settings: Settings; wantsReference: boolean; wantsGpu: boolean },
    listener: CompileListener,
  ) => void;
  /** A zip file. Goes on when the settings change meanwhile. */
  readonly pack: (
    project: Project,
    settings: Settings,
    targets: ReadonlyArray<string>,
  ) => Promise<Uint8Array<ArrayBuffer>>;
}

interface Outstanding {
  readonly request: Exclude<Request, { readonly _tag: 'warm' }>;
  readonly hear: (reply: Reply) => void;
}

const LOST = 'The compiler ran out of memory or could not be loaded. Fewer bits need smaller tables.';

/** `onTargets` hears what the compiler can compile for. */
export const startCompiler = (onTargets: (targets: ReadonlyArray<TargetFacts>) => void): Compiler => {
  let jobs = 0;
  let outstanding: ReadonlyArray<Outstanding> = [];

  const forget = (job: number): void => {
    outstanding = outstanding.filter(({ request }) => request.job !== job);
  };

  const hear = (reply: Reply): void => {
    if (reply._tag === 'ready') {
      onTargets(reply.targets);
      return;
    }
    const found = outstanding.find(({ request }) => request.job === reply.job);
    if (reply._tag !== 'progress' && found?.request._tag !== 'compile') forget(reply.job);
    if (reply._tag === 'done' || reply._tag === 'failed') forget(reply.job);
    found?.hear(reply);
    if (reply._tag === 'done') standBy();
  };

  const start = (): Worker => {
    const worker = new Worker(new URL('worker.js', document.baseURI), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      if (worker === active) hear(data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker === spare) spare = undefined;
      if (worker === active) lose();
    });
    return worker;
  };

  let spare: Worker | undefined;
  let active = start();
  active.postMessage({ _tag: 'warm' } satisfies Request);

  const standBy = (): void => {
    if (spare !== undefined) return;
    spare = start();
    spare.postMessage({ _tag: 'warm' } satisfies Request);
  };

  const replace = (): void => {
    active.terminate();
    active = spare ?? start();
    spare = undefined;
  };

  const lose = (): void => {
    const lost = outstanding;
    outstanding = [];
    replace();
    for (const { request, hear: tell } of lost) tell({ _tag: 'failed', job: request.job, text: LOST });
  };

  const send = (asked: Outstanding): void => {
    outstanding = [...outstanding, asked];
    active.postMessage(asked.request);
  };

  /** Ends what is computed for the page; what is computed for a download begins again after `next`. */
  const supersede = (next: Outstanding): void => {
    const packing = outstanding.filter(({ request }) => request._tag === 'pack');
    if (outstanding.length > packing.length) {
      outstanding = [];
      replace();
      send(next);
      for (const asked of packing) send(asked);
    } else send(next);
  };

  return {
    open: (project) =>
      new Promise((resolve, reject) => {
        supersede({
          request: { _tag: 'open', job: jobs++, project },
          hear: (reply) => {
            if (reply._tag === 'opened') resolve(reply.opened);
            if (reply._tag === 'failed') reject(new Error(reply.text));
          },
        });
      }),
    compile: (asked, listener) => {
      supersede({
        request: { _tag: 'compile', job: jobs++, ...asked },
        hear: (reply) => {
          if (reply._tag === 'progress') listener.progress(reply.progress);
          if (reply._tag === 'compiled') listener.compiled(reply.compiled);
          if (reply._tag === 'reference') listener.reference(reply.reference);
          if (reply._tag === 'gpu') listener.gpu(reply.gpu);
          if (reply._tag === 'done') listener.done();
          if (reply._tag === 'failed') listener.failed(reply.text);
        },
      });
    },
    pack: (project, settings, targets) =>
      new Promise((resolve, reject) => {
        send({
          request: { _tag: 'pack', job: jobs++, project, settings, targets },
          hear: (reply) => {
            if (reply._tag === 'packed') resolve(reply.zip);
            if (reply._tag === 'failed') reject(new Error(reply.text));
          },
        });
      }),
  };
};
