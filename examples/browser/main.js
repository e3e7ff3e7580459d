/** Loads the compiled artifact, classifies the test images, and shows some of them. */
import { load } from './artifact/index.js';
import { argmax, bytesOf, CLASSES } from './shared/fashion.js';

const SHOWN = 40;

/** Microseconds of one call: median of rounds, each long enough for a coarse clock. */
const time = (call) => {
  const rounds = [];
  let count = 1;
  for (let round = 0; round < 9; ) {
    const started = performance.now();
    for (let k = 0; k < count; k++) call();
    const took = performance.now() - started;
    if (took < 20) count *= 2;
    else {
      rounds.push((took * 1000) / count);
      round++;
    }
  }
  return rounds.sort((a, b) => a - b)[4];
};

const draw = (pixels, predicted, label) => {
  const figure = document.createElement('figure');
  const canvas = document.createElement('canvas');
  canvas.width = 28;
  canvas.height = 28;
  const context = canvas.getContext('2d');
  const image = context.createImageData(28, 28);
  pixels.forEach((p, j) => {
    image.data.set([255 - p, 255 - p, 255 - p, 255], 4 * j);
  });
  context.putImageData(image, 0, 0);
  const caption = document.createElement('figcaption');
  caption.textContent = predicted === label ? CLASSES[label] : `${CLASSES[predicted]}, is ${CLASSES[label]}`;
  figure.className = predicted === label ? 'right' : 'wrong';
  figure.append(canvas, caption);
  document.getElementById('images').append(figure);
};

const main = async () => {
  const [model, images, labels] = await Promise.all([
    load(),
    bytesOf('./data/test_images.npy'),
    bytesOf('./data/test_labels.npy'),
  ]);
  const count = labels.length;
  const scores = model.predict(images, count);
  const outputs = scores.length / count;
  let right = 0;
  for (let n = 0; n < count; n++) {
    const predicted = argmax(scores, n * outputs);
    if (predicted === labels[n]) right++;
    if (n < SHOWN) draw(images.subarray(n * 784, (n + 1) * 784), predicted, labels[n]);
  }
  const show = (id, text) => {
    document.getElementById(id).textContent = text;
  };
  show('accuracy', `${((100 * right) / count).toFixed(2)} % of ${count} test images`);
  const one = images.slice(0, 784);
  const some = images.slice(0, 64 * 784);
  show('single', `${time(() => model.predict(one, 1)).toFixed(2)} microseconds`);
  show(
    'batch',
    `${(time(() => model.predict(some, 64)) / 64).toFixed(2)} microseconds an image, 64 at a time`,
  );
  document.body.dataset.state = 'done';
};

main().catch((error) => {
  document.getElementById('error').textContent = String(error);
  document.body.dataset.state = 'failed';
});
