import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { readCheckpoint, writeNpy } from '../../../src/importers/containers/index.js';
import { codeOf, messageOf } from '../../support/checked.js';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

describe('what is no checkpoint', () => {
  test.each([
    ['empty', new Uint8Array(0)],
    ['.npy array', writeNpy({ shape: [1], dtype: 'u1', data: Uint8Array.of(1) })],
    ['HDF5', bytesOf('\x89HDF\r\n\x1a\n\0\0\0\0')],
    ['GGUF', bytesOf('GGUF\x03\0\0\0')],
    ['ONNX', bytesOf('\x08\x08\x12\x07pytorch\x3a\x10cut off')],
    ['compressed', bytesOf('\x1f\x8b\x08\0\0\0')],
    ['Git LFS', bytesOf('version https://git-lfs.github.com/spec/v1\noid sha256:00\n')],
    ['web page', bytesOf('\n<!DOCTYPE html><html>')],
    ['a table of values (CSV)', bytesOf('epoch,loss\n1,0.5\n')],
    ['text file of JSON', bytesOf('{"0_0_0"{')],
    ['text file', bytesOf('layers: [4, 5, 3]\n')],
    ['TensorFlow SavedModel', bytesOf('\x08\x01\x12\x9a\x03\x0a')],
    ['MessagePack', bytesOf('\x81\xa6params\x82\xa1a')],
    ['MessagePack', bytesOf('\xde\0\x14\xd9\x20encoder_with_a_name_of_32_letters')],
    ['ExecuTorch', bytesOf('\x30\0\0\0ET12\0\0\0')],
    ['compressed', bytesOf('\x28\xb5\x2f\xfd\0')],
    ['no known kind', bytesOf('\0\x01\x02')],
  ])('%s', (what, bytes) => {
    const result = readCheckpoint(bytes, 'm.pt');
    expect(codeOf(result)).toBe('K0104');
    expect(messageOf(result)).toContain(what);
  });

  test.each([
    ['a Keras archive', ['metadata.json', 'config.json', 'model.weights.h5']],
    ['torch.export', ['model/data/weights/weight_0', 'model/models/model.json', 'model/archive_format']],
    ['torch.export', ['serialized_exported_program.json', 'serialized_state_dict.json']],
    ['lite interpreter', ['m/data.pkl', 'm/bytecode.pkl', 'm/constants.pkl']],
    ['TorchServe', ['MAR-INF/MANIFEST.json', 'model.pt']],
    ['a zip archive with a checkpoint in it', ['run/model.pt', 'run/log.txt']],
  ])('a zip that is %s', (what, names) => {
    const result = readCheckpoint(
      zipSync(Object.fromEntries(names.map((n) => [n, Uint8Array.of(1)]))),
      'm.pt',
    );
    expect(codeOf(result)).toBe('K0104');
    expect(messageOf(result)).toContain(what);
  });

  test('zip archives one after another, as in the files of torch.distributed.checkpoint', () => {
    const zip = zipSync({ 'archive/data.pkl': Uint8Array.of(0x80, 2, 0x4e, 0x2e) });
    const result = readCheckpoint(Uint8Array.from([...zip, ...zip]), '__0_0.distcp');
    expect(codeOf(result)).toBe('K0104');
    expect(messageOf(result)).toContain('dcp_to_torch_save');
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        readCheckpoint(bytes, 'm.pt');
      }),
      { numRuns: 2000 },
    );
  });
});
