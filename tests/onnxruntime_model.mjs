// Runs a model of one input by ONNX Runtime: onnxruntime_model.mjs NODE_MODULES MODEL INPUT OUTPUT LENGTH…
// INPUT and OUTPUT hold float32 numbers and nothing else; the lengths are the input's shape.
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join, resolve} from 'node:path';

const [modules, model, input, output, ...shape] = process.argv.slice(2);
const ort = createRequire(join(resolve(modules), '_'))('onnxruntime-node');
const session = await ort.InferenceSession.create(model, {logSeverityLevel: 3, intraOpNumThreads: 1});
const bytes = readFileSync(input);
const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const found = await session.run({[session.inputNames[0]]: new ort.Tensor('float32', numbers, shape.map(Number))});
const {data} = found[session.outputNames[0]];
writeFileSync(output, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
