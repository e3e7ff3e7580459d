/** What dropped files are taken for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { besideOf, rolesOf } from '../../playground/src/worker/files.js';
import { withDataBeside } from '../support/onnx-writer.js';

const inFolder = (folder: string) =>
  readdirSync(join('examples', folder)).map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(join('examples', folder, name))),
  }));

const used = (...folders: ReadonlyArray<string>) =>
  Object.fromEntries(
    Object.entries(rolesOf(folders.flatMap(inFolder))).filter(([, role]) => role !== 'unused'),
  );

describe('files that are dropped together', () => {
  it('are a checkpoint and its data', () => {
    expect(used('models/efficient-kan-wine', 'data/wine')).toEqual({
      'model.pt': 'checkpoint',
      'calib_inputs.npy': 'calibration',
      'test_inputs.npy': 'inputs',
      'test_labels.npy': 'labels',
    });
  });

  it('have labels that fit the inputs, where there are two', () => {
    expect(used('data/fashion-mnist')).toEqual({
      'calib_images.npy': 'calibration',
      'test_images.npy': 'inputs',
      'test_labels.npy': 'labels',
    });
  });

  it('are the files of pykan, of KANELE, and an architecture', () => {
    expect(used('models/pykan-wine')).toEqual({ model_state: 'checkpoint', 'model_config.yml': 'beside' });
    expect(used('models/kanele-wine')).toEqual({
      'truth_tables.json': 'checkpoint',
      'config.json': 'beside',
    });
    expect(used('models/conv-kan-fashion-batchnorm')).toEqual({
      'model.safetensors': 'checkpoint',
      'arch.json': 'architecture',
    });
  });

  it('may hold arrays in archives, which are no checkpoints', () => {
    const file = (path: string) => new Uint8Array(readFileSync(join('examples', path)));
    const zipped = (name: string, path: string) => ({ name, bytes: zipSync({ 'arr_0.npy': file(path) }) });
    const files = [
      { name: 'model.pt', bytes: file('models/efficient-kan-wine/model.pt') },
      zipped('x_calib.npz', 'data/wine/calib_inputs.npy'),
      zipped('x_test.npz', 'data/wine/test_inputs.npy'),
      zipped('y_test.npz', 'data/wine/test_labels.npy'),
    ];
    expect(rolesOf(files)).toEqual({
      'model.pt': 'checkpoint',
      'x_calib.npz': 'calibration',
      'x_test.npz': 'inputs',
      'y_test.npz': 'labels',
    });
  });

  it('are an exported graph and the files that hold its constants, whatever lies beside them', () => {
    const onnx = (path: string) =>
      new Uint8Array(readFileSync(join('test/models/onnx-wild', path, 'model.onnx')));
    const { model, data } = withDataBeside(onnx('relukan'), 'weights/model.onnx.data');
    const weights = {
      name: 'model.pt',
      bytes: new Uint8Array(readFileSync('examples/models/efficient-kan-wine/model.pt')),
    };
    const graph = { name: 'model.onnx', bytes: model };
    const beside = { name: 'model.onnx.data', bytes: data };
    expect(rolesOf([weights, beside, graph])).toEqual({
      'model.pt': 'unused',
      'model.onnx.data': 'beside',
      'model.onnx': 'checkpoint',
    });
    expect(besideOf(graph, [beside])).toEqual({ 'weights/model.onnx.data': data });
    const alone = { name: 'net.onnx', bytes: onnx('relukan') };
    expect(rolesOf([weights, alone])).toEqual({ 'model.pt': 'checkpoint', 'net.onnx': 'unused' });
    const unknown = { name: 'model.pt', bytes: weights.bytes.subarray(0, 1000) };
    expect(rolesOf([unknown, alone])).toEqual({ 'model.pt': 'unused', 'net.onnx': 'checkpoint' });
    const arch = { name: 'arch.json', bytes: new TextEncoder().encode('{"input": [4], "layers": [{}]}') };
    expect(rolesOf([alone, unknown, arch])).toEqual({
      'model.pt': 'checkpoint',
      'net.onnx': 'unused',
      'arch.json': 'architecture',
    });
  });

  it('are a checkpoint even where nothing knows them, so that the importers tell what is wrong', () => {
    expect(rolesOf([{ name: 'photo.png', bytes: new Uint8Array([1, 2, 3]) }])).toEqual({
      'photo.png': 'checkpoint',
    });
  });
});
