/** A C program as a shared library that threads of Python call: each gets the rows of one thread. */
import { describe, expect, it } from 'vitest';
import { missingTools, runTool } from '../../support/tools.js';
import { layersOf } from './graph.js';
import { emitC, STRICT, writeFiles } from './support.js';

/** As docs/targets-c.md tells: ctypes lets other threads run during a call. */
const SCRIPT = `
import ctypes, json, random, sys, threading
manifest = json.load(open('manifest.json'))
code = manifest['code']
net = ctypes.CDLL('./libnet.so')
inputs, outputs, rounds = manifest['input']['shape'][0], manifest['raw']['shape'][0], int(sys.argv[1])
rows = [bytes(random.Random(k).choices(range(16), k=inputs)) for k in range(64)]

def caller():
    scratch = (ctypes.c_int64 * (code['memory'] // 8 + 1))()
    raw = (ctypes.c_int32 * outputs)()
    given = [ctypes.byref(scratch)] if code['scratch'] == 'caller' else []
    def call(row):
        assert net.net_predict_raw(*given, row, raw) == 0
        return list(raw)
    return call

alone = caller()
expected = [alone(row) for row in rows]
assert len(set(map(tuple, expected))) > 60
wrong = []

def work(start):
    call = caller()
    for k in range(rounds):
        at = (k + start) % len(rows)
        if call(rows[at]) != expected[at]:
            wrong.append(at)

threads = [threading.Thread(target=work, args=(start,)) for start in (0, 32)]
for t in threads: t.start()
for t in threads: t.join()
print(len(wrong), 'wrong', end='')
`;

describe.skipIf(missingTools({ gcc: 'gcc', python3: 'python3' }))('threads of Python', () => {
  it.each([
    ['stack', 40, 6000],
    ['caller', 900, 3000],
  ] as const)('get their own rows, with memory of the %s', async (scratch, width, rounds) => {
    const { files } = await emitC(layersOf(width), { scratch });
    const folder = writeFiles(new Map([...files, ['main.py', SCRIPT]]));
    runTool('gcc', [...STRICT, '-O2', '-shared', '-fPIC', '-o', 'libnet.so', 'net.c'], { cwd: folder });
    expect(runTool('python3', ['main.py', String(rounds)], { cwd: folder }).toString()).toBe('0 wrong');
  });
});
