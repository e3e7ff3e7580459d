/** What a pickled module tells beside its tensors. Containers give it; who builds networks gives it a meaning. */

/** The name of a class or function, as the file has it. */
export interface Named {
  readonly named: string;
}

/** A value that can be read without knowing any class. Nesting is limited by whoever makes it. */
export type PlainValue = number | boolean | string | null | Named | ReadonlyArray<PlainValue>;

/** One module of a network. */
export interface ModuleFacts {
  /** Its class with the Python module that defines it: `torch.nn.modules.linear.Linear`. */
  readonly type: string;
  /** Its attributes that are plain values. */
  readonly attributes: ReadonlyMap<string, PlainValue>;
  /** The names of the modules in it, in the order of their definition. */
  readonly children: ReadonlyArray<string>;
  /** Names of tensors that it has as plain attributes, which no state dict holds. */
  readonly loose: ReadonlyArray<string>;
}

/** The modules of a network by their path, an outer one before those in it; the network itself is at ''. */
export type Modules = ReadonlyMap<string, ModuleFacts>;

/** Names of modules by which wrappers have the module that they wrap: no module of anyone has such a name. */
export const WRAPPERS: ReadonlySet<string> = new Set([
  '_orig_mod',
  '_fsdp_wrapped_module',
  '_checkpoint_wrapped_module',
]);

/** The last part of the name of a class. */
export const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Modules whose path begins with `start` (dotted, or empty) by the rest of it, those at it by ''. */
export const modulesUnder = (modules: Modules, start: string): Modules => {
  if (start === '') return modules;
  const found = new Map<string, ModuleFacts>();
  for (const [path, facts] of modules) {
    if (`${path}.` === start) found.set('', facts);
    else if (path.startsWith(start)) found.set(path.slice(start.length), facts);
  }
  return found;
};

/** The same modules with more before their paths, which ends in a dot. */
export const modulesBehind = (modules: Modules, before: string): Modules =>
  new Map([...modules].map(([path, facts]) => [path === '' ? before.slice(0, -1) : before + path, facts]));
