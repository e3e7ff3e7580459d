/** Archives and folders of other formats that people try, told by the names in them, with what to do instead. */

export const AS_WEIGHTS = 'Save the weights as safetensors, or with torch.save(model.state_dict(), path).';
export const AS_STATE_DICT =
  'Save the weights of the module before it is exported: torch.save(model.state_dict(), path), or safetensors.';
export const NO_TORCH =
  'kanc reads networks of torch libraries: give the torch checkpoint, where there is one.';

/** What to do with a folder of torch.distributed.checkpoint. */
export const DISTRIBUTED =
  'Make one file of the folder: from torch.distributed.checkpoint.format_utils import dcp_to_torch_save; dcp_to_torch_save(folder, "model.pt").';

/** What a file or folder is, and what to do instead. */
export interface Other {
  readonly what: string;
  readonly hint: string;
}

/** Kinds of zip archives that torch.save does not write, by the names in them. First match wins. */
const OTHER_ZIPS: ReadonlyArray<Other & { readonly matches: (names: ReadonlyArray<string>) => boolean }> = [
  {
    matches: (names) => names.includes('model.weights.h5') || names.includes('keras_metadata.pb'),
    what: 'a Keras archive (.keras)',
    hint: NO_TORCH,
  },
  {
    matches: (names) =>
      has(names, /^(?:[^/]+\/)?(?:models\/[^/]+\.json|serialized_exported_program\.json|archive_format)$/),
    what: 'a program that torch.export wrote (.pt2), not a checkpoint',
    hint: AS_STATE_DICT,
  },
  {
    matches: (names) => has(names, /^(?:[^/]+\/)?bytecode\.pkl$/),
    what: 'a TorchScript program of the lite interpreter (.ptl), not a checkpoint',
    hint: AS_STATE_DICT,
  },
  {
    matches: (names) => has(names, /^MAR-INF\//),
    what: 'an archive of TorchServe (.mar)',
    hint: 'Unpack it, and give the checkpoint in it.',
  },
  {
    matches: (names) => has(names, /\.(?:pt|pth|ckpt|safetensors|bin)$/),
    what: 'a zip archive with a checkpoint in it',
    hint: 'Unpack it, and give the checkpoint.',
  },
];

/** Folders that libraries write as checkpoints, by the names in them. First match wins. */
const OTHER_FOLDERS: ReadonlyArray<Other & { readonly matches: (names: ReadonlyArray<string>) => boolean }> =
  [
    {
      matches: (names) => names.includes('.metadata') && has(names, /\.distcp$/),
      what: 'a checkpoint of torch.distributed.checkpoint',
      hint: DISTRIBUTED,
    },
    {
      matches: (names) => names.includes('saved_model.pb'),
      what: 'a TensorFlow SavedModel',
      hint: NO_TORCH,
    },
    {
      matches: (names) => has(names, /^(?:_CHECKPOINT_METADATA|_METADATA|manifest\.ocdbt)$/),
      what: 'a checkpoint of orbax (JAX)',
      hint: NO_TORCH,
    },
  ];

const has = (names: ReadonlyArray<string>, pattern: RegExp): boolean =>
  names.some((name) => pattern.test(name));

/** What a zip archive with entries of these names is; undefined where it may be of torch.save. */
export const otherZip = (names: ReadonlyArray<string>): Other | undefined =>
  names.length === 0 ? undefined : OTHER_ZIPS.find(({ matches }) => matches(names));

/** What a folder with these names is; undefined where it is none of another library. */
export const otherFolder = (names: ReadonlyArray<string>): Other | undefined =>
  OTHER_FOLDERS.find(({ matches }) => matches(names));
