/** Classifies an image on WASM and on WebGPU, side by side; without a GPU on WASM alone. */
import { argmax, bytesOf, CLASSES } from './shared/fashion.js';
import { load as loadWasm } from './wasm/index.js';
import { load as loadWebGpu } from './webgpu/index.js';

const SIDE = 28;
const PIXELS = SIDE * SIDE;

const element = (id) => document.getElementById(id);
const canvas = element('drawing');
const context = canvas.getContext('2d', { willReadFrequently: true });

/** The drawing as one byte for each pixel. */
const pixelsOf = () => {
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Uint8Array.from({ length: PIXELS }, (_, j) =>
    Math.round((data[4 * j] + data[4 * j + 1] + data[4 * j + 2]) / 3),
  );
};

const show = (pixels) => {
  const image = context.createImageData(SIDE, SIDE);
  pixels.forEach((p, j) => {
    image.data.set([p, p, p, 255], 4 * j);
  });
  context.putImageData(image, 0, 0);
};

/** What `predict` takes: the median of some calls, in milliseconds. It may be a promise or not. */
const time = async (call, rounds) => {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[rounds >> 1];
};

const micro = (milliseconds) =>
  milliseconds < 1 ? `${(1000 * milliseconds).toFixed(0)} microseconds` : `${milliseconds.toFixed(1)} ms`;

/** A column of the page: a model, and where its results are shown. */
const column = (id, model) => {
  const section = element(id);
  const list = section.querySelector('ol');
  const rows = CLASSES.map((name) => {
    const row = document.createElement('li');
    const label = document.createElement('span');
    label.textContent = name;
    const meter = document.createElement('meter');
    row.append(label, meter);
    list.append(row);
    return { row, meter };
  });
  const field = (name) => section.querySelector(`.${name}`);
  return {
    model,
    classify: async (pixels) => {
      const scores = await model.predict(pixels, 1);
      const best = argmax(scores, 0);
      const top = scores[best];
      let sum = 0;
      for (const score of scores) sum += Math.exp(score - top);
      rows.forEach(({ row, meter }, o) => {
        meter.value = Math.exp(scores[o] - top) / sum;
        row.className = o === best ? 'best' : '';
      });
      field('single').textContent = micro(await time(() => model.predict(pixels, 1), 9));
      return scores;
    },
    measure: async (images, labels) => {
      const count = labels.length;
      const scores = await model.predict(images, count);
      let right = 0;
      for (let n = 0; n < count; n++) if (argmax(scores, n * CLASSES.length) === labels[n]) right++;
      field('accuracy').textContent = `${((100 * right) / count).toFixed(2)} %`;
      const took = await time(() => model.predict(images, count), 3);
      field('batch').textContent = `${micro(took)}, ${((1000 * took) / count).toFixed(2)} microseconds each`;
      return scores;
    },
  };
};

/** The WebGPU column without its results: what a model showed that is gone must not pass for the picture beside it. */
const closeWebGpu = (reason) => {
  const section = element('webgpu');
  section.dataset.state = 'absent';
  section.querySelector('.state').textContent = reason;
  section.querySelector('ol').replaceChildren();
  for (const field of section.querySelectorAll('dd')) field.textContent = '...';
};

/** WebGPU is there on some machines: everything else goes on without it. */
const openWebGpu = async () => {
  const state = element('webgpu').querySelector('.state');
  try {
    const model = await loadWebGpu();
    const info = (await navigator.gpu.requestAdapter())?.info;
    state.textContent = [info?.vendor, info?.architecture].filter((s) => s).join(' ') || 'running';
    return model;
  } catch (error) {
    closeWebGpu(`not used: ${error.message}`);
    return undefined;
  }
};

const sameBits = (a, b) => {
  const [x, y] = [a, b].map((f) => new Int32Array(f.buffer, f.byteOffset, f.length));
  return x.length === y.length && x.every((bits, k) => bits === y[k]);
};

/** Runs one task after another, and only the last of those that were asked for meanwhile. */
const latest = (run) => {
  let running;
  let waiting = false;
  return async () => {
    if (running !== undefined) {
      waiting = true;
      return running;
    }
    do {
      waiting = false;
      running = run();
      try {
        await running;
      } finally {
        running = undefined;
      }
    } while (waiting);
  };
};

const drawWith = (onChange) => {
  const dot = (event) => {
    if (event.buttons === 0) return;
    const box = canvas.getBoundingClientRect();
    const [x, y] = [
      (event.clientX - box.left) * (SIDE / box.width),
      (event.clientY - box.top) * (SIDE / box.height),
    ];
    context.fillStyle = '#fff';
    context.beginPath();
    context.arc(x, y, 1.6, 0, 2 * Math.PI);
    context.fill();
    element('label').textContent = 'your drawing';
    onChange();
  };
  canvas.addEventListener('pointerdown', dot);
  canvas.addEventListener('pointermove', dot);
  element('clear').addEventListener('click', () => {
    context.clearRect(0, 0, SIDE, SIDE);
    element('label').textContent = '';
    onChange();
  });
  element('file').addEventListener('change', async ({ target }) => {
    const file = target.files[0];
    if (file === undefined) return;
    const bitmap = await createImageBitmap(file);
    context.clearRect(0, 0, SIDE, SIDE);
    context.drawImage(bitmap, 0, 0, SIDE, SIDE);
    element('label').textContent = file.name;
    onChange();
  });
};

const main = async () => {
  const [wasm, webGpu, images, labels] = await Promise.all([
    loadWasm(),
    openWebGpu(),
    bytesOf('./data/test_images.npy'),
    bytesOf('./data/test_labels.npy'),
  ]);
  const own = column('wasm', wasm);
  let other = webGpu === undefined ? undefined : column('webgpu', webGpu);
  const drop = (reason) => {
    if (other === undefined) return;
    other = undefined;
    closeWebGpu(reason);
    element('same').textContent = compare([undefined]);
  };
  webGpu?.lost.then((reason) => drop(`lost: ${reason}. Reload the page.`));
  /** What a column does, on WASM and then on the GPU, if there is one that works. */
  const onBoth = async (act) => {
    const results = [await act(own)];
    if (other === undefined) return results;
    try {
      const found = await act(other);
      // It may have been lost after its answer.
      if (other !== undefined) results.push(found);
    } catch (error) {
      drop(`stopped: ${error.message}. Reload the page.`);
    }
    return results;
  };
  const compare = (results) => {
    if (results.length < 2) return 'WASM alone: there is no GPU to compare with.';
    return sameBits(results[0], results[1])
      ? 'Both give the same bits.'
      : 'The results differ: please report this.';
  };
  const classify = latest(async () => {
    const pixels = pixelsOf();
    element('same').textContent = compare(await onBoth((column) => column.classify(pixels)));
  });

  let shown = -1;
  const next = () => {
    shown = (shown + 1) % labels.length;
    show(images.subarray(shown * PIXELS, (shown + 1) * PIXELS));
    element('label').textContent = `test image ${shown}: ${CLASSES[labels[shown]]}`;
    return classify();
  };
  element('next').addEventListener('click', next);
  drawWith(classify);
  await next();
  document.body.dataset.same = compare(await onBoth((column) => column.measure(images, labels)));
  document.body.dataset.state = 'done';
};

main().catch((error) => {
  element('error').textContent = String(error);
  document.body.dataset.state = 'failed';
});
