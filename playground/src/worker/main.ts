/** The worker: one request after another. To stop one, the page ends the worker. */
import * as E from 'fp-ts/lib/Either.js';
import { TARGETS } from '../../../src/backends/index.js';
import { type Diagnostics, showDiagnostic } from '../../../src/diagnostics/index.js';
import type { Compilation } from '../../../src/driver/compile.js';
import type { NamedPass } from '../../../src/passes/registry.js';
import type { Progress, Project, Reply, Request, Settings } from '../shared/protocol.js';
import { compileInputOf, compileProject, measureProgram } from './compile.js';
import { measureGpu } from './gpu.js';
import { inputOf } from './measure.js';
import { importNetwork, openProject } from './open.js';
import { packTargets } from './pack.js';
import { type LoadedProject, loadProject } from './project.js';
import { measureReference } from './reference.js';
import { projectPasses } from './remember.js';

const reply = (message: Reply, transfer: Transferable[] = []): void => {
  self.postMessage(message, { transfer });
};

/** Ends a request with what is wrong with what it was given. */
class Refused extends Error {
  constructor(diagnostics: Diagnostics) {
    super(diagnostics.map(showDiagnostic).join('\n'));
  }
}

const accepted = <A>(result: E.Either<Diagnostics, A>): A => {
  if (E.isLeft(result)) throw new Refused(result.left);
  return result.right;
};

/** The last project and the last compilation: the next request is often about the same. */
let loaded:
  | {
      readonly key: string;
      readonly project: LoadedProject;
      readonly level: string;
      readonly passes: ReadonlyArray<NamedPass>;
    }
  | undefined;
let compiled: { readonly key: string; readonly compilation: Compilation } | undefined;

/** Blobs have no name; sizes and the page's number of the project tell them apart. */
const projectKey = ({ files, roles, reading, id }: Project): string =>
  JSON.stringify([id, files.map(({ name, content }) => [name, content.size]), roles, reading]);

const projectOf = async (project: Project): Promise<NonNullable<typeof loaded>> => {
  const key = projectKey(project);
  if (loaded?.key === key) return loaded;
  const read = accepted(await loadProject(project));
  const { graph } = accepted(importNetwork(read));
  loaded = { key, project: read, level: graph.level, passes: projectPasses() };
  return loaded;
};

const compilationOf = async (
  project: Project,
  settings: Settings,
  tell: (progress: Progress) => void,
): Promise<Compilation> => {
  const { key: projectsKey, project: read, level, passes } = await projectOf(project);
  const key = JSON.stringify([projectsKey, settings]);
  if (compiled?.key === key) return compiled.compilation;
  compiled = undefined;
  const compilation = accepted(await compileProject(compileInputOf(read, settings, level), passes, tell));
  compiled = { key, compilation };
  return compilation;
};

const compile = async (request: Extract<Request, { _tag: 'compile' }>): Promise<void> => {
  const { job, project, settings } = request;
  const started = performance.now();
  const compilation = await compilationOf(project, settings, (progress) =>
    reply({ _tag: 'progress', job, progress }),
  );
  const milliseconds = performance.now() - started;
  const { project: read } = await projectOf(project);
  reply({ _tag: 'compiled', job, compiled: accepted(await measureProgram(read, compilation, milliseconds)) });
  if (request.wantsReference) {
    const reference = accepted(measureReference(read));
    if (reference !== undefined) reply({ _tag: 'reference', job, reference });
  }
  const type = compilation.graph.inputs[0]?.type;
  if (request.wantsGpu && type !== undefined && read.inputs !== undefined) {
    const sample = accepted(inputOf(read.inputs, type, 1));
    reply({ _tag: 'gpu', job, gpu: await measureGpu(compilation, sample) });
  }
  reply({ _tag: 'done', job });
};

const answer = async (request: Exclude<Request, { _tag: 'warm' }>): Promise<void> => {
  const { job } = request;
  switch (request._tag) {
    case 'open': {
      const { project } = await projectOf(request.project);
      reply({ _tag: 'opened', job, opened: accepted(openProject(project)) });
      return;
    }
    case 'compile':
      await compile(request);
      return;
    case 'pack': {
      const compilation = await compilationOf(request.project, request.settings, () => {});
      const zip = accepted(await packTargets(compilation, request.targets));
      reply({ _tag: 'packed', job, zip }, [zip.buffer]);
      return;
    }
  }
};

const failureText = (error: unknown): string => {
  if (error instanceof Refused) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `kanc stopped because of an error of its own: ${message}. Please report it, with the checkpoint if you may share it.`;
};

let last: Promise<void> = Promise.resolve();

self.addEventListener('message', ({ data: request }: MessageEvent<Request>) => {
  if (request._tag === 'warm') {
    // It takes the longest to load; nothing waits for it.
    void import('binaryen').catch(() => {});
    return;
  }
  last = last
    .then(() => answer(request))
    .catch((error: unknown) => reply({ _tag: 'failed', job: request.job, text: failureText(error) }));
});

reply({ _tag: 'ready', targets: TARGETS.map(({ name, summary }) => ({ name, summary })) });
