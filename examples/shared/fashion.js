/** What pages that classify Fashion-MNIST images share. */

export const CLASSES = [
  'T-shirt',
  'trousers',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'boot',
];

/** The elements of an .npy file of bytes, after its header. */
export const bytesOf = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const file = await response.arrayBuffer();
  const view = new DataView(file);
  const start = view.getUint8(6) === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  return new Uint8Array(file, start);
};

/** The class with the largest of the scores that begin at `from`. */
export const argmax = (scores, from) => {
  let best = 0;
  for (let o = 1; o < CLASSES.length; o++) if (scores[from + o] > scores[from + best]) best = o;
  return best;
};
