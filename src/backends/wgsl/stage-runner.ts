/**
 * Text that runs the stages of a program one at a time on a device; it stands behind the first half of the loader, as the
 * second half does in artifacts. Values of a stage's operands are written where the program would have left them.
 */
export const STAGE_RUNNER = `
/** stages: entry points with their dispatches, of code. Gives run(k, operands, samples) and destroy(). */
export const loadStages = async ({ gpu, code: whole, more, bin, stages }) => {
  const device = await newDevice(gpu);
  const bufferOf = (what, size, usage) =>
    device.createBuffer({ label: LABEL + ': ' + what, size: Math.max(16, 4 * Math.ceil(size)), usage });
  const hasDot = gpu?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') === true;
  const [own, fallback] = whole.split(DOT4_MARK);
  const code = (hasDot && fallback !== undefined ? own + fallback.trim().split('\\n')[0].slice(3) : whole) + more;
  const entry = (binding, type) => ({ binding, visibility: COMPUTE, buffer: { type } });
  const inputWords = isFloat ? features : features / 4;
  const last = program.values[program.values.length - 1];
  const words = last.start + last.length;
  // Values of as many samples as fit 64 MiB.
  const capacity = Math.max(1, Math.min(4096, Math.floor(2 ** 24 / Math.max(words, inputWords))));
  const made = await guarded(device, () => {
    const group = device.createBindGroupLayout({
      label: LABEL,
      entries: [entry(0, 'uniform'), entry(1, 'read-only-storage'), entry(2, 'read-only-storage'), entry(3, 'storage')],
    });
    const uniform = bufferOf('run', 4, BUFFER.UNIFORM | BUFFER.COPY_DST);
    const input = bufferOf('input', capacity * inputWords, BUFFER.STORAGE | BUFFER.COPY_DST);
    const values = bufferOf('values', capacity * words, BUFFER.STORAGE | BUFFER.COPY_DST | BUFFER.COPY_SRC);
    const pages = (program.pages.length === 0 ? [{ start: 0, length: 0 }] : program.pages).map(({ start, length }, k) => {
      const buffer = bufferOf('constants ' + k, length, BUFFER.STORAGE | BUFFER.COPY_DST);
      if (length > 0) device.queue.writeBuffer(buffer, 0, bin, 4 * start, 4 * length);
      return buffer;
    });
    return {
      layout: device.createPipelineLayout({ label: LABEL, bindGroupLayouts: [group] }),
      module: device.createShaderModule({ label: LABEL, code }),
      uniform,
      input,
      values,
      groups: pages.map((page) =>
        device.createBindGroup({
          label: LABEL,
          layout: group,
          entries: [uniform, page, input, values].map((buffer, binding) => ({ binding, resource: { buffer } })),
        }),
      ),
    };
  });
  const pipelines = await Promise.all(
    stages.map(({ steps }) =>
      Promise.all(
        steps.map(({ entry: entryPoint }) =>
          device.createComputePipelineAsync({
            label: LABEL + ': ' + entryPoint,
            layout: made.layout,
            compute: { module: made.module, entryPoint },
          }),
        ),
      ),
    ),
  );
  const axis = device.limits.maxComputeWorkgroupsPerDimension;
  /** operands: { start, data }: words of the values, or, where start is undefined, of the input. */
  const run = async (k, operands, samples) => {
    const { steps, result } = stages[k];
    let staging;
    const queued = guarded(device, () => {
      staging = bufferOf('results', samples * result.length, BUFFER.MAP_READ | BUFFER.COPY_DST);
      for (const { start, data } of operands) {
        device.queue.writeBuffer(start === undefined ? made.input : made.values, 4 * (start ?? 0) * capacity, data);
      }
      device.queue.writeBuffer(made.uniform, 0, Uint32Array.of(samples, capacity, 1, 0));
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      steps.forEach((step, s) => {
        const count = Math.ceil((samples * step.items) / step.each);
        const columns = Math.min(count, axis);
        pass.setPipeline(pipelines[k][s]);
        pass.setBindGroup(0, made.groups[step.page]);
        pass.dispatchWorkgroups(columns, Math.ceil(count / columns));
      });
      pass.end();
      const bytes = 4 * samples * result.length;
      encoder.copyBufferToBuffer(made.values, 4 * result.start * capacity, staging, 0, bytes);
      device.queue.submit([encoder.finish()]);
    });
    await Promise.all([queued, queued.then(() => staging.mapAsync(READ))]);
    const found = new Uint32Array(staging.getMappedRange(0, 4 * samples * result.length).slice(0));
    staging.destroy();
    return found;
  };
  return { capacity, run, destroy: () => device.destroy() };
};
`;
