import { messageOf } from '../shared/about.js';
import { failure } from './device.js';

/** Whether a model can be used still, and what an error of its device means. */
export interface Life {
  /** Resolves with the reason when the device is lost. */
  readonly lost: Promise<string>;
  readonly isOver: () => boolean;
  readonly end: () => void;
  /** Throws where the model is of no use any more. */
  readonly alive: () => void;
  /** A failure of the device, told as such. */
  readonly told: (error: unknown) => Promise<unknown>;
}

/** Errors that are told already: those of `failure`. */
const isTold = (error: Partial<Error & { code: string }> | undefined): boolean =>
  error?.code !== undefined && String(error.message).startsWith('kanc model');

export const lifeOf = (device: GPUDevice): Life => {
  let gone: string | undefined;
  let destroyed = false;
  const lost = device.lost.then((info) => {
    gone = info.reason + (info.message ? `: ${info.message}` : '');
    return gone;
  });
  const over = (): Error => failure('destroyed', 'the model was destroyed; load it again');
  const lostNow = (): Error =>
    failure('device-lost', `the GPU device was lost (${gone}); load the model again`);
  return {
    lost,
    isOver: () => destroyed,
    end: () => {
      destroyed = true;
    },
    alive: () => {
      if (destroyed) throw over();
      if (gone !== undefined) throw lostNow();
    },
    told: async (error) => {
      if (destroyed) return over();
      if (isTold(error as Error | undefined)) return error;
      await Promise.race([lost, new Promise((done) => setTimeout(done, 50))]);
      return gone === undefined ? failure('failed', `the GPU failed: ${messageOf(error)}`) : lostNow();
    },
  };
};
