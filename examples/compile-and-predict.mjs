/**
 * The compiler from a script: compiles a checkpoint, writes the artifact, loads it and classifies two images.
 * `node examples/compile-and-predict.mjs`, after `npm install`.
 *
 * `kanc` here is this checkout; in a project of your own it is the package. The artifact needs neither.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compile, readNpy, writeArtifact } from 'kanc';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const compilation = await compile({
  checkpoint: await readFile(here('models/efficient-kan-digits/model.pt')),
  calibration: await readFile(here('data/digits/calib_inputs.npy')),
});
const folder = here('out/digits');
await writeArtifact(folder, compilation.artifact);
console.log(`pipeline   ${compilation.pipeline}`);

const { load } = await import(pathToFileURL(`${folder}/index.js`).href);
const model = await load();
const images = readNpy(await readFile(here('data/digits/test_inputs.npy'))).right;
const labels = readNpy(await readFile(here('data/digits/test_labels.npy'))).right;

const scores = model.predict(images.data.subarray(0, 2 * 64), 2);
for (const n of [0, 1]) {
  const row = Array.from(scores.subarray(10 * n, 10 * n + 10));
  console.log(`image ${n}    is a ${labels.data[n]}, classified as ${row.indexOf(Math.max(...row))}`);
}
